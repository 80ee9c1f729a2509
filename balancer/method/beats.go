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
}

// NewBeats has no reports, and room for most servers.
func NewBeats(most int) *Beats { return &Beats{most: most, reports: map[string]Report{}} }

// Forgotten is how long a server is remembered that says nothing more (httpd: mod_heartmonitor.c SEEN_TIMEOUT).
const Forgotten = 30 * time.Second

// Put takes a report in. It is dropped, and false returned, when there is no room: those that were not heard of for long give way.
func (b *Beats) Put(key string, r Report) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, known := b.reports[key]; !known && len(b.reports) >= b.most {
		b.forget(r.Seen)
		if len(b.reports) >= b.most {
			return false
		}
	}
	b.reports[key] = r
	return true
}

// forget drops who was not heard of for long. Under mu.
func (b *Beats) forget(now time.Time) {
	maps.DeleteFunc(b.reports, func(_ string, r Report) bool { return now.Sub(r.Seen) > Forgotten })
}

// Reports is those that are not forgotten, by key. The caller owns it.
func (b *Beats) Reports(now time.Time) map[string]Report {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.forget(now)
	return maps.Clone(b.reports)
}
