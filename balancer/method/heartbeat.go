package method

import (
	"math/rand/v2"
	"net/url"
	"os"
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
// reads the file that mod_heartmonitor writes, before each pick as httpd does.
type Heartbeat struct{ storage atomic.Pointer[string] }

// SetStorage names the file, HeartbeatStorage; an absolute path.
func (h *Heartbeat) SetStorage(path string) { h.storage.Store(&path) }

// Method is the policy. Sets, spares, standbys, draining and factors mean nothing to it.
func (h *Heartbeat) Method() balancer.Method {
	return balancer.Method{
		Name:  "heartbeat",
		Whole: true,
		Data:  func(time.Time) (any, error) { return h.read() },
		Best:  func(p *balancer.Pick) *balancer.Worker { return mostReady(p.Candidates, p.Data.(beats), rand.IntN) },
	}
}

// beats is the servers that sent heartbeats, by host name or address as text.
type beats map[string]*beat

type beat struct {
	ready, busy int
	seen        int // seconds ago
	worker      *balancer.Worker
}

func (h *Heartbeat) read() (beats, error) {
	path := h.storage.Load()
	if path == nil {
		return beats{}, nil
	}
	text, err := os.ReadFile(*path)
	if err != nil {
		return nil, err
	}
	return parseBeats(string(text)), nil
}

// parseBeats reads lines of "IP &ready=N&busy=N&lastseen=SECONDS&port=P". A server that is idle
// altogether has likely just started and counts a quarter.
func parseBeats(text string) beats {
	servers := beats{}
	for line := range strings.Lines(text) {
		host, values, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
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
	for pair := range strings.SplitSeq(values, "&") {
		key, value, _ := strings.Cut(pair, "=")
		key, _ = url.PathUnescape(key)
		value, _ = url.PathUnescape(value)
		n, _ := strconv.Atoi(value)
		switch strings.ToLower(key) {
		case "ready":
			b.ready = n
		case "busy":
			b.busy = n
		case "lastseen":
			b.seen = n
		}
	}
	if b.busy == 0 {
		b.ready /= 4
	}
}

// mostReady picks one of the idle threads of all servers that were heard of lately, at random. Members of one host share an entry,
// which the last of them gets, as in httpd; so does the number above the last thread.
func mostReady(candidates []*balancer.Worker, servers beats, random func(int) int) *balancer.Worker {
	var up []*beat
	slots := 0
	for _, w := range candidates {
		b := servers[w.Address().Host]
		if b == nil {
			continue
		}
		b.worker = w
		if b.seen < freshness {
			up = append(up, b)
			slots += b.ready
		}
	}
	if slots <= 0 {
		return nil
	}
	pick := random(slots + 1)
	var chosen *balancer.Worker
	sum := 0
	for _, b := range up {
		if sum <= pick && pick <= sum+b.ready {
			chosen = b.worker
		}
		sum += b.ready
	}
	return chosen
}
