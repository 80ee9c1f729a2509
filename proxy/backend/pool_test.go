package backend

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"balancerd/balancer"
	"balancerd/proxy/backend/backendtest"
	"balancerd/proxy/exchange"
)

// listener is a member that accepts connections and keeps them.
type listener struct {
	net.Listener
	mu    sync.Mutex
	conns []net.Conn
}

func listen(t testing.TB, network, addr string) *listener {
	t.Helper()
	l, err := net.Listen(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	m := &listener{Listener: l}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			m.mu.Lock()
			m.conns = append(m.conns, c)
			m.mu.Unlock()
		}
	}()
	t.Cleanup(func() { l.Close() })
	return m
}

// conn is the n-th connection that came in.
func (m *listener) conn(t testing.TB, n int) net.Conn {
	t.Helper()
	for range 2000 {
		m.mu.Lock()
		if len(m.conns) > n {
			c := m.conns[n]
			m.mu.Unlock()
			return c
		}
		m.mu.Unlock()
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("connection %d did not come", n)
	return nil
}

// logs is an error log that remembers.
type logs struct {
	mu    sync.Mutex
	lines []string
}

func (l *logs) Write(e *exchange.LogEntry) {
	l.mu.Lock()
	l.lines = append(l.lines, e.Module+":"+e.Level.String()+" "+e.Errno+" "+e.Message)
	l.mu.Unlock()
}

func newExchange() (*exchange.Exchange, *logs) {
	l := &logs{}
	x := &exchange.Exchange{Start: time.Now(), Server: &exchange.Server{ErrorLog: l, Levels: &exchange.Levels{All: exchange.Debug}}}
	return x, l
}

func acquire(t testing.TB, w *balancer.Worker, call *Call, fresh bool) *Conn {
	t.Helper()
	x, l := newExchange()
	c, err := Acquire(context.Background(), w, x, call, fresh)
	if err != nil {
		t.Fatalf("%v, logged %q", err, l.lines)
	}
	return c
}

func TestLastUsedIsUsedFirst(t *testing.T) {
	m := listen(t, "tcp", "127.0.0.1:0")
	w := backendtest.Worker(t, "http://"+m.Addr().String(), nil)
	a, b := acquire(t, w, &Call{}, false), acquire(t, w, &Call{}, false)
	a.Release(true)
	b.Release(true)
	if c := acquire(t, w, &Call{}, false); c != b || !c.Reused() {
		t.Error("not the one that was released last")
	} else if d := acquire(t, w, &Call{}, true); d == a || d.Reused() {
		t.Error("a fresh one came from the pool")
	}
	if n := Idle(w); n != 1 {
		t.Errorf("%d idle", n)
	}
	a2 := acquire(t, w, &Call{}, false)
	a2.Release(false)
	if n := Idle(w); n != 0 {
		t.Errorf("%d idle after a release for good", n)
	}
}

func TestIdleConnectionsAreLookedAt(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(net.Conn)
		code string
	}{
		"closed":           {func(c net.Conn) { c.Close() }, "AH00951"},
		"reset":            {func(c net.Conn) { c.(*net.TCPConn).SetLinger(0); c.Close() }, "AH00951"},
		"unexpected bytes": {func(c net.Conn) { io.WriteString(c, "HTTP/1.1 408 \r\n\r\n") }, "AH03408"},
	} {
		t.Run(name, func(t *testing.T) {
			var lines []string
			for range 5 { // the sweep, once a second, may see the end first and says nothing of it
				m := listen(t, "tcp", "127.0.0.1:0")
				w := backendtest.Worker(t, "http://"+m.Addr().String(), nil)
				first := acquire(t, w, &Call{}, false)
				first.Release(true)
				c.do(m.conn(t, 0))
				time.Sleep(20 * time.Millisecond)
				x, l := newExchange()
				second, err := Acquire(context.Background(), w, x, &Call{}, false)
				if err != nil || second == first || second.Reused() {
					t.Errorf("%v, the same %v", err, second == first)
				}
				if lines = l.lines; len(lines) > 0 {
					break
				}
			}
			if len(lines) != 1 || !strings.Contains(lines[0], c.code) {
				t.Errorf("logged %q", lines)
			}
		})
	}
}

