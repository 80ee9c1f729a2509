package exchange

import (
	"io"
	"net"
	"net/netip"
	"sync/atomic"
)

// Conn is one client connection: httpd's conn_rec.
type Conn struct {
	ID         uint64
	Remote     netip.AddrPort // the TCP peer
	Local      netip.AddrPort // our end
	RemoteIP   string         // Remote's address as text
	RemoteText string         // "ip:port" as the error log prints it
	TLS        *TLS           // nil for plain ones
	Secure     bool           // TLS is on
	Outgoing   bool           // it is ours to a member (httpd: conn_rec.outgoing)
	Kept       int            // how many requests came before this one on the connection (%k)
	Logged     uint32         // atomic: the error log has named this connection (%{c}L); its own mark

	Announced *Announced // by the PROXY protocol's header; nil: there was none

	last lastClient
	host atomic.Pointer[string] // see SetClientHost
}

// Request is the client's request as the modules see and edit it: httpd's headers_in side of
// request_rec. Fields of the same name are merged by ", " at the first one's place (httpd:
// protocol.c ap_get_mime_headers_core), cookies by "; ".
type Request struct {
	Line      string // the request line as received, without its end
	Method    string
	Target    string // the request-target as received
	Major     int
	Minor     int    // 9 with Major 0 is HTTP/0.9
	Stream    int    // HTTP/2's number of the stream; 0 with HTTP/1
	Scheme    string // "http" or "https", of the connection
	Authority string // the Host field's text, or the authority of an absolute-form target
	Host      string // Authority's name, lower case, without port and final dot; "" when there was none
	Port      int    // Authority's port; 0 when it names none
	Path      string // decoded and normalised (RFC 3986 section 6.2.2); httpd's r->uri
	RawPath   string // the target's path as received: before decoding, without the query
	Query     string // without "?"
	HasQuery  bool   // a "?" was there

	Header  Header
	Trailer Header

	Length     int64 // body bytes by Content-Length; 0 for no body, -1 for chunked
	Body       Body  // never nil once the client's protocol has read the head; empty when there is no body
	Expect100  bool  // the client waits for 100 Continue
	Rejoined   bool  // RequestHeader edited Connection: what it says of keeping the connection counts anew
	Spent      bool  // there was a body, and it is over: see SpendBody
	Broken     bool  // the head was not read to its end, nor what follows: no member is asked, not even for an ErrorDocument
	TellLength bool  // a filter changed how long the body is, and the client had told it: see ChangesLength
	Filtered   bool  // the input filters were put in its way
	Upgrade    bool  // Connection names Upgrade and the field is there
	Proxy      bool  // a forward proxy is asked: Target is a foreign URL, or CONNECT's host:port; Path is the same (httpd: r->proxyreq)
}

// Body is the decoded bytes of a request's body (RFC 9112 section 6, 7). Read returns io.EOF at
// the end; a *BodyError says what the client did wrong. It may block up to the read timeout.
type Body interface {
	io.Reader
	// Buffered is what can be had without waiting; Discard takes n of it as read.
	Buffered() []byte
	Discard(n int)
	// Taken is how many decoded bytes have been read so far.
	Taken() int64
}

// SpendBody takes the request's body as read: who serves an ErrorDocument in its place gets none of it.
func (x *Exchange) SpendBody() {
	if x.Req.Length != 0 {
		x.Req.Length, x.Req.Body, x.Req.Spent = 0, NoBody{}, true
	}
}

// NoBody is a body that is over.
type NoBody struct{}

// Read is at the end.
func (NoBody) Read([]byte) (int, error) { return 0, io.EOF }

// Buffered is empty.
func (NoBody) Buffered() []byte { return nil }

// Discard has nothing to discard.
func (NoBody) Discard(int) {}

// Taken is 0.
func (NoBody) Taken() int64 { return 0 }

// BodyError is a request body that could not be read: Status is what the client gets.
type BodyError struct {
	Status Status // 400, 408 or 413
	Err    error
}

func (e *BodyError) Error() string { return "request body: " + e.Err.Error() }

// Unwrap is the cause.
func (e *BodyError) Unwrap() error { return e.Err }

func (r *Request) reset() {
	h, t := r.Header, r.Trailer
	h.Reset()
	t.Reset()
	*r = Request{Header: h, Trailer: t}
}

// ProtoText is the protocol as logs and variables name it, e.g. "HTTP/1.1".
func (r *Request) ProtoText() string {
	switch {
	case r.Major == 1 && r.Minor == 1:
		return "HTTP/1.1"
	case r.Major == 1 && r.Minor == 0:
		return "HTTP/1.0"
	case r.Major == 2:
		return "HTTP/2.0"
	case r.Major == 0:
		return "HTTP/0.9"
	}
	return "HTTP/" + string(rune('0'+r.Major)) + "." + string(rune('0'+r.Minor))
}

// IsGet reports whether the method is GET or HEAD, which httpd takes for one (M_GET).
func (r *Request) IsGet() bool { return r.Method == "GET" || r.Method == "HEAD" }

// AtLeast11 reports whether the client understands HTTP/1.1.
func (r *Request) AtLeast11() bool { return r.Major > 1 || r.Major == 1 && r.Minor >= 1 }

// Outgoing is the request as a member gets it, made anew from Request for each attempt so that a
// second one starts clean.
type Outgoing struct {
	Method   string
	Target   string // origin-form, encoded; of other members than HTTP's the path alone
	URL      string // of other members than HTTP's: scheme, host and Target
	Balanced bool   // a balancer chose the member
	Minor    int    // 1, or 0 with force-proxy-request-1.0
	Host     string
	Header   Header // without Host, framing and connection fields
	Upgrade  string // the token to ask for with Connection: Upgrade; "" for none
	Close    bool   // ask for Connection: close, and do not keep the connection
	Bare     bool   // send no Connection field at all (force-proxy-request-1.0)
	Length   int64  // body bytes to announce; 0 with HasBody false is no body; -1 chunked
	HasBody  bool   // announce a body, even an empty one
	Spool    bool   // learn the length first (proxy-sendcl, 1.0): buffer the whole body
	Ping     bool   // Expect: 100-continue is ours (ping=)
	Expect   bool   // Expect: 100-continue is the client's, passed on
	NoPool   bool   // use a new connection (proxy-initial-not-pooled)
	Alone    bool   // use a new connection, which ends with the response: a probe
}

func (o *Outgoing) reset() {
	h := o.Header
	h.Reset()
	*o = Outgoing{Header: h}
}

// AddrPort is the address and port of an end of a TCP connection, an IPv4 address as such; invalid for any other end.
func AddrPort(a net.Addr) netip.AddrPort {
	t, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	p := t.AddrPort()
	return netip.AddrPortFrom(p.Addr().Unmap(), p.Port())
}
