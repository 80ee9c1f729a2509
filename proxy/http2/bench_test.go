package http2

import (
	"context"
	"testing"

	"golang.org/x/net/http2"

	"balancerd/proxy/exchange"
)

// BenchmarkStream is one GET with a short answer; what is allocated is the server's, but for what the client's
// Framer allocates for a frame that it reads.
func BenchmarkStream(b *testing.B) {
	f := newFront(b, &app{serve: short})
	c := f.dial(b)
	c.fr.WriteSettingsAck()
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		id := uint32(2*i + 1)
		if i%32 == 0 {
			c.fr.WriteWindowUpdate(0, 32<<10)
		}
		c.get(id, "/")
		for done := false; !done; {
			fr, err := c.raw.ReadFrame()
			if err != nil {
				b.Fatal(err)
			}
			if d, ok := fr.(*http2.DataFrame); ok {
				done = d.StreamEnded()
			}
		}
	}
}

// answer is what short says.
var answer = make([]byte, 1<<10)

func short(_ context.Context, x *exchange.Exchange) {
	x.Res.Status, x.Res.Local = 200, true
	x.Res.Header.Add("Content-Type", "text/plain")
	x.Res.Bytes(answer)
}
