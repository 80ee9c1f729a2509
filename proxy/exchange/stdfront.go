package exchange

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
)

// ToHTTP is the other way round: net/http (or x/net/http2) as the front of exchanges. serve makes the
// answer in x.Res and begins with setting x.Server and x.Local; the functions of after run once the
// answer is sent (the logs), then the exchange finishes. A body that breaks off aborts the stream or
// connection, so that the client sees that it is not whole.
func ToHTTP(serve func(context.Context, *Exchange), after ...func(context.Context, *Exchange)) http.Handler {
	return &stdServer{serve: serve, after: after, pool: sync.Pool{New: func() any { return new(Exchange) }}}
}

type connKey struct{}

// WithConn has the exchanges of ctx, a connection's context, share c. Without it each exchange of
// ToHTTP gets a Conn of its own.
func WithConn(ctx context.Context, c *Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

type stdServer struct {
	serve func(context.Context, *Exchange)
	after []func(context.Context, *Exchange)
	pool  sync.Pool
}

// ServeHTTP is one exchange, from its request to its end.
func (s *stdServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := s.pool.Get().(*Exchange)
	fillStd(x, w, r)
	if err := s.run(r.Context(), x, w, r); err != nil {
		panic(http.ErrAbortHandler)
	}
}

// run returns what broke the answer off. After a panic the finishers still run, but x is not used again.
func (s *stdServer) run(ctx context.Context, x *Exchange, w http.ResponseWriter, r *http.Request) (err error) {
	defer func() {
		if p := recover(); p != nil {
			x.Finish()
			panic(p)
		}
	}()
	s.serve(ctx, x)
	err = sendStd(x, w, r)
	for _, f := range s.after {
		f(ctx, x)
	}
	x.Finish()
	x.Reset()
	x.Conn, x.Front = nil, nil
	s.pool.Put(x)
	return err
}

// fillStd makes x the exchange of r.
func fillStd(x *Exchange, w http.ResponseWriter, r *http.Request) {
	x.Conn, x.Start, x.Front = stdConn(r), time.Now(), &stdFront{w: w, r: r}
	x.ClientIP = x.Conn.RemoteIP
	q := &x.Req
	q.Method, q.Target, q.Major, q.Minor = r.Method, r.RequestURI, r.ProtoMajor, r.ProtoMinor
	q.Line = x.Arena.Join(q.Method, " ", q.Target, " ", q.ProtoText())
	q.Scheme = "http"
	if r.TLS != nil {
		q.Scheme = "https"
	}
	q.Authority = r.Host
	q.Host, q.Port = splitAuthority(r.Host)
	q.RawPath, q.Query, q.HasQuery = splitTarget(q.Target)
	q.Length, q.Body = r.ContentLength, &stdSource{r: r, x: x}
	fillHeader(&q.Header, r)
	q.Expect100 = EqualFold(q.Header.Get("Expect"), "100-continue")
	q.Upgrade = q.Header.Has("Upgrade") && hasToken(q.Header.Get("Connection"), "upgrade")
}

func stdConn(r *http.Request) *Conn {
	if c, ok := r.Context().Value(connKey{}).(*Conn); ok {
		return c
	}
	c := &Conn{Secure: r.TLS != nil, RemoteText: r.RemoteAddr}
	if r.TLS != nil {
		c.TLS = &TLS{ConnectionState: *r.TLS}
	}
	c.Remote, _ = netip.ParseAddrPort(r.RemoteAddr)
	c.RemoteIP = c.Remote.Addr().Unmap().String()
	if a, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		c.Local, _ = netip.ParseAddrPort(a.String())
	}
	return c
}

// splitAuthority is an authority's name, lower case and without a final dot, and its port or 0.
func splitAuthority(a string) (host string, port int) {
	host = a
	if i := strings.LastIndexByte(a, ':'); i > strings.LastIndexByte(a, ']') {
		host = a[:i]
		if p, err := strconv.ParseUint(a[i+1:], 10, 16); err == nil {
			port = int(p)
		}
	}
	return strings.ToLower(strings.TrimSuffix(host, ".")), port
}

// splitTarget is the path and query of a request-target in origin or absolute form (RFC 9112
// section 3.2).
func splitTarget(t string) (path, query string, has bool) {
	if i := strings.Index(t, "://"); i > 0 && t[0] != '/' {
		t = t[i+3:]
		if i = strings.IndexAny(t, "/?"); i < 0 {
			return "/", "", false
		}
		t = t[i:]
	}
	path, query, has = strings.Cut(t, "?")
	if path == "" {
		path = "/"
	}
	return path, query, has
}

// fillHeader copies the fields, Host first, then by name; those of one name merged.
func fillHeader(h *Header, r *http.Request) {
	if r.Host != "" {
		h.Add("Host", r.Host)
	}
	names := make([]string, 0, len(r.Header))
	for name := range r.Header {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		between := ", "
		if name == "Cookie" {
			between = "; "
		}
		h.Add(name, strings.Join(r.Header[name], between))
	}
}

func hasToken(list, token string) bool {
	for _, t := range strings.Split(list, ",") {
		if EqualFold(strings.TrimSpace(t), token) {
			return true
		}
	}
	return false
}

// stdSource is net/http's request body as a Body.
type stdSource struct {
	r     *http.Request
	x     *Exchange
	taken int64
}

// Read reads on; a failure is a *BodyError.
func (s *stdSource) Read(p []byte) (int, error) {
	if s.r.Body == nil {
		return 0, io.EOF
	}
	n, err := s.r.Body.Read(p)
	s.taken += int64(n)
	switch {
	case err == io.EOF:
		s.trailer()
	case err != nil:
		err = &BodyError{Status: bodyStatus(err), Err: err}
	}
	return n, err
}

func (s *stdSource) trailer() {
	if s.x.Req.Trailer.Len() == 0 {
		addStd(&s.x.Req.Trailer, s.r.Trailer)
	}
}

func bodyStatus(err error) Status {
	var big *http.MaxBytesError
	switch {
	case errors.As(err, &big):
		return http.StatusRequestEntityTooLarge
	case errors.Is(err, os.ErrDeadlineExceeded):
		return http.StatusRequestTimeout
	}
	return http.StatusBadRequest
}

// Buffered is always empty: net/http does not show its buffer.
func (s *stdSource) Buffered() []byte { return nil }

// Discard has nothing to discard.
func (s *stdSource) Discard(int) {}

// Taken is how much was read.
func (s *stdSource) Taken() int64 { return s.taken }

// stdFront is net/http's way of answering early.
type stdFront struct {
	w http.ResponseWriter
	r *http.Request
}

// Interim sends a 1xx answer with just these fields. net/http chooses the reason.
func (f *stdFront) Interim(status int, _ string, h *Header) error {
	if !f.r.ProtoAtLeast(1, 1) {
		return nil
	}
	clear(f.w.Header())
	copyStd(f.w.Header(), h)
	f.w.WriteHeader(status)
	clear(f.w.Header())
	return nil
}

// Continue sends 100 Continue.
func (f *stdFront) Continue() error { return f.Interim(http.StatusContinue, "", &Header{}) }

// ownFields are a front's own business; net/http makes them anew.
var ownFields = [...]string{"Connection", "Keep-Alive", "Proxy-Connection", "Transfer-Encoding", "Upgrade", "Content-Length", "Trailer"}

func copyStd(to http.Header, h *Header) {
	for i := range h.F {
		key := http.CanonicalHeaderKey(h.F[i].Name)
		to[key] = append(to[key], h.F[i].Value)
	}
}
