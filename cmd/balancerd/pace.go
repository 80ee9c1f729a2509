package main

import (
	"os"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"sync/atomic"
	"time"

	"balancerd/proxy/recovery"
)

// pace lets more garbage gather while many TLS handshakes make it: they leave some 40 KB each, which a
// small heap would be cleared of dozens of times a second. Plain requests leave none.
type pace struct {
	n atomic.Int64 // handshakes

	mu     sync.Mutex
	last   time.Time // when the last lot was full; under mu
	normal int       // GOGC in force otherwise, while it is raised; under mu
}

const (
	lot      = 64              // so many handshakes within a second are many
	calm     = 3 * time.Second // without such a lot all is as before
	mostMore = 32 << 20        // bytes of garbage that more may be let gather than usual
	highest  = 400             // GOGC
)

// handshake notes one.
func (p *pace) handshake() {
	if p.n.Add(1)%lot == 0 {
		p.full(time.Now())
	}
}

// full notes a lot of them.
func (p *pace) full(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	quick := now.Sub(p.last) < time.Second
	p.last = now
	if !quick || p.normal != 0 || os.Getenv("GOGC") != "" {
		return
	}
	if more := raised(liveHeap()); more > 100 {
		p.normal = debug.SetGCPercent(more)
		recovery.AfterFunc(calm, relaxing, p.relax)
	}
}

// relaxing is what relax does.
const relaxing = "clearing garbage as often as usual again"

// relax takes the raise back, unless there are still many.
func (p *pace) relax() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if left := calm - time.Since(p.last); left > 0 {
		recovery.AfterFunc(left, relaxing, p.relax)
		return
	}
	debug.SetGCPercent(p.normal)
	p.normal = 0
}

// raised is the GOGC for a live heap of some bytes.
func raised(live uint64) int {
	return int(min(highest, 100+mostMore*100/max(live, 1)))
}

func liveHeap() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}
