package ajp

import (
	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
)

// NewBackend speaks AJP to members.
func NewBackend() *backend.Serial {
	return backend.NewSerial(func() backend.Codec { return new(codec) }, false)
}

const module = "proxy_ajp"

// codec is AJP for one attempt after the other.
type codec struct {
	s    *backend.SerialStream
	x    *exchange.Exchange
	size int // of a packet, with its lead

	pinging bool  // CPING is out, and CPONG is waited for
	headers bool  // SEND HEADERS was here
	length  int64 // Content-Length that is believed; -1 for none
	futile  int   // packets in a row that brought nothing of the answer

	part  [partSize]byte // of a packet in the body: its beginning
	have  int            // of it
	data  int            // bytes of a chunk still to come
	tail  bool           // and the byte behind them
	ended bool           // END RESPONSE was here
	keeps bool           // and said that the connection may be kept
	body  int64          // bytes of it so far
}

var (
	_ backend.Codec    = (*codec)(nil)
	_ backend.Pinger   = (*codec)(nil)
	_ backend.Listener = (*codec)(nil)
)

// Begin is Codec's.
func (c *codec) Begin(s *backend.SerialStream) {
	*c = codec{s: s, x: s.X, size: packetSize(s.Worker.Settings().IOBufferSize.V), length: -1}
}

// End is Codec's.
func (c *codec) End() { c.s, c.x = nil, nil }

// Begun is Codec's: the head was here, and nothing behind it.
func (c *codec) Begun([]byte) bool { return c.headers }

// Interim is Codec's: there are none.
func (c *codec) Interim() backend.InterimHead { return backend.InterimHead{} }

// fail is what a packet that is none means: whether the head was here decides it.
func (c *codec) fail(err error) error {
	if c.headers {
		return c.s.Fail(backend.BadHead, err)
	}
	return c.s.Fail(backend.BadFraming, err)
}

func (c *codec) log(parts ...string) {
	c.x.Log(module, exchange.Error, nil, c.x.Arena.Join(parts...))
}

// logServer is log of what httpd tells without a client.
func (c *codec) logServer(parts ...string) {
	c.x.LogServer(module, exchange.Error, nil, c.x.Arena.Join(parts...))
}

func (c *codec) int(n int) string { return c.x.Arena.Int(int64(n)) }

// place is "address (host:port)" of the member.
func (c *codec) place() string {
	a := c.s.Worker.Address()
	host := c.x.Arena.Join(a.Host, ":", c.int(int(a.Port)))
	return c.x.Arena.Join(host, " (", host, ")")
}

// Reuse is Codec's.
func (c *codec) Reuse() backend.Reason {
	switch {
	case !c.ended:
		return backend.BodyBroken
	case !c.keeps:
		return backend.MemberCloses
	}
	return backend.Reusable
}

// Counted is Codec's: bodies alone (httpd: mod_proxy_ajp.c ap_proxy_ajp_request).
func (c *codec) Counted(t backend.Traffic) (sent, read int64) { return t.SentBody, t.ReceivedBody }
