package exchange

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"sort"
	"strconv"
	"strings"
)

// StdBody is how many bytes of a request's body a handler behind FromHTTP may read; more is an
// *http.MaxBytesError.
const StdBody = 1 << 20

// FromHTTP is an ordinary net/http handler as a Handler: the manager, the status page. The handler
// sees copies, so it may keep what it likes. Its answer is collected whole, unless it gives a reader for the body by
// SetBody(io.Reader), which its ResponseWriter has besides: that is read while the answer is sent, after the
// handler has returned, and must not block; of more than 8,000 bytes the length is not told then. An answer of 400 and
// above without a body is returned as a Status, for the site to put its page there; the answer's
// fields then are in Always. When the client was at fault in the body (BodyError), that status wins.
func FromHTTP(h http.Handler) Handler {
	return HandlerFunc(func(ctx context.Context, x *Exchange) error {
		w := &stdWriter{x: x, header: http.Header{}}
		body := &stdBody{b: x.Req.Body}
		r := stdRequest(ctx, x)
		r.Body = http.MaxBytesReader(w, body, StdBody)
		h.ServeHTTP(w, r)
		return w.finish(body.fault)
	})
}

// stdRequest is x's request for a net/http handler, all texts copied.
func stdRequest(ctx context.Context, x *Exchange) *http.Request {
	q := &x.Req
	r := &http.Request{
		Method: strings.Clone(q.Method), Proto: q.ProtoText(), ProtoMajor: q.Major, ProtoMinor: q.Minor,
		URL:    &url.URL{Path: strings.Clone(q.Path), RawQuery: strings.Clone(q.Query), ForceQuery: q.HasQuery && q.Query == ""},
		Header: stdHeader(&q.Header), Host: strings.Clone(q.Authority), RequestURI: strings.Clone(q.Target),
		ContentLength: q.Length, RemoteAddr: stdRemote(x),
	}
	if q.Length < 0 {
		r.TransferEncoding = []string{"chunked"}
	}
	if x.Conn != nil && x.Conn.TLS != nil {
		r.TLS = &x.Conn.TLS.ConnectionState
	}
	return r.WithContext(ctx)
}

func stdHeader(h *Header) http.Header {
	out := make(http.Header, h.Len())
	for i := range h.F {
		if f := &h.F[i]; !f.Is("Host") { // net/http has it in Request.Host alone
			out.Add(strings.Clone(f.Name), strings.Clone(f.Value))
		}
	}
	return out
}

// stdRemote is "ip:port" of the client: as remoteip sees it.
func stdRemote(x *Exchange) string {
	if x.Conn == nil {
		return strings.Clone(x.ClientIP)
	}
	ip := x.ClientIP
	if ip == "" {
		ip = x.Conn.RemoteIP
	}
	return net.JoinHostPort(ip, strconv.Itoa(int(x.ClientPort())))
}

// stdBody is the request's body for net/http; it remembers what the client did wrong.
type stdBody struct {
	b     Body
	fault *BodyError
}

func (s *stdBody) Read(p []byte) (int, error) {
	if s.b == nil {
		return 0, io.EOF
	}
	n, err := s.b.Read(p)
	if err != nil && err != io.EOF {
		errors.As(err, &s.fault)
	}
	return n, err
}

func (s *stdBody) Close() error { return nil }

// stdWriter collects a net/http handler's answer.
type stdWriter struct {
	x      *Exchange
	header http.Header
	sent   http.Header // header as it was at WriteHeader; nil before
	status int
	body   bytes.Buffer
	reader io.Reader // behind body; nil for nothing
}

// Header is the answer's header until WriteHeader.
func (w *stdWriter) Header() http.Header { return w.header }

// WriteHeader sets the status; 1xx go out at once through Exchange.Front.
func (w *stdWriter) WriteHeader(status int) {
	switch {
	case w.sent != nil:
	case status >= 100 && status < 200 && status != http.StatusSwitchingProtocols:
		w.interim(status)
	default:
		w.status, w.sent = status, w.header.Clone()
	}
}

func (w *stdWriter) interim(status int) {
	if w.x.Front == nil {
		return
	}
	var h Header
	addStd(&h, w.header)
	w.x.Front.Interim(status, ReasonOf(status), &h)
}

func (w *stdWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	if !mayHaveBody(w.status) {
		return 0, http.ErrBodyNotAllowed
	}
	return w.body.Write(p)
}

// SetBody has r read as the rest of the body. See FromHTTP.
func (w *stdWriter) SetBody(r io.Reader) {
	w.WriteHeader(http.StatusOK)
	w.reader = r
}

// collected is how many bytes of a body that is read while it is sent are collected before, so that the length of a
// short one is told.
const collected = 8000

// begin reads the beginning of what SetBody gave, and reports whether that was all.
func (w *stdWriter) begin() (all bool) {
	if w.reader == nil {
		return true
	}
	_, err := io.CopyN(&w.body, w.reader, collected+1)
	return err != nil // a reader that fails has nothing more to say
}

// finish makes the collected answer x's.
func (w *stdWriter) finish(fault *BodyError) error {
	w.WriteHeader(http.StatusOK)
	all := w.begin()
	if w.status >= 400 && w.body.Len() == 0 {
		w.sent.Del("Content-Type") // the page has its own
		addStd(&w.x.Res.Always, w.sent)
		if fault != nil {
			return fault.Status
		}
		return Status(w.status)
	}
	w.guessType()
	r := &w.x.Res
	r.Status, r.Local = w.status, true
	addStd(&r.Header, w.sent)
	switch {
	case !mayHaveBody(w.status):
	case all:
		r.Bytes(w.body.Bytes())
	default:
		r.Length, r.Body = -1, &readerSource{begin: w.body.Bytes(), r: w.reader}
	}
	return nil
}

// readerSource is a body of which the beginning was read.
type readerSource struct {
	begin []byte
	r     io.Reader
}

func (s *readerSource) Read(p []byte) (int, error) {
	if len(s.begin) == 0 {
		return s.r.Read(p)
	}
	n := copy(p, s.begin)
	s.begin = s.begin[n:]
	return n, nil
}

func (s *readerSource) Buffered() []byte { return s.begin }
func (s *readerSource) Discard(n int)    { s.begin = s.begin[n:] }
func (s *readerSource) Close() error     { return nil }

// guessType does what net/http's own server does for a handler that names no type.
func (w *stdWriter) guessType() {
	if _, named := w.sent["Content-Type"]; !named && w.body.Len() > 0 {
		w.sent.Set("Content-Type", http.DetectContentType(w.body.Bytes()))
	}
}

func mayHaveBody(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}

// addStd appends a net/http header's fields, names in alphabetical order: a map has none of its own.
// The length is made by the client's protocol.
func addStd(h *Header, from http.Header) {
	names := make([]string, 0, len(from))
	for name := range from {
		if name != "Content-Length" && !strings.HasPrefix(name, http.TrailerPrefix) {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	for _, name := range names {
		for _, v := range from[name] {
			h.Add(name, v)
		}
	}
}
