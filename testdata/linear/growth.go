package linear

import (
	"runtime"
	"testing"
	"time"
)

// Best is how long f takes: the shortest of five times, so that what else the machine does counts little.
func Best(f func()) time.Duration {
	best := time.Hour
	for range rounds {
		best = min(best, measure(1, f))
	}
	return best
}

// Allocated is how many bytes f allocates, whether they are kept or not. What other goroutines allocate
// meanwhile is counted, too.
func Allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// Kept is how many bytes of the heap what build makes holds.
func Kept[T any](build func() T) uint64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	made := build()
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(made)
	return after.HeapAlloc - min(before.HeapAlloc, after.HeapAlloc)
}

// Tenfold fails the test when the cost of ten times the work is more than fifteen times the cost of the work
// once. what names the cost and its unit.
func Tenfold[N uint64 | time.Duration](t testing.TB, what string, once, ten N) {
	t.Helper()
	if ten > 15*once {
		t.Errorf("%s: %v for the work once, %v for ten times as much", what, once, ten)
	}
}