func TestMaxAndAcquire(t *testing.T) {
	m := listen(t, "tcp", "127.0.0.1:0")
	w := backendtest.Worker(t, "http://"+m.Addr().String(), func(s *balancer.WorkerSettings) {
		s.Max, s.Acquire = 2, balancer.Some(150*time.Millisecond)
	})
	a, b := acquire(t, w, &Call{}, false), acquire(t, w, &Call{}, false)
	x, l := newExchange()
	began := time.Now()
	_, err := Acquire(context.Background(), w, x, &Call{}, false)
	var f *Failure
	if d := time.Since(began); !errors.As(err, &f) || f.Kind != Exhausted || d < 140*time.Millisecond || d > time.Second {
		t.Errorf("%v after %v", err, d)
	}
	if len(l.lines) != 1 || !strings.HasPrefix(l.lines[0], "proxy:error (70007)The timeout specified has expired AH00941: http: failed to acquire connection for (127.0.0.1:") {
		t.Errorf("logged %q", l.lines)
	}
	time.AfterFunc(50*time.Millisecond, func() { b.Release(true) })
	if c := acquire(t, w, &Call{}, false); c != b {
		t.Error("not the one that came back")
	}
	time.AfterFunc(50*time.Millisecond, func() { a.Release(false) })
	if c := acquire(t, w, &Call{}, false); c.Reused() {
		t.Error("a closed one came back")
	}
}

// Many that want few: everybody gets a turn, and never are there more than max=.
func TestMaxUnderLoad(t *testing.T) {
	m := listen(t, "tcp", "127.0.0.1:0")
	w := backendtest.Worker(t, "http://"+m.Addr().String(), func(s *balancer.WorkerSettings) { s.Max = 3 })
	var all sync.WaitGroup
	var mu sync.Mutex
	now, most := 0, 0
	for i := range 60 {
		all.Add(1)
		go func() {
			defer all.Done()
			x, _ := newExchange()
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			c, err := Acquire(ctx, w, x, &Call{}, i%5 == 0)
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			now++
			most = max(most, now)
			mu.Unlock()
			time.Sleep(time.Millisecond)
			mu.Lock()
			now--
			mu.Unlock()
			c.Release(i%3 != 0)
		}()
	}
	all.Wait()
	if most > 3 {
		t.Errorf("%d at a time", most)
	}
}

func TestTTL(t *testing.T) {
	m := listen(t, "tcp", "127.0.0.1:0")
	w := backendtest.Worker(t, "http://"+m.Addr().String(), func(s *balancer.WorkerSettings) { s.TTL, s.SMax = 100*time.Millisecond, 1 })
	a, b, c := acquire(t, w, &Call{}, false), acquire(t, w, &Call{}, false), acquire(t, w, &Call{}, false)
	a.Release(true)
	b.Release(true)
	time.Sleep(120 * time.Millisecond)
	c.Release(true) // beyond smax= and older than ttl=: a and b go
	if n := Idle(w); n != 1 {
		t.Errorf("%d idle", n)
	}
	time.Sleep(120 * time.Millisecond)
	if d := acquire(t, w, &Call{}, false); d.Reused() {
		t.Error("one older than ttl= was used")
	}
}

func TestTheWorkerIsGone(t *testing.T) {
	m := listen(t, "tcp", "127.0.0.1:0")
	w := backendtest.Worker(t, "http://"+m.Addr().String(), nil)
	a, b := acquire(t, w, &Call{}, false), acquire(t, w, &Call{}, false)
	a.Release(true)
	for _, v := range w.Attachments() {
		v.(io.Closer).Close()
	}
	b.Release(true)
	for n := range 2 {
		c := m.conn(t, n)
		c.SetReadDeadline(time.Now().Add(time.Second))
		if _, err := c.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("connection %d: %v", n, err)
		}
	}
	if n := Idle(w); n != 0 {
		t.Errorf("%d idle", n)
	}
}

