package method

import (
	"maps"
	"sync"
	"time"
)

// Report is what a server last said of itself.
type Report struct {
	Ready, Busy int // threads, requests: at least 0
	Port        int
	Seen        time.Time
}

// Beats is what servers have reported of late, by the key that members' hosts are compared with: an address as
// text. It may be used by many goroutines.
type Beats struct {
	mu      sync.Mutex
	most    int               // under mu
	reports map[string]Report // under mu
	oldest  time.Time         // under mu: none of them is older
}

// NewBeats has no reports, and room for most servers.
func NewBeats(most int) *Beats { return &Beats{most: most, reports: map[string]Report{}} }

// Forgotten is how long a server is remembered that says nothing more (httpd: mod_heartmonitor.c SEEN_TIMEOUT).
const Forgotten = 30 * time.Second

// Put takes a report in, unless there is a later one. It is dropped, and false returned, when there is no room: those that were not
// heard of for long give way.
func (b *Beats) Put(key string, r Report) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	old, known := b.reports[key]
	if known && old.Seen.After(r.Seen) {
		return true
	}
	if !known && len(b.reports) >= b.most {
		if r.Seen.Sub(b.oldest) <= Forgotten { // as a flood of senders finds it
			return false
		}
		b.forget(r.Seen)
		if len(b.reports) >= b.most {
			return false
		}
	}
	b.reports[key] = r
	if len(b.reports) == 1 || r.Seen.Before(b.oldest) {
		b.oldest = r.Seen
	}
	return true
}

// forget drops who was not heard of for long. Under mu.
func (b *Beats) forget(now time.Time) {
	b.oldest = now
	maps.DeleteFunc(b.reports, func(_ string, r Report) bool {
		gone := now.Sub(r.Seen) > Forgotten
		if !gone && r.Seen.Before(b.oldest) {
			b.oldest = r.Seen
		}
		return gone
	})
}

// Reports is those that are not forgotten, by key. The caller owns it.
func (b *Beats) Reports(now time.Time) map[string]Report {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.forget(now)
	return maps.Clone(b.reports)
}
