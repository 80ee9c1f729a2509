package exchange

import (
	"io"
	"time"

	"balancerd/proxy/internal/wire"
)

// Response is the answer under way. A handler or a backend fills it; Reply steps edit it; the
// client's protocol (http1/server, http2/server) sends it.
type Response struct {
	Status    int
	Reason    string // "" for the standard words
	Header    Header // httpd's headers_out: sent unless an error page replaces them
	Always    Header // httpd's err_headers_out: sent whatever happens
	Trailer   Header
	Length    int64   // body bytes; -1 unknown
	Body      Source  // nil: no body
	Tunnel    Tunnel  // set with Status 101: the client's protocol hands the connection over after the head
	Headless  bool    // of a Tunnel: its other side answers in our place
	Switch    any     // in place of Tunnel: the connection goes on in another protocol of ours, which knows what this is
	Close     bool    // the client's connection must end after this answer
	Ranges    *Ranges // ranges are cut of it by these rules; nil: one range of a member's response, none of others
	Streamed  *bool   // true: a filter gives it on piece by piece, so that its length is not told, nor a range cut of it, even if all is at hand
	Drop      bool    // nothing is sent at all: the client's protocol ends the connection (httpd: AP_BUCKET_IS_EOC before a head); Status is for the log
	Local     bool    // made here (page, file, manager), not by a member
	Proxied   bool    // came from a member
	Wordless  bool    // the member's status came without a reason
	Final     bool    // stands for a member's that is none: ProxyErrorOverride puts no page in its place
	Type      string  // media type of an answer that names none (httpd: r->content_type)
	Typed     bool    // Header edited the media type: none is made of the file's name any more
	Cached    bool    // a kept copy of an answer that was edited and filtered up to Protocol: neither is done again
	ErrorPage bool    // made here in place of an error or redirect: only Header always applies (httpd: ap_send_error_response)

	// What happened on the wire, filled by the client's protocol while it sends.
	Sent      int64     // body bytes
	Wrote     int64     // all bytes with head and framing (%O)
	Read      int64     // all bytes of the request with its head (%I)
	FirstByte time.Time // when the head was written (%^FB)
	Aborted   bool      // the client went away before the end
	Chunked   bool      // HTTP/1: Transfer-Encoding: chunked was told
	Persists  string    // HTTP/1: what Connection said of itself, "close" or "Keep-Alive"; "" for nothing
	Kept      bool      // the connection lives on
}

// TrustLength is the variable that has the Content-Length of a member's answer believed, in protocols that tell where
// its body ends themselves (httpd: AP_TRUST_CGILIKE_CL_ENVVAR).
const TrustLength = "ap_trust_cgilike_cl"

// Varies is names with those that all Vary fields name, each once: what is sent is one field (httpd: http_filters.c
// fixup_vary).
func (r *Response) Varies(names wire.NameSet) wire.NameSet {
	for _, list := range [...]*Header{&r.Always, &r.Header} {
		for i := range list.F {
			if list.F[i].ID == wire.Vary {
				names = names.WithList(list.F[i].Value)
			}
		}
	}
	return names
}

// Source is the body of an answer, read by the client's protocol.
type Source interface {
	io.Reader
	// Buffered is what can be had without waiting; Discard takes n of it as read.
	Buffered() []byte
	Discard(n int)
	// Close ends it, whole (io.EOF was seen) or not; a member's connection goes back to its pool or dies.
	Close() error
}

// Sections is a Source any parts of which can be sent, in any order: a file.
type Sections interface {
	Source
	// SendParts has these parts sent in the place of the whole. Nothing of it was read yet.
	SendParts([]Part)
}

// Part is a text, or Length bytes of a body from First.
type Part struct {
	Text          string
	First, Length int64
}

// Left is how many bytes of it are to be sent.
func (p *Part) Left() int64 { return int64(len(p.Text)) + p.Length }

// Ranges says how a Range field is heeded. Immutable.
type Ranges struct {
	Most, Overlaps, Reversals int    // MaxRanges (0: none is cut), MaxRangeOverlaps, MaxRangeReversals; a negative one is unlimited
	Boundary                  string // between several parts
}

// NoRanges are the rules by which no range is cut.
var NoRanges = &Ranges{}

// Tunnel joins the client's stream with the member's until both ends are done (Upgrade, CONNECT).
type Tunnel interface {
	// Join copies both ways and returns when the tunnel is over. Bytes that were already read
	// from the client come first out of client.Read.
	Join(client Stream)
	// Close gives the member's side up when Join was never called.
	Close() error
}

// Stream is one side of a tunnel.
type Stream interface {
	io.ReadWriteCloser
	CloseWrite() error
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

// ByPieces reports whether a filter has given the body on piece by piece so far, behind which none has put it together.
func (r *Response) ByPieces() bool { return r.Streamed != nil && *r.Streamed }

func (r *Response) reset() {
	h, a, t := r.Header, r.Always, r.Trailer
	h.Reset()
	a.Reset()
	t.Reset()
	*r = Response{Header: h, Always: a, Trailer: t}
}

// Clear takes back everything that was said so far but Always, so that another answer can be made.
// The body, when there is one, is closed.
func (r *Response) Clear() {
	h, a, t, body, tunnel := r.Header, r.Always, r.Trailer, r.Body, r.Tunnel
	h.Reset()
	t.Reset()
	*r = Response{Header: h, Always: a, Trailer: t, Close: r.Close, Read: r.Read, Wrote: r.Wrote}
	if body != nil {
		body.Close()
	}
	if tunnel != nil {
		tunnel.Close()
	}
}

// HasDocument reports whether the response describes a document, whose type, language and charset are told: not an
// error page of ours, and not an interim response, 204 or 304, which have no body.
func (r *Response) HasDocument() bool {
	return !r.ErrorPage && !Bodiless(r.Status)
}

// IsSwitch reports whether the client's connection carries something else behind the answer's head.
func (r *Response) IsSwitch() bool { return r.Tunnel != nil || r.Switch != nil }

// InvalidField is what the log says of the first field that no head may hold; "" if there is none (httpd:
// http_filters.c check_headers).
func (r *Response) InvalidField() (line string) {
	for _, h := range [...]*Header{&r.Always, &r.Header} {
		for i := range h.F {
			switch f := &h.F[i]; {
			case f.Valid():
			case f.Name == "":
				return "AH02428: Empty response header name, aborting request"
			case !wire.IsToken(f.Name):
				return "AH02429: Response header name '" + f.Name + "' contains invalid characters, aborting request"
			default:
				return "AH02430: Response header '" + f.Name + "' value of '" + f.Value + "' contains invalid characters, aborting request"
			}
		}
	}
	return ""
}

// Bytes makes b the body.
func (r *Response) Bytes(b []byte) {
	r.Length = int64(len(b))
	r.Body = NewBytes(b)
}

// NewBytes is b as a body. It is not copied.
func NewBytes(b []byte) Source { return &bytesSource{b: b} }

// Text makes s the body.
func (r *Response) Text(s string) { r.Bytes([]byte(s)) }

type bytesSource struct{ b []byte }

func (s *bytesSource) Read(p []byte) (int, error) {
	if len(s.b) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.b)
	s.b = s.b[n:]
	return n, nil
}

// Gather tells the end at once: all of it is Buffered.
func (s *bytesSource) Gather() error {
	if len(s.b) == 0 {
		return io.EOF
	}
	return nil
}
func (s *bytesSource) Buffered() []byte { return s.b }
func (s *bytesSource) Discard(n int)    { s.b = s.b[n:] }
func (s *bytesSource) Close() error     { return nil }
