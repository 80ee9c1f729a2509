package http1

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"balancerd/balancer"
	"balancerd/proxy/backend"
	"balancerd/proxy/backend/backendtest"
	"balancerd/proxy/exchange"
	"balancerd/proxy/http1/client"
	"balancerd/proxy/http1/server"
	"balancerd/proxy/internal/wire"
)

// app is an App for tests: it passes every request on to one worker, or does what serve says.
type app struct {
	srv     *exchange.Server
	backend backend.Backend
	worker  *balancer.Worker
	again   *balancer.Worker // a second one, for when the first fails
	call    backend.Call
	dress   func(*exchange.Exchange)
	serve   func(context.Context, *exchange.Exchange)
	after   func(*exchange.Exchange)
	first   func() // called for each connection and each head

	mu   sync.Mutex
	errs []error
	done []string
	logs []string
}

func (a *app) Default(netip.AddrPort) *exchange.Server {
	if a.first != nil {
		a.first()
	}
	return a.srv
}

func (a *app) Serve(ctx context.Context, x *exchange.Exchange) {
	if a.serve != nil {
		a.serve(ctx, x)
		return
	}
	a.forwardTo(ctx, x, a.worker)
}

// forwardTo is a very small proxy.
func (a *app) forwardTo(ctx context.Context, x *exchange.Exchange, w *balancer.Worker) {
	o := &x.Out
	o.Method, o.Target, o.Minor = x.Req.Method, x.Req.RawPath, 1
	if x.Req.HasQuery {
		o.Target = x.Arena.Join(o.Target, "?", x.Req.Query)
	}
	o.Host = "member.test"
	o.Header.Reset()
	for i := range x.Req.Header.F {
		switch f := &x.Req.Header.F[i]; f.ID {
		case wire.Host, wire.Connection, wire.ContentLength, wire.TransferEncoding, wire.Expect, wire.Upgrade:
		default:
			o.Header.F = append(o.Header.F, *f)
		}
	}
	o.Header.F = append(o.Header.F, exchange.Field{Name: "X-Forwarded-For", Value: x.ClientIP, ID: wire.XForwardedFor})
	o.Length, o.HasBody = x.Req.Length, x.Req.Length != 0 || x.Req.Header.IndexID(wire.ContentLength) >= 0
	o.Expect = x.Req.Expect100
	if x.Req.Upgrade {
		o.Upgrade = x.Req.Header.GetID(wire.Upgrade)
	}
	if a.dress != nil {
		a.dress(x)
	}
	if err := a.backend.RoundTrip(ctx, w, x, &a.call); err != nil {
		a.mu.Lock()
		a.errs = append(a.errs, err)
		a.mu.Unlock()
		if a.again != nil && w != a.again {
			a.dress = nil
			a.forwardTo(ctx, x, a.again)
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
	x.Res.Text("refused " + p.Note + "\n")
}

func (a *app) Done(_ context.Context, x *exchange.Exchange) {
	if a.done != nil {
		a.mu.Lock()
		a.done = append(a.done, strings.Clone(x.Req.Line))
		a.mu.Unlock()
	}
	if a.after != nil {
		a.after(x)
	}
	x.Finish()
}

func (a *app) Write(e *exchange.LogEntry) {
	a.mu.Lock()
	a.logs = append(a.logs, e.Module+":"+e.Level.String()+" "+e.Errno+" "+e.Message)
	a.mu.Unlock()
}

func (a *app) logged(t *testing.T, code string) {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, l := range a.logs {
		if strings.Contains(l, code) {
			return
		}
	}
	t.Errorf("%s was not logged: %q", code, a.logs)
}

// failure is the last attempt's.
func (a *app) failure() *backend.Failure {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.errs) == 0 {
		return nil
	}
	f, _ := a.errs[len(a.errs)-1].(*backend.Failure)
	return f
}

func usualServer() *exchange.Server {
	return &exchange.Server{
		Name: "front.test", Main: true, Token: "Apache/2.4.71", Timeout: 5 * time.Second, KeepAlive: true, KeepAliveTimeout: 5 * time.Second,
		MaxKeepAlive: 100, LimitLine: 8190, LimitFieldSize: 8190, LimitFields: 100, Allow09: true, Levels: &exchange.Levels{All: exchange.Trace8},
	}
}

// newWorker is a worker of its own balancer for a URL.
var newWorker = backendtest.Worker

// fronts runs a test on all kinds of connections: our own sockets, those with something between them and
// us, as TLS is, and net.Conn as on other systems.
func fronts(t *testing.T, f func(t *testing.T, start func(testing.TB, *app) *front)) {
	t.Run("raw", func(t *testing.T) { f(t, newFront) })
	t.Run("shaken", func(t *testing.T) { f(t, newShakenFront) })
	t.Run("net", func(t *testing.T) { f(t, newNetFront) })
}

// front is a running Server.
type front struct {
	*server.Server
	app  *app
	addr string
}

func newFront(t testing.TB, a *app) *front {
	t.Helper()
	return startFront(t, a, server.Options{}, nil)
}

// newShakenFront serves connections as secure ones that were told so by a handshake without a word.
func newShakenFront(t testing.TB, a *app) *front {
	t.Helper()
	shake := func(nc net.Conn) (net.Conn, *exchange.TLS, error) { return nc, &exchange.TLS{}, nil }
	return startFront(t, a, server.Options{TLSHandshake: func(netip.AddrPort) server.TLSHandshake { return shake }}, nil)
}

// newNetFront serves connections that it does not know to be sockets.
func newNetFront(t testing.TB, a *app) *front {
	t.Helper()
	return startFront(t, a, server.Options{}, func(s *server.Server, l *net.TCPListener) error {
		for {
			c, err := l.Accept()
			if err != nil {
				return nil
			}
			go s.ServeConn(c, nil)
		}
	})
}

// startFront starts a Server; accept serves a listener until it is closed, nil: as the Server does.
func startFront(t testing.TB, a *app, o server.Options, accept func(*server.Server, *net.TCPListener) error) *front {
	t.Helper()
	if a.srv == nil {
		a.srv = usualServer()
	}
	a.srv.ErrorLog = a
	if a.backend == nil {
		a.backend = client.NewBackend()
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o.Log = func(_ exchange.Level, err error, m string) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.logs = append(a.logs, fmt.Sprintf("server: %v %s", err, m))
	}
	s := server.New(a, o)
	at, shut := l.Addr().String(), func() { l.Close() }
	if accept == nil {
		own, err := server.NewListener(l.(*net.TCPListener))
		if err != nil {
			t.Fatal(err)
		}
		accept, shut = func(s *server.Server, _ *net.TCPListener) error { return s.Accept(own) }, own.Close
	}
	ended := make(chan error, 1)
	go func() { ended <- accept(s, l.(*net.TCPListener)) }()
	t.Cleanup(func() {
		shut()
		if err := <-ended; err != nil {
			t.Errorf("Accept: %v", err)
		}
		s.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if s.Wait(ctx) != nil {
			t.Errorf("%d connections are left", s.Connections())
		}
	})
	return &front{s, a, at}
}

// newMember is a scripted origin server: each connection is handed to serve.
var newMember = backendtest.Listen

// dial opens a connection to the front.
func (f *front) dial(t testing.TB) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", f.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c.(*net.TCPConn)
}

// ask sends raw bytes to the front and returns all that comes back until the connection ends or is
// quiet for a while.
func (f *front) ask(t testing.TB, raw string) string {
	t.Helper()
	c, err := net.Dial("tcp", f.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, raw)
	return readAll(c)
}

// quiet is how long nothing comes from a connection that lives on.
const quiet = 150 * time.Millisecond

func readAll(c net.Conn) string {
	var b strings.Builder
	p := make([]byte, 64<<10)
	for {
		c.SetReadDeadline(time.Now().Add(quiet))
		n, err := c.Read(p)
		b.Write(p[:n])
		if err != nil {
			if err == io.EOF {
				b.WriteString("<EOF>")
			}
			return b.String()
		}
	}
}
