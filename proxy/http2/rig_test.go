package http2

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"balancerd/balancer"
	"balancerd/proxy/backend"
	"balancerd/proxy/backend/backendtest"
	"balancerd/proxy/exchange"
	"balancerd/proxy/http2/client"
	"balancerd/proxy/http2/server"
	"balancerd/proxy/internal/wire"
)

// app is an App for tests: it passes every request on to one worker, or does what serve says.
type app struct {
	srv     *exchange.Server
	backend backend.Backend
	worker  *balancer.Worker
	again   *balancer.Worker
	call    backend.Call
	serve   func(context.Context, *exchange.Exchange)

	mu    sync.Mutex
	errs  []error
	done  []string
	began int
}

func (a *app) Named(netip.AddrPort, string) *exchange.Server { return a.srv }

func (a *app) Serve(ctx context.Context, x *exchange.Exchange) {
	a.mu.Lock()
	a.began++
	a.mu.Unlock()
	if a.serve != nil {
		a.serve(ctx, x)
		return
	}
	a.forward(ctx, x, a.worker)
}

// forward is a very small proxy.
func (a *app) forward(ctx context.Context, x *exchange.Exchange, w *balancer.Worker) {
	o := &x.Out
	o.Method, o.Target, o.Minor, o.Host = x.Req.Method, x.Req.Target, 1, "member.test"
	o.Header.Reset()
	for i := range x.Req.Header.F {
		if f := x.Req.Header.F[i]; f.ID != wire.Host && f.ID != wire.ContentLength {
			o.Header.F = append(o.Header.F, f)
		}
	}
	o.Length, o.HasBody = x.Req.Length, x.Req.Length != 0 || x.Req.Header.IndexID(wire.ContentLength) >= 0
	if err := a.backend.RoundTrip(ctx, w, x, &a.call); err != nil {
		a.mu.Lock()
		a.errs = append(a.errs, err)
		a.mu.Unlock()
		if a.again != nil && w != a.again {
			a.forward(ctx, x, a.again)
			return
		}
		x.Res.Clear()
		x.Res.Status, x.Res.Local = 502, true
		x.Res.Text("failed\n")
	}
}

func (a *app) Refuse(_ context.Context, x *exchange.Exchange, p *exchange.Problem) {
	x.Res.Clear()
	x.Res.Status, x.Res.Local = int(p.Status), true
	x.Res.Text("refused\n")
}

func (a *app) Done(_ context.Context, x *exchange.Exchange) {
	a.mu.Lock()
	a.done = append(a.done, strings.Clone(x.Req.Line))
	a.mu.Unlock()
	x.Finish()
}

func (a *app) finished() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.done)
}

func (a *app) begins() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.began
}

func (a *app) failures() []error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.errs
}

// front serves an app on a port, in clear text.
type front struct {
	app  *app
	s    *server.Server
	addr string

	connections func() int // how many there are

	mu  sync.Mutex
	log strings.Builder // under mu
}

// logged is what the server told the log.
func (f *front) logged() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.log.String()
}

func newFront(t testing.TB, a *app) *front {
	if a.srv == nil {
		a.srv = &exchange.Server{}
	}
	if a.srv.LimitLine == 0 {
		a.srv.LimitLine, a.srv.LimitFieldSize, a.srv.LimitFields = 8190, 8190, 100
	}
	if a.srv.Timeout == 0 {
		a.srv.Timeout, a.srv.KeepAliveTimeout = 30*time.Second, 30*time.Second
	}
	if a.backend == nil {
		a.backend = client.NewBackend()
	}
	f := &front{app: a}
	f.s = server.New(a, f.note)
	if inLoops {
		f.addr, f.connections = f.listenInLoops(t)
	} else {
		f.addr, f.connections = f.listen(t)
	}
	return f
}

// note takes what the server has to say.
func (f *front) note(_ exchange.Level, _ error, message string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.log.WriteString(message + "\n")
}

// inLoops has fronts serve their connections in event loops, else by goroutines: the tests run both ways.
var inLoops bool

// listen serves each connection by goroutines.
func (f *front) listen(t testing.TB) (addr string, connections func() int) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var under atomic.Int64
	go func() {
		for id := uint64(1); ; id++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			info := &exchange.Conn{ID: id, RemoteIP: "127.0.0.1", RemoteText: c.RemoteAddr().String()}
			under.Add(1)
			go func() { defer under.Add(-1); f.s.Serve(c, info, noBoard{}, nil) }()
		}
	}()
	t.Cleanup(func() { l.Close(); f.s.Renew() })
	return l.Addr().String(), func() int { return int(under.Load()) }
}

