package method

import (
	"math/rand/v2"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"balancerd/balancer"
)

// freshness is how many seconds a server counts after it was last heard of (httpd:
// mod_lbmethod_heartbeat.c LBM_HEARTBEAT_MAX_LASTSEEN).
const freshness = 10

// Heartbeat picks by what the servers themselves report: the more idle threads, the more likely. It
// reads the file that mod_heartmonitor writes, before each pick as httpd does, or that module's table.
type Heartbeat struct {
	storage atomic.Pointer[string]
	table   atomic.Pointer[Beats]
	last    atomic.Pointer[storageRead]
}

// SetStorage names the file, HeartbeatStorage; an absolute path.
func (h *Heartbeat) SetStorage(path string) { h.storage.Store(&path) }

// SetTable has the method read reports in place of the file; nil: the file.
func (h *Heartbeat) SetTable(b *Beats) { h.table.Store(b) }

// Method is the policy. Sets, spares, standbys, draining and factors mean nothing to it.
func (h *Heartbeat) Method() balancer.Method {
	return balancer.Method{
		Name:  "heartbeat",
		Whole: true,
		Data:  func(now time.Time) (any, error) { return h.read(now) },
		Reads: func() bool { return h.table.Load() == nil },
		Best:  func(p *balancer.Pick) *balancer.Worker { return mostReady(p.Candidates, p.Data.(beats), rand.IntN) },
	}
}

// beats is the servers that sent heartbeats, by host name or address as text. Immutable once it is read.
type beats map[string]*beat

type beat struct {
	ready, busy int
	seen        int // seconds ago
}

func (h *Heartbeat) read(now time.Time) (beats, error) {
	if t := h.table.Load(); t != nil {
		return t.beats(now), nil
	}
	path := h.storage.Load()
	if path == nil {
		return beats{}, nil
	}
	return h.readStorage(*path)
}

// beats is the reports as picks see them.
func (b *Beats) beats(now time.Time) beats {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.forget(now)
	servers := make(beats, len(b.reports))
	for key, r := range b.reports {
		one := &beat{ready: r.Ready, busy: r.Busy, seen: int(now.Sub(r.Seen) / time.Second)}
		one.justStarted()
		servers[key] = one
	}
	return servers
}

// justStarted has a server that is idle altogether count a quarter: it has likely just started.
func (b *beat) justStarted() {
	if b.busy == 0 {
		b.ready /= 4
	}
}

// parseBeats reads lines of "IP &ready=N&busy=N&lastseen=SECONDS&port=P". A line's last byte is its end, whatever it is: of a line
// that is torn off httpd drops it (httpd: mod_lbmethod_heartbeat.c readfile_heartbeats).
func parseBeats(text string) beats {
	servers := beats{}
	for line := range strings.Lines(text) {
		host, values, ok := strings.Cut(line[:len(line)-1], " ")
		if !ok || line[0] == '#' {
			continue
		}
		b := servers[host]
		if b == nil {
			b = &beat{seen: -1}
			servers[host] = b
		}
		b.update(values)
	}
	return servers
}

func (b *beat) update(values string) {
	for key, value := range Values(values) {
		n := count(value)
		switch key {
		case "ready":
			b.ready = n
		case "busy":
			b.busy = n
		case "lastseen":
			b.seen = n
		}
	}
	b.justStarted()
}

// Values is a report's name=value pairs, names in lower case; a name alone has the value 1. The last of a name counts (httpd:
// mod_heartmonitor.c qs_to_table).
func Values(report string) map[string]string {
	all := map[string]string{}
	for pair := range strings.SplitSeq(report, "&") {
		if pair == "" {
			continue
		}
		key, value, given := strings.Cut(pair, "=")
		if !given {
			value = "1"
		}
		all[strings.ToLower(unescape(key))] = unescape(value)
	}
	return all
}

// unescape decodes %XX; a text ends at its first NUL, as C's do.
func unescape(text string) string {
	if s, err := url.PathUnescape(text); err == nil {
		text = s
	}
	text, _, _ = strings.Cut(text, "\x00")
	return text
}

// count is a number as httpd's strict reading takes it: blanks and a sign in front, and nothing behind; anything else,
// what is negative and what no int of C holds is 0.
func count(text string) int {
	n, err := strconv.ParseInt(strings.TrimLeft(text, " \t\n\v\f\r"), 10, 32)
	if err != nil || n < 0 {
		return 0
	}
	return int(n)
}

// mostReady picks one of the idle threads of all servers that were heard of lately, at random. Members of one host share an entry,
// which the last of them gets, as in httpd; so does the number above the last thread.
func mostReady(candidates []*balancer.Worker, servers beats, random func(int) int) *balancer.Worker {
	var up []*beat
	slots := 0
	for _, w := range candidates {
		if b := servers[w.Address().Host]; b != nil && b.seen < freshness {
			up = append(up, b)
			slots += b.ready
		}
	}
	if slots <= 0 {
		return nil
	}
	pick := random(slots + 1)
	var chosen *beat
	sum := 0
	for _, b := range up {
		if sum <= pick && pick <= sum+b.ready {
			chosen = b
		}
		sum += b.ready
	}
	for _, w := range slices.Backward(candidates) {
		if servers[w.Address().Host] == chosen {
			return w
		}
	}
	return nil
}
