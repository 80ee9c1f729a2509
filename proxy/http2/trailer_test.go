package http2

import (
	"context"
	"fmt"
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

// What stands behind an answer's body goes to the client, also when there is no body, but for what concerns one
// connection or says the body's length.
func TestTrailersOfAnswers(t *testing.T) {
	for name, a := range map[string]struct {
		body    string
		trailer []string
		want    string
	}{
		"body":    {"abc", []string{"X-A", "1", "x-b", "2"}, "200 abc [x-a=1 x-b=2]"},
		"no body": {"", []string{"X-A", "1"}, "200  [x-a=1]"},
		"none":    {"abc", nil, "200 abc []"},
		"framing": {"abc", []string{"Content-Length", "9", "Connection", "x", "TE", "y", "X A", "no", "X-A", "1"}, "200 abc [x-a=1]"},
	} {
		f := newFront(t, &app{serve: func(_ context.Context, x *exchange.Exchange) {
			x.Res.Status, x.Res.Local = 200, true
			if a.body != "" {
				x.Res.Text(a.body)
			}
			for i := 0; i < len(a.trailer); i += 2 {
				x.Res.Trailer.Add(a.trailer[i], a.trailer[i+1])
			}
		}})
		c := f.dial(t)
		c.get(1, "/")
		what, data := c.outcome(1)
		if got := fmt.Sprint(what, " ", data, " ", c.trailer); got != a.want {
			t.Errorf("%s: %q, want %q", name, got, a.want)
		}
	}
}

// THE table of what may stand behind a request's body (values of httpd with nghttp2; RFC 9113 section 8.1, 8.2.2).
func TestTrailersOfRequests(t *testing.T) {
	f := newFront(t, &app{serve: func(_ context.Context, x *exchange.Exchange) {
		x.Res.Status, x.Res.Local = 200, true
		x.Block()
		io.ReadAll(readAll{x.Req.Body})
		x.Res.Text(fmt.Sprint(x.Req.Trailer.F))
	}})
	for field, want := range map[string]string{
		"x-a": "200 [{x-a v }]", "grpc-status": "200 [{grpc-status v }]", "if-match": "200 [{if-match v }]",
		"host": "200 []", "range": "200 []", "cookie": "200 []", "expect": "200 []", "pragma": "200 []", "max-forwards": "200 []", "trailer": "200 []",
		"cache-control": "200 []", "authorization": "200 []", "proxy-authorization": "200 []",
		"content-length": "RST PROTOCOL_ERROR ", "connection": "RST PROTOCOL_ERROR ", "transfer-encoding": "RST PROTOCOL_ERROR ", "upgrade": "RST PROTOCOL_ERROR ",
		"keep-alive": "RST PROTOCOL_ERROR ", "proxy-connection": "RST PROTOCOL_ERROR ", "te": "RST PROTOCOL_ERROR ", ":status": "RST PROTOCOL_ERROR ", "X-A": "RST PROTOCOL_ERROR ",
	} {
		c := f.dial(t)
		c.ask(1, false, ":method", "POST", ":scheme", "http", ":authority", "h", ":path", "/")
		c.fr.WriteData(1, false, []byte("abc"))
		c.ask(1, true, field, " v ")
		what, data := c.outcome(1)
		if got := what + " " + data; got != want {
			t.Errorf("%s: %q, want %q", field, got, want)
		}
	}
}

// A plain CONNECT whose stream stays open is answered at once: what follows its head is no body to wait for.
func TestConnectHasNoBody(t *testing.T) {
	f := newFront(t, &app{serve: func(_ context.Context, x *exchange.Exchange) {
		x.Res.Status, x.Res.Local = 405, true
		x.Block()
		b, err := io.ReadAll(readAll{x.Req.Body})
		x.Res.Text(fmt.Sprint(x.Req.Length, len(b), err))
	}})
	for _, ends := range []bool{true, false} {
		for _, length := range []string{"", "0", "3"} {
			c := f.dial(t)
			fields := []string{":method", "CONNECT", ":authority", "h:443"}
			if length != "" {
				fields = append(fields, "content-length", length)
			}
			c.ask(1, ends, fields...)
			if what, data := c.outcome(1); what != "405" || data != "0 0 <nil>" {
				t.Errorf("%v %s: %q %q", ends, length, what, data)
			}
		}
	}
}
