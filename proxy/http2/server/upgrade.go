package server

import (
	"encoding/base64"
	"encoding/binary"
	"net"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/loop"
	"balancerd/proxy/internal/wire"
)

// upgraded is the request that asked for HTTP/2 by Upgrade: h2c, and the settings that it bore
// (RFC 7540 section 3.2.1). Its texts are its own.
type upgraded struct {
	method, target, authority string
	fields                    []hpack.HeaderField
	settings                  []byte
}

// Upgrade makes HTTP/2 of the connection of a request without a body: a tunnel whose first stream is
// answered as that request. nil: its HTTP2-Settings are none.
func (s *Server) Upgrade(x *exchange.Exchange) exchange.Tunnel {
	settings, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(x.Req.Header.Get("HTTP2-Settings"), "="))
	if err != nil || len(settings)%settingSize != 0 {
		return nil
	}
	first := &upgraded{method: strings.Clone(x.Req.Method), target: strings.Clone(x.Req.Target), authority: strings.Clone(x.Req.Authority), settings: settings}
	for i := range x.Req.Header.F {
		f := &x.Req.Header.F[i]
		if wire.ConnectionField[f.ID] || f.ID == wire.Host || wire.EqualFold(f.Name, "HTTP2-Settings") {
			continue
		}
		first.fields = append(first.fields, hpack.HeaderField{Name: strings.ToLower(strings.Clone(f.Name)), Value: strings.Clone(f.Value)})
	}
	return &switched{s: s, info: x.Conn.Secured(x.Conn.TLS), first: first}
}

const settingSize = 6

// upgrade takes a request that came by HTTP/1 as the first stream. false: its settings are wrong.
func (c *conn) upgrade(by *loop.Task, first *upgraded) bool {
	c.by = by
	defer func() { c.by = nil }()
	c.mu.Lock()
	for p := first.settings; len(p) > 0; p = p[settingSize:] {
		id, value := http2.SettingID(binary.BigEndian.Uint16(p)), binary.BigEndian.Uint32(p[2:])
		if c.setting(http2.Setting{ID: id, Val: value}) != nil {
			c.mu.Unlock()
			return false
		}
	}
	c.newest, c.served = 1, 1
	c.past.add(1)
	c.mu.Unlock()
	scheme := "http"
	if c.info.Secure {
		scheme = "https"
	}
	st := c.s.stream(c, 1)
	pseudo := [...]hpack.HeaderField{{Name: ":method", Value: first.method}, {Name: ":scheme", Value: scheme}, {Name: ":path", Value: first.target}, {Name: ":authority", Value: first.authority}}
	for _, f := range pseudo {
		st.field(f)
	}
	for _, f := range first.fields {
		st.field(f)
	}
	return c.request(&block{kind: requestBlock, id: 1, st: st, end: true}) == nil
}

// switched is a connection that goes on in HTTP/2.
type switched struct {
	s     *Server
	info  *exchange.Conn
	first *upgraded
}

// Join serves the client until the connection ends.
func (t *switched) Join(client exchange.Stream) {
	c := &streamConn{stream: client, info: t.info}
	t.s.serve(c, t.info, nobody{}, t.first)
	c.shut()
}

// Close has nothing to give up.
func (t *switched) Close() error { return nil }

// nobody is the reporter of a connection whose exchanges the status page does not show one by one.
type nobody struct{}

func (nobody) Begin(*exchange.Exchange)                    {}
func (nobody) End(*exchange.Exchange, time.Duration, bool) {}

// streamConn is a tunnel's client as a net.Conn.
type streamConn struct {
	stream exchange.Stream
	info   *exchange.Conn

	mu   sync.RWMutex // held for reading by who uses the stream
	over bool         // under mu
}

// use runs f while the stream is there.
func (c *streamConn) use(f func() error) error {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.over {
		return net.ErrClosed
	}
	return f()
}

// shut waits until nobody uses the stream any more.
func (c *streamConn) shut() {
	c.mu.Lock()
	c.over = true
	c.mu.Unlock()
}

// Read reads from the client.
func (c *streamConn) Read(p []byte) (n int, err error) {
	err = c.use(func() error { n, err = c.stream.Read(p); return err })
	return n, err
}

// Write writes to it.
func (c *streamConn) Write(p []byte) (n int, err error) {
	err = c.use(func() error { n, err = c.stream.Write(p); return err })
	return n, err
}

// Close ends it.
func (c *streamConn) Close() error { return c.use(c.stream.Close) }

// LocalAddr is our end.
func (c *streamConn) LocalAddr() net.Addr { return net.TCPAddrFromAddrPort(c.info.Local) }

// RemoteAddr is the client's.
func (c *streamConn) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(c.info.Remote) }

// SetReadDeadline bounds reads.
func (c *streamConn) SetReadDeadline(t time.Time) error {
	return c.use(func() error { return c.stream.SetReadDeadline(t) })
}

// SetWriteDeadline bounds writes.
func (c *streamConn) SetWriteDeadline(t time.Time) error {
	return c.use(func() error { return c.stream.SetWriteDeadline(t) })
}

// SetDeadline sets both deadlines.
func (c *streamConn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}