func TestWhereToConnect(t *testing.T) {
	m := listen(t, "tcp", "127.0.0.1:0")
	port := netip.MustParseAddrPort(m.Addr().String()).Port()
	sock := filepath.Join(t.TempDir(), "s")
	u := listen(t, "unix", sock)
	for _, c := range []struct {
		name string
		url  string
		call Call
		to   *listener
		keep bool
	}{
		{"the worker's address", "http://" + m.Addr().String(), Call{}, m, true},
		{"a name", "http://localhost:" + strings.TrimPrefix(m.Addr().String(), "127.0.0.1:"), Call{}, m, true},
		{"the call's", "http://127.0.0.1:1", Call{Host: "127.0.0.1", Port: port}, m, false},
		{"a unix socket", "unix:" + sock + "|http://h", Call{}, u, true},
		{"the call's unix socket", "http://127.0.0.1:1", Call{Socket: sock, Host: "h"}, u, true},
		{"from an address", "http://" + m.Addr().String(), Call{Source: netip.MustParseAddr("127.0.0.9")}, m, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := backendtest.Worker(t, c.url, func(s *balancer.WorkerSettings) { s.KeepAlive.V, s.ReceiveBufferSize.V = true, 4096 })
			c.to.mu.Lock()
			n := len(c.to.conns)
			c.to.mu.Unlock()
			got := acquire(t, w, &c.call, false)
			far := c.to.conn(t, n)
			if got.Write([]byte("hello")); got.Keepable() != c.keep || got.Sent() != 5 {
				t.Errorf("keepable %v, sent %d", got.Keepable(), got.Sent())
			}
			p := make([]byte, 5)
			if io.ReadFull(far, p); string(p) != "hello" {
				t.Errorf("got %q", p)
			}
			if c.call.Source.IsValid() && !strings.HasPrefix(far.RemoteAddr().String(), "127.0.0.9:") {
				t.Errorf("from %v", far.RemoteAddr())
			}
			got.Release(true)
			if kept := Idle(w) == 1; kept != c.keep {
				t.Errorf("kept %v", kept)
			}
		})
	}
}

func TestFailuresToConnect(t *testing.T) {
	for _, c := range []struct {
		url, log string
		kind     Kind
	}{
		{"http://127.0.0.1:1", "proxy:error (111)Connection refused AH00957: http: attempt to connect to 127.0.0.1:1 (127.0.0.1:1) failed", Refused},
		{"http://[::1]:1", "AH00957: http: attempt to connect to [::1]:1 (::1:1) failed", Refused},
		{"unix:/nowhere/s|http://h", "proxy:error (2)No such file or directory AH02454: http: attempt to connect to Unix domain socket /nowhere/s (h:80) failed", Refused},
		{"http://no-such-name.invalid", "", NoName},
	} {
		w := backendtest.Worker(t, c.url, nil)
		x, l := newExchange()
		_, err := Acquire(context.Background(), w, x, &Call{}, false)
		var f *Failure
		if !errors.As(err, &f) || f.Kind != c.kind || f.Host != w.Address().Host || f.Err == nil {
			t.Errorf("%s: %v", c.url, err)
		}
		if all := strings.Join(l.lines, "\n"); !strings.Contains(all, c.log) || c.log == "" && all != "" {
			t.Errorf("%s: logged %q", c.url, all)
		}
	}
}

