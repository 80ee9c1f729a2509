package balancer

import (
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"
)

// TestLayout: what elections write, what requests write and what all read lie a cache line apart,
// within a worker and to the next in memory.
func TestLayout(t *testing.T) {
	const line = 64
	var w Worker
	readEnd := unsafe.Offsetof(w.attached) + unsafe.Sizeof(w.attached)
	votes := unsafe.Offsetof(w.status)
	votesEnd := unsafe.Offsetof(w.row) + unsafe.Sizeof(w.row)
	counts := unsafe.Offsetof(w.busy)
	countsEnd := unsafe.Offsetof(w.mark) + unsafe.Sizeof(w.mark)
	for what, gap := range map[string]uintptr{"settings to votes": votes - readEnd, "votes to counts": counts - votesEnd, "counts to the next": unsafe.Sizeof(w) - countsEnd} {
		if gap < line-8 {
			t.Errorf("%s: %d bytes", what, gap)
		}
	}
}

func TestCounter(t *testing.T) {
	var c counter
	old := c.add()
	c.add()
	c.reset()
	c.done(old)
	if c.value() != 0 {
		t.Error("an old term counts:", c.value())
	}
	c.done(c.add())
	c.done(old + 1)
	if c.value() != 0 {
		t.Error("below zero:", c.value())
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 1000 {
				c.done(c.add())
			}
		})
	}
	wg.Wait()
	if c.value() != 0 {
		t.Error(c.value())
	}
}

// A time that was kept is measured by the monotonic clock like any other, once it is back.
func TestKeptTimes(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		kept time.Time
		age  time.Duration
	}{{now.Add(-time.Hour).Round(0).UTC(), time.Hour}, {now.Add(time.Hour).Round(0), 0}, {now.Round(0), 0}} {
		got := sinceStart(c.kept, now)
		if now.Sub(got) != c.age || !strings.Contains(got.String(), " m=") {
			t.Errorf("%v: %v, %v ago", c.kept, got, now.Sub(got))
		}
	}
	if !sinceStart(time.Time{}, now).IsZero() {
		t.Error("no time")
	}
}
