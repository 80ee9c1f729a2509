package http2

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"balancerd/proxy/exchange"
	"balancerd/proxy/recovery"
)

// bomb is a body, and what is told of the end, that panics where it is meant to.
type bomb struct {
	exchange.Body
	read, closes, finish, abort bool
}

func blow(now bool) {
	if now {
		panic("on purpose")
	}
}

func (b *bomb) Read([]byte) (int, error)  { blow(b.read); return 0, io.EOF }
func (b *bomb) Buffered() []byte          { return nil }
func (b *bomb) Discard(int)               {}
func (b *bomb) Close() error              { blow(b.closes); return nil }
func (b *bomb) Abort()                    { blow(b.abort) }
func (b *bomb) Finish(*exchange.Exchange) { blow(b.finish) }
func (b *bomb) source(x *exchange.Exchange) {
	x.Res.Status, x.Res.Local, x.Res.Length, x.Res.Body = 200, true, 10, b
}

// told counts what it is told.
type told struct{ n *atomic.Int64 }

func (o told) Finish(*exchange.Exchange) { o.n.Add(1) }

// A panic ends its stream, with its stack in the log; the connection and its other streams go on, and who
// waits for the end of an exchange is told.
func TestPanicEndsOneStream(t *testing.T) {
	worker := newMember(t, reflect)
	for _, c := range []struct {
		name, what string
		serve      func(a *app, ctx context.Context, x *exchange.Exchange)
	}{
		{"while serving", "500", func(*app, context.Context, *exchange.Exchange) { panic("on purpose") }},
		{"with an error", "500", func(*app, context.Context, *exchange.Exchange) { panic(errors.New("on purpose")) }},
		{"a body that is read", "200 RST INTERNAL_ERROR", func(_ *app, _ context.Context, x *exchange.Exchange) { (&bomb{read: true}).source(x) }},
		{"a body that is closed", "200 RST INTERNAL_ERROR", func(_ *app, _ context.Context, x *exchange.Exchange) { (&bomb{closes: true}).source(x) }},
		{"a body that is closed after a panic", "500", func(_ *app, _ context.Context, x *exchange.Exchange) {
			(&bomb{closes: true}).source(x)
			panic("on purpose")
		}},
		{"at the end", "200", func(_ *app, ctx context.Context, x *exchange.Exchange) { x.OnFinish(&bomb{finish: true}); echo(ctx, x) }},
		{"the client's body, on its way to a member", "500", func(a *app, ctx context.Context, x *exchange.Exchange) {
			x.Req.Body = &bomb{Body: x.Req.Body, read: true}
			a.forward(ctx, x, worker)
		}},
		{"the same, read by the exchange's goroutine", "500", func(a *app, ctx context.Context, x *exchange.Exchange) {
			x.Req.Body = plain{&bomb{Body: x.Req.Body, read: true}}
			a.forward(ctx, x, worker)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var ended atomic.Int64
			a := &app{}
			a.serve = func(ctx context.Context, x *exchange.Exchange) {
				x.OnFinish(told{&ended})
				if x.Req.RawPath == "/panic" {
					c.serve(a, ctx, x)
					return
				}
				echo(ctx, x)
			}
			f := newFront(t, a)
			before := recovery.Panics()
			k := f.dial(t)
			k.ask(1, false, ":method", "POST", ":scheme", "http", ":authority", "h", ":path", "/panic", "content-length", "3")
			k.fr.WriteData(1, true, []byte("abc"))
			if what, _ := k.outcome(1); !strings.HasPrefix(what, c.what) {
				t.Errorf("%q, want %q", what, c.what)
			}
			k.get(3, "/")
			if what, _ := k.outcome(3); what != "200" {
				t.Error(what)
			}
			for end := time.Now().Add(10 * time.Second); ended.Load() < 2 && time.Now().Before(end); time.Sleep(time.Millisecond) {
			}
			if n := ended.Load(); n != 2 {
				t.Error(n, "exchanges were finished")
			}
			if n := recovery.Panics() - before; n < 1 || n > 2 {
				t.Error(n, "panics were counted")
			}
			if log := f.logged(); !strings.Contains(log, "AH00052: panic: ") || !strings.Contains(log, "on purpose") || !strings.Contains(log, "panic_test.go") {
				t.Errorf("log: %.300s", log)
			}
		})
	}
}

// Timers of reads and writes that run out when their stream is over find nobody. What fails is the process.
func TestLateTimers(t *testing.T) {
	const limit = 2 * time.Millisecond
	srv := &exchange.Server{HTTP2: exchange.HTTP2{Timeout: limit}}
	f := newFront(t, &app{srv: srv, serve: func(_ context.Context, x *exchange.Exchange) {
		x.Server = srv
		io.Copy(io.Discard, x.Req.Body)
		x.Res.Status, x.Res.Local = 200, true
	}})
	for round := range 40 {
		c := f.dial(t)
		var ends bytes.Buffer
		to := http2.NewFramer(&ends, nil)
		const streams = 50
		for i := range streams {
			id := uint32(2*i + 1)
			c.ask(id, false, ":method", "POST", ":scheme", "http", ":authority", "h", ":path", "/")
			to.WriteData(id, true, []byte("b"))
		}
		time.Sleep(limit * time.Duration(round%10) / 10)
		c.nc.Write(ends.Bytes()) // each just about when its read's time is over
		c.fr.WritePing(false, [8]byte{1})
		for {
			fr, err := c.fr.ReadFrame()
			if err != nil {
				break
			}
			if p, ok := fr.(*http2.PingFrame); ok && p.IsAck() {
				break
			}
		}
		c.nc.Close()
	}
	c := f.dial(t)
	c.get(1, "/")
	if what, _ := c.outcome(1); what != "200" {
		t.Error(what)
	}
}
