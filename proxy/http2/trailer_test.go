package http2

import (
	"context"
	"io"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"balancerd/proxy/exchange"
)

// A trailer whose stream has ended when its last part comes is nobody's: the memory of that stream may serve
// another connection's by then.
func TestTrailerThatComesTooLate(t *testing.T) {
	const uploads = 8
	var mu sync.Mutex
	got := map[string]int{}
	started := make(chan bool, uploads)
	f := newFront(t, &app{serve: func(_ context.Context, x *exchange.Exchange) {
		x.Res.Status, x.Res.Local = 200, true
		if x.Req.RawPath == "/early" {
			return
		}
		started <- true
		x.Block()
		b, err := io.ReadAll(readAll{x.Req.Body})
		mu.Lock()
		defer mu.Unlock()
		if err != nil {
			got[err.Error()]++
			return
		}
		got[string(b)]++
	}})
	c := f.dial(t)
	c.get(1, "/early")
	c.outcome(1) // and the settings are acknowledged: nothing may stand within a block
	c.ask(3, false, ":method", "POST", ":scheme", "http", ":authority", "h", ":path", "/early")
	c.buf.Reset()
	c.enc.WriteField(hpack.HeaderField{Name: "x-late", Value: "one"})
	first := c.buf.Len()
	c.enc.WriteField(hpack.HeaderField{Name: "x-later", Value: "two"})
	block := append([]byte(nil), c.buf.Bytes()...)
	c.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 3, BlockFragment: block[:first], EndStream: true})
	for end := time.Now().Add(5 * time.Second); f.app.finished() < 2; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the exchange does not end")
		}
	}
	other := f.dial(t)
	for i := range uploads {
		other.ask(uint32(2*i+1), false, ":method", "POST", ":scheme", "http", ":authority", "h", ":path", "/upload")
		<-started
	}
	c.fr.WriteContinuation(3, true, block[first:])
	c.fr.WritePing(false, [8]byte{1})
	for acked := false; !acked; {
		frame, err := c.fr.ReadFrame()
		if err != nil {
			t.Fatal(err)
		}
		ping, ok := frame.(*http2.PingFrame)
		acked = ok && ping.IsAck() && ping.Data == [8]byte{1}
	}
	for i := range uploads {
		id := uint32(2*i + 1)
		other.fr.WriteData(id, true, []byte("hello"))
		if what, _ := other.outcome(id); what != "200" {
			t.Error(what)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if got["hello"] != uploads {
		t.Errorf("%v", got)
	}
}
