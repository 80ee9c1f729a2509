// Package linear is for tests: it holds a parser against the rule that no input of N bytes costs more than
// a constant times N. It measures at two sizes, one sixteen times the other, by the thread's own time, and compares the
// best of five: a quadratic parser takes 256 times as long, a linear one some 16 times, on any machine.
package linear

import (
	"runtime"
	"testing"
	"time"
)

const (
	times    = 16                    // the larger input is so many times the smaller
	most     = 64                    // and may take so many times as long: caches and the collector of garbage want their share
	rounds   = 5                     // of which the best counts
	patience = 6                     // times as many before a test fails: on a machine that is busy, a good one comes late
	floor    = 20 * time.Microsecond // the smaller one is repeated until it takes so long
	cheap    = 5 * time.Nanosecond   // a byte: what the memory of larger inputs alone may cost
)

// Check makes two inputs with about small and sixteen times small bytes, and has parse take each. It fails
// the test when the larger one takes more than 64 times as long, and more than five nanoseconds a byte.
func Check[T any](t *testing.T, small int, input func(size int) T, parse func(T)) {
	t.Helper()
	CheckWithin(t, most, small, input, parse)
}

// CheckWithin is Check with another limit than 64 times, for what leaves so much memory to the collector of
// garbage that a linear cost looks like more.
func CheckWithin[T any](t *testing.T, most time.Duration, small int, input func(size int) T, parse func(T)) {
	t.Helper()
	few, many := input(small), input(times*small)
	parse(few) // what is made once, tables and pools, is there then
	n := repeats(func() { parse(few) })
	short, long := time.Hour, time.Hour
	fails := func() bool { return long > most*short && long > time.Duration(n*times*small)*cheap }
	for round := 0; round < rounds || round < patience*rounds && fails() && long < 2*most*short; round++ {
		runtime.GC()
		short = min(short, measure(n, func() { parse(few) }))
		long = min(long, measure(n, func() { parse(many) }))
	}
	if fails() {
		t.Errorf("%d bytes take %v, %d times as many %v: %.0f times as long", small, short/time.Duration(n), times, long/time.Duration(n), float64(long)/float64(short))
	}
}

// repeats is how often f is to be called so that it can be measured.
func repeats(f func()) int {
	for n := 1; ; n *= 2 {
		if measure(n, f) >= floor {
			return n
		}
	}
}

// measure is how long n calls of f take: of the thread's own time, so that it counts little what else the machine does; by
// the clock where that is not to be had, or where others do the work.
func measure(n int, f func()) time.Duration {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	thread, process, ok := cpuTimes()
	start := time.Now()
	for range n {
		f()
	}
	wall := time.Since(start)
	t, p, _ := cpuTimes()
	if own := t - thread; ok && own > (p-process)/elsewhere {
		return own
	}
	return wall
}

// elsewhere is the part of the process's work below which a thread is not the one that did it.
const elsewhere = 20