func TestTimeouts(t *testing.T) {
	m := listen(t, "tcp", "127.0.0.1:0")
	for _, c := range []struct {
		set  func(*balancer.WorkerSettings)
		call Call
		want time.Duration
	}{
		{nil, Call{}, 60 * time.Second},
		{nil, Call{Timeout: 7 * time.Second}, 7 * time.Second},
		{func(s *balancer.WorkerSettings) { s.Timeout = balancer.Some(3 * time.Second) }, Call{Timeout: 7 * time.Second}, 3 * time.Second},
	} {
		w := backendtest.Worker(t, "http://"+m.Addr().String(), c.set)
		if got := acquire(t, w, &c.call, false); got.Timeout() != c.want {
			t.Errorf("%v, want %v", got.Timeout(), c.want)
		}
	}
	w := backendtest.Worker(t, "http://"+m.Addr().String(), func(s *balancer.WorkerSettings) { s.Timeout = balancer.Some(100 * time.Millisecond) })
	c := acquire(t, w, &Call{}, false)
	for range 3 { // a deadline that has passed is not in the way of the next wait
		began := time.Now()
		if _, err := c.Read(make([]byte, 1)); !IsTimeout(err) || time.Since(began) < 90*time.Millisecond || time.Since(began) > 400*time.Millisecond {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	}
	began := time.Now()
	var err error
	for err == nil { // nobody reads
		_, err = c.Write(make([]byte, 1<<20))
	}
	if !IsTimeout(err) || time.Since(began) > 2*time.Second {
		t.Errorf("%v after %v", err, time.Since(began))
	}
}

func TestTLSKeepsConnectionsApart(t *testing.T) {
	m := listen(t, "tcp", "127.0.0.1:0")
	w := backendtest.Worker(t, "https://"+m.Addr().String(), nil)
	var names []string
	hook := func() *TLS {
		return &TLS{Client: func(_ context.Context, c net.Conn, name string, _ ...string) (net.Conn, error) {
			names = append(names, name)
			if name == "bad" {
				return nil, os.ErrInvalid
			}
			return struct{ net.Conn }{c}, nil // not a socket any more
		}}
	}
	one, two := hook(), hook()
	a := acquire(t, w, &Call{TLS: one}, false)
	a.Release(true)
	for _, call := range []*Call{{TLS: two}, {TLS: one, Name: "other"}} {
		if b := acquire(t, w, call, false); b == a {
			t.Errorf("%+v got another's connection", call)
		}
	}
	if b := acquire(t, w, &Call{TLS: one}, false); b != a {
		t.Error("its own connection was not used")
	}
	if len(names) != 3 || names[0] != "127.0.0.1" || names[2] != "other" {
		t.Errorf("names %q", names)
	}
	for want, call := range map[Kind]*Call{NoTLS: {}, Handshake: {TLS: one, Name: "bad"}} {
		x, _ := newExchange()
		_, err := Acquire(context.Background(), w, x, call, true)
		var f *Failure
		if !errors.As(err, &f) || f.Kind != want {
			t.Errorf("%v, want %d", err, want)
		}
	}
	if a.Splicer() != nil {
		t.Error("TLS can't be spliced")
	}
}

// nobody is a backend that notes that it was asked.
type nobody struct{ asked bool }

func (n *nobody) RoundTrip(context.Context, *balancer.Worker, *exchange.Exchange, *Call) error {
	n.asked = true
	return nil
}

func TestTable(t *testing.T) {
	plain, secure := &nobody{}, &nobody{}
	table := Table{{Name: "http", Backend: plain}, {Name: "https", TLS: true, Backend: secure}}
	for _, c := range []struct {
		url  string
		call Call
		want Kind
	}{
		{"http://h", Call{}, 0}, {"https://h", Call{TLS: &TLS{}}, 0}, {"foo://h", Call{}, BadScheme},
		{"http://h", Call{Scheme: "foo"}, BadScheme},
	} {
		err := table.RoundTrip(context.Background(), backendtest.Worker(t, c.url, nil), nil, &c.call)
		var f *Failure
		if got := errors.As(err, &f); got != (c.want != 0) || got && f.Kind != c.want {
			t.Errorf("%s %+v: %v", c.url, c.call, err)
		}
	}
	if !plain.asked || !secure.asked {
		t.Error("somebody was not asked")
	}
}

// A panic while connecting takes no place in the pool.
func TestPanicTakesNoPlace(t *testing.T) {
	l := listen(t, "tcp", "127.0.0.1:0")
	w := backendtest.Worker(t, "https://"+l.Addr().String(), func(s *balancer.WorkerSettings) {
		s.Max, s.Acquire = 1, balancer.Some(50*time.Millisecond)
	})
	call := &Call{TLS: &TLS{Client: func(context.Context, net.Conn, string, ...string) (net.Conn, error) { panic("on purpose") }}}
	for range 3 {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("no panic: no place was left")
				}
			}()
			Acquire(t.Context(), w, &exchange.Exchange{Server: &exchange.Server{Levels: &exchange.Levels{}}, Start: time.Now()}, call, false)
		}()
	}
}