// wait waits until there is no connection.
func (f *front) wait(t testing.TB) {
	for end := time.Now().Add(10 * time.Second); f.connections() > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal(f.connections(), "connections do not end")
		}
	}
}

// browser is a client of x/net.
func browser(t *testing.T) *http.Client {
	tr := &http2.Transport{AllowHTTP: true, DialTLSContext: func(ctx context.Context, network, addr string, _ *tls.Config) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, addr)
	}}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: 10 * time.Second}
}

// talk is a client that writes frames.
type talk struct {
	t   testing.TB
	nc  net.Conn
	fr  *http2.Framer
	raw *http2.Framer // reads header blocks as they are
	buf bytes.Buffer
	enc *hpack.Encoder

	trailer []string // what outcome has seen behind bodies
}

func (f *front) dial(t testing.TB, settings ...http2.Setting) *talk {
	nc, err := net.Dial("tcp", f.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(10 * time.Second))
	c := &talk{t: t, nc: nc, fr: http2.NewFramer(nc, nc)}
	c.fr.AllowIllegalWrites = true
	c.raw = http2.NewFramer(nil, nc)
	c.raw.SetReuseFrames()
	c.fr.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	c.enc = hpack.NewEncoder(&c.buf)
	io.WriteString(nc, http2.ClientPreface)
	c.fr.WriteSettings(settings...)
	return c
}

// ask opens a stream; fields are name, value, name, value.
func (c *talk) ask(id uint32, end bool, fields ...string) {
	c.buf.Reset()
	for i := 0; i+1 < len(fields); i += 2 {
		c.enc.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	c.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: c.buf.Bytes(), EndHeaders: true, EndStream: end})
}

// get opens a stream for a path.
func (c *talk) get(id uint32, path string, fields ...string) {
	c.ask(id, true, append([]string{":method", "GET", ":scheme", "http", ":authority", "h", ":path", path}, fields...)...)
}

// outcome waits for what becomes of a stream: its status, "RST code", "GOAWAY code" or "closed"; data is
// what came of its body.
func (c *talk) outcome(id uint32) (what string, data string) {
	for {
		f, err := c.fr.ReadFrame()
		if err != nil {
			return "closed", data
		}
		switch f := f.(type) {
		case *http2.SettingsFrame:
			if !f.IsAck() {
				c.fr.WriteSettingsAck()
			}
		case *http2.MetaHeadersFrame:
			if f.StreamID == id {
				if s := f.PseudoValue("status"); s != "" {
					what = strings.TrimPrefix(what+" "+s, " ")
				} else {
					for _, h := range f.Fields {
						c.trailer = append(c.trailer, h.Name+"="+h.Value)
					}
				}
				if f.StreamEnded() {
					return what, data
				}
			}
		case *http2.DataFrame:
			c.fr.WriteWindowUpdate(0, max(uint32(len(f.Data())), 1))
			if f.StreamID == id {
				data += string(f.Data())
				if f.StreamEnded() {
					return what, data
				}
			}
		case *http2.RSTStreamFrame:
			if f.StreamID == id {
				return strings.TrimPrefix(what+" RST "+f.ErrCode.String(), " "), data
			}
		case *http2.GoAwayFrame:
			if f.ErrCode != http2.ErrCodeNo {
				return "GOAWAY " + f.ErrCode.String(), data
			}
		}
	}
}

// newMember is the worker of an HTTP/2 server in clear text.
func newMember(t *testing.T, h http.HandlerFunc) *balancer.Worker {
	return newWorker(t, "h2c://"+backendtest.HTTP2(t, h, nil).Addr, nil)
}

// countedMember tells how many connections it has got.
func countedMember(t *testing.T, h http.HandlerFunc, change func(*http.Server)) (*balancer.Worker, func() int) {
	m := backendtest.HTTP2(t, h, change)
	return newWorker(t, "h2c://"+m.Addr, nil), m.Connections
}

// newWorker is a worker of its own balancer for a URL.
var newWorker = backendtest.Worker

// noBoard is the board of connections that no status page shows.
type noBoard struct{}

func (noBoard) Begin(*exchange.Exchange)                    {}
func (noBoard) End(*exchange.Exchange, time.Duration, bool) {}
