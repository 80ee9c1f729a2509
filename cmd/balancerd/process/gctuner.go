package process

import (
	"os"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"sync/atomic"
	"time"

	"balancerd/proxy/recovery"
)

// GCTuner lets more garbage gather while many TLS handshakes make it: they leave some 40 KB each, which a
// small heap would be cleared of dozens of times a second. Plain requests leave none, so that after the handshakes
// nothing would clear the heap for minutes: it is done then, and the memory given back.
type GCTuner struct {
	n atomic.Int64 // handshakes

	mu     sync.Mutex
	last   time.Time // when the last burst was full; under mu
	normal int       // GOGC in force otherwise, while it is raised; under mu
}

const (
	burst    = 64          // so many handshakes within a second are many
	cooldown = time.Second // so long after the last burst GOGC is as before
	mostMore = 32 << 20    // bytes of garbage that may gather beyond the usual
	highest  = 400         // GOGC
	worth    = 8 << 20     // bytes of garbage, and of free memory, that are worth a collection
)

// Handshake counts one.
func (g *GCTuner) Handshake() {
	if g.n.Add(1)%burst == 0 {
		g.full(time.Now())
	}
}

// full raises GOGC after the second burst within a second.
func (g *GCTuner) full(now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	quick := now.Sub(g.last) < time.Second
	g.last = now
	if !quick || g.normal != 0 || os.Getenv("GOGC") != "" {
		return
	}
	if more := percentFor(liveHeap()); more > 100 {
		g.normal = debug.SetGCPercent(more)
		recovery.AfterFunc(cooldown, relaxing, g.relax)
	}
}

// relaxing names what relax does, for the log of a panic.
const relaxing = "clearing garbage as often as usual again"

// relax puts GOGC back, and gives memory back, unless there are still many handshakes.
func (g *GCTuner) relax() {
	if g.calm() && unusedHeap() > max(worth, liveHeap()/4) { // a large heap costs more to go through
		debug.FreeOSMemory()
	}
}

// calm puts GOGC back, or looks again later: false.
func (g *GCTuner) calm() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if left := cooldown - time.Since(g.last); left > 0 {
		recovery.AfterFunc(left, relaxing, g.relax)
		return false
	}
	debug.SetGCPercent(g.normal)
	g.normal = 0
	return true
}

// percentFor returns the GOGC for a live heap of some bytes.
func percentFor(live uint64) int {
	return int(min(highest, 100+mostMore*100/max(live, 1)))
}

func liveHeap() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

// unusedHeap is how many bytes of memory a collection may find: what was allocated since the last one, or is free.
func unusedHeap() uint64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/unused:bytes"}, {Name: "/memory/classes/heap/free:bytes"}}
	metrics.Read(s)
	sum := uint64(0)
	for i := range s {
		sum += s[i].Value.Uint64()
	}
	return sum - min(sum, liveHeap())
}
