package server

import (
	"time"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/wire"
)

// tunnel sends the head of a 101, unless the member does, and joins the client with the member.
func (c *conn) tunnel(x *exchange.Exchange) {
	res, k := &x.Res, c.k
	if !res.Headless {
		c.appendSwitch(x)
	}
	if !c.staysFor(res.Tunnel) {
		c.leave()
	}
	if c.push(x, nil) != nil {
		res.Tunnel.Close()
		return
	}
	c.setState(Tunneling)
	early := append([]byte(nil), k.have()...)
	k.r = k.w
	x.BecomeTunnel()
	res.Tunnel.Join(&end{c: c, early: early})
	res.Tunnel = nil
}

// appendSwitch appends the head behind which the connection carries something else: no request follows.
func (c *conn) appendSwitch(x *exchange.Exchange) {
	version := "HTTP/1.1 "
	if x.Req.Method == "CONNECT" { // as httpd has it (mod_proxy_connect.c)
		version = "HTTP/1.0 "
	}
	b := append(c.k.out, version...)
	b = appendStatus(b, &x.Res)
	for i := range x.Res.Header.F {
		b = wire.AppendField(b, x.Res.Header.F[i].Name, x.Res.Header.F[i].Value)
	}
	c.k.out = append(b, "\r\n"...)
	c.over = true
}

// end is the client's end of a tunnel.
type end struct {
	c     *conn
	early []byte // read already
}

var _ interface {
	exchange.Stream
	exchange.Preread
	exchange.Cuttable
} = (*end)(nil)

// TakePreread is exchange.Preread's.
func (e *end) TakePreread() []byte {
	early := e.early
	e.early = nil
	return early
}

// Read gives what was read before first.
func (e *end) Read(p []byte) (int, error) {
	if len(e.early) > 0 {
		n := copy(p, e.early)
		e.early = e.early[n:]
		return n, nil
	}
	return e.c.joined().Read(p)
}

func (e *end) Write(p []byte) (int, error)        { return e.c.joined().Write(p) }
func (e *end) CloseWrite() error                  { return e.c.closeWrite() }
func (e *end) Close() error                       { e.c.cut(); return nil }
func (e *end) SetReadDeadline(t time.Time) error  { return e.c.joined().SetReadDeadline(t) }
func (e *end) SetWriteDeadline(t time.Time) error { return e.c.joined().SetWriteDeadline(t) }

// WhenCut is exchange.Cuttable's.
func (e *end) WhenCut(f func()) {
	if f == nil {
		e.c.setInterrupt(e.c.interrupter())
		return
	}
	e.c.setInterrupt(cutBoth{e.c.interrupter(), f})
	if e.c.s.closed.Load() { // meanwhile
		f()
	}
}

// cutBoth cuts a tunnel off with its client's connection.
type cutBoth struct {
	interrupter
	tunnel func()
}

func (b cutBoth) cut() {
	b.interrupter.cut()
	b.tunnel()
}
