package http1

import (
	"io"
	"time"

	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/wire"
	"balancerd/proxy/tunnel"
)

// upgrade makes a tunnel of a 101, if it switches to what was asked for (RFC 9110 section 7.8;
// httpd: mod_proxy_http.c ap_proxy_http_process_response).
func (a *answer) upgrade() error {
	x := a.x
	h := &x.Res.Header
	token := h.GetID(wire.Upgrade)
	if token == "" || x.Out.Upgrade == "" || !wire.EqualFold(token, x.Out.Upgrade) {
		f := a.fail(backend.WrongUpgrade, nil)
		f.Detail = printable(orNone(token)) + " (expecting " + printable(orNone(x.Out.Upgrade)) + ")"
		return f
	}
	if !fit(h) {
		return a.fail(backend.BadHead, nil)
	}
	a.framing = wire.Framing{Body: wire.UntilClose, Length: -1}
	a.clean(h)
	h.F = append(h.F, exchange.Field{Name: "Connection", Value: "Upgrade", ID: wire.Connection},
		exchange.Field{Name: "Upgrade", Value: token, ID: wire.Upgrade})
	x.Res.Status, x.Res.Reason, x.Res.Proxied = 101, a.res.Reason, true
	x.Res.Length, x.Res.Body, x.Res.Tunnel = -1, nil, (*joint)(a)
	return nil
}

func orNone(s string) string {
	if s == "" {
		return "n/a"
	}
	return s
}

// joint is an answer as the member's side of a tunnel.
type joint answer

// Join copies both ways until the tunnel is over. What the member sent behind its head comes first.
func (j *joint) Join(client exchange.Stream) {
	a := (*answer)(j)
	a.conn.Worker().AddTraffic(a.conn.Sent(), a.read)
	o := tunnel.Options{Idle: a.call.Idle, Whole: !a.call.HalfClose, FromMember: a.buf[a.r:a.w]}
	if e, ok := client.(*end); ok {
		o.FromClient, e.early = e.early, nil
	}
	tunnel.Join(client, a.conn.Stream(), o)
	a.conn.Release(false)
	a.conn = nil
}

// Close gives the member's side up.
func (j *joint) Close() error { return (*answer)(j).Close() }

var _ exchange.Tunnel = (*joint)(nil)

// tunnel sends the head of a 101 and joins the client with the member.
func (c *conn) tunnel(x *exchange.Exchange) {
	res, k := &x.Res, c.k
	b := append(k.out, "HTTP/1.1 "...)
	b = appendStatus(b, res)
	for i := range res.Header.F {
		b = wire.AppendField(b, res.Header.F[i].Name, res.Header.F[i].Value)
	}
	k.out = append(b, "\r\n"...)
	c.over = true
	c.leave()
	if c.push(x, nil) != nil {
		res.Tunnel.Close()
		return
	}
	c.setState(Tunneling)
	early := append([]byte(nil), k.have()...)
	k.r = k.w
	res.Tunnel.Join(&end{c: c, early: early})
	res.Tunnel = nil
}

// end is the client's end of a tunnel.
type end struct {
	c     *conn
	early []byte // read already
}

var _ exchange.Stream = (*end)(nil)

// Read gives what was read before first.
func (e *end) Read(p []byte) (int, error) {
	if len(e.early) > 0 {
		n := copy(p, e.early)
		e.early = e.early[n:]
		return n, nil
	}
	return e.stream().Read(p)
}

// stream is what does the I/O.
func (e *end) stream() interface {
	io.ReadWriter
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
} {
	if e.c.raw {
		return e.c.file
	}
	return e.c.nc
}

func (e *end) Write(p []byte) (int, error)        { return e.stream().Write(p) }
func (e *end) CloseWrite() error                  { return e.c.closeWrite() }
func (e *end) Close() error                       { e.c.cut(); return nil }
func (e *end) SetReadDeadline(t time.Time) error  { return e.stream().SetReadDeadline(t) }
func (e *end) SetWriteDeadline(t time.Time) error { return e.stream().SetWriteDeadline(t) }
