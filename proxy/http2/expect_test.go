package http2

import (
	"context"
	"testing"

	"balancerd/proxy/exchange"
)

// An Expect that a client sends is a field of its request here, and only then.
func TestExpect(t *testing.T) {
	a := &app{}
	a.serve = func(_ context.Context, x *exchange.Exchange) {
		x.Res.Status, x.Res.Local = 200, true
		x.Res.Bytes([]byte("Expect: " + x.Req.Header.Get("Expect")))
	}
	f := newFront(t, a)
	c := f.dial(t)
	for i, expect := range []string{"100-continue", ""} {
		fields := []string{":method", "POST", ":scheme", "http", ":authority", "h", ":path", "/", "content-length", "3"}
		if expect != "" {
			fields = append(fields, "expect", expect)
		}
		id := uint32(2*i + 1)
		c.ask(id, false, fields...)
		c.fr.WriteData(id, true, []byte("abc"))
		if what, data := c.outcome(id); data != "Expect: "+expect {
			t.Errorf("with %q: %s %q", expect, what, data)
		}
	}
}
