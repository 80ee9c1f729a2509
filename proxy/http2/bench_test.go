package http2

import (
	"context"
	"runtime"
	"testing"

	"golang.org/x/net/http2"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/poison"
	"balancerd/testdata/linear"
)

// gets sends GETs one after the other, from a stream on, and reads their answers.
func (c *talk) gets(first, n int) {
	for i := first; i < first+n; i++ {
		if i%32 == 0 {
			c.fr.WriteWindowUpdate(0, 32<<10)
		}
		c.get(uint32(2*i+1), "/")
		for done := false; !done; {
			fr, err := c.raw.ReadFrame()
			if err != nil {
				c.t.Fatal(err)
			}
			if d, ok := fr.(*http2.DataFrame); ok {
				done = d.StreamEnded()
			}
		}
	}
}

// BenchmarkStream is one GET with a short answer. Three of its allocations are the test's own: the frame that the
// client reads, and two of the application.
func BenchmarkStream(b *testing.B) {
	f := newFront(b, &app{serve: short})
	c := f.dial(b)
	c.fr.WriteSettingsAck()
	b.ReportAllocs()
	b.ResetTimer()
	c.gets(0, b.N)
}

// In an event loop a stream is two allocations: the frame of its head, which x/net makes, and its context.
func TestStreamAllocations(t *testing.T) {
	if !inLoops || linear.Race || poison.On {
		t.Skip("in event loops, without what empties pools: the race detector, and poison")
	}
	f := newFront(t, &app{serve: short})
	c := f.dial(t)
	c.fr.WriteSettingsAck()
	const n, own = 2000, 3
	least := 1e9
	for round := range 5 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		c.gets(round*n, n)
		runtime.ReadMemStats(&after)
		least = min(least, float64(after.Mallocs-before.Mallocs)/n)
	}
	t.Logf("%.2f allocations", least)
	if least > own+3 {
		t.Errorf("%.2f allocations a stream, %d of which are the test's", least, own)
	}
}

// answer is what short says.
var answer = make([]byte, 1<<10)

func short(_ context.Context, x *exchange.Exchange) {
	x.Res.Status, x.Res.Local = 200, true
	x.Res.Header.Add("Content-Type", "text/plain")
	x.Res.Bytes(answer)
}
