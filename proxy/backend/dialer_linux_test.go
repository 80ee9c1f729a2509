package backend

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"path/filepath"
	"runtime/metrics"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"balancerd/balancer"
	"balancerd/proxy/backend/backendtest"
	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/loop"
	"balancerd/proxy/internal/loop/looptest"
)

// crowded is a socket that is listened to with room for few connections, all of which are taken; accept lets one in.
func crowded(t *testing.T, network, at string) (addr string, accept func()) {
	t.Helper()
	family, sa := syscall.AF_INET, syscall.Sockaddr(&syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	if network == "unix" {
		family, sa = syscall.AF_UNIX, &syscall.SockaddrUnix{Name: at}
	}
	n, err := syscall.Socket(family, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(n) })
	if err := errors.Join(syscall.Bind(n, sa), syscall.Listen(n, 0)); err != nil {
		t.Fatal(err)
	}
	if network == "tcp" {
		own, _ := syscall.Getsockname(n)
		at = netip.AddrPortFrom(netip.AddrFrom4(own.(*syscall.SockaddrInet4).Addr), uint16(own.(*syscall.SockaddrInet4).Port)).String()
	}
	for range 8 {
		c, err := net.DialTimeout(network, at, 50*time.Millisecond)
		if err != nil {
			return at, func() {
				if c, _, err := syscall.Accept(n); err == nil {
					syscall.Close(c)
				}
			}
		}
		t.Cleanup(func() { c.Close() })
	}
	t.Skip("the system lets any number wait")
	return "", nil
}

// A task's new connections to members are made without leaving its loop: no goroutine is begun for that.
func TestConnectingStaysOnTheLoop(t *testing.T) {
	began := []metrics.Sample{{Name: "/sched/goroutines-created:goroutines"}}
	created := func() uint64 {
		metrics.Read(began)
		if began[0].Value.Kind() != metrics.KindUint64 {
			t.Skip("this Go does not count goroutines")
		}
		return began[0].Value.Uint64()
	}
	sock := filepath.Join(t.TempDir(), "s")
	for _, at := range [][2]string{{"tcp", "127.0.0.1:0"}, {"unix", sock}} {
		t.Run(at[0], func(t *testing.T) {
			l, err := net.Listen(at[0], at[1])
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			url := "http://" + l.Addr().String()
			if at[0] == "unix" {
				url = "unix:" + sock + "|http://h"
			}
			w := backendtest.Worker(t, url, nil)
			looptest.Do(t, func(task *loop.Task) {
				before := created()
				const n = 60
				for range n {
					c, _ := acquireOn(t, task, w, &Call{})
					if c == nil {
						return
					}
					c.Release(false)
				}
				if more := created() - before; more > n/2 {
					t.Errorf("%d goroutines for %d connections", more, n)
				}
			})
		})
	}
}

// What a task's connections are and where they lead is as for any goroutine's.
func TestWhereALoopConnects(t *testing.T) {
	m := listen(t, "tcp", "127.0.0.1:0")
	sock := filepath.Join(t.TempDir(), "s")
	u := listen(t, "unix", sock)
	for _, c := range []struct {
		name, url string
		call      Call
		to        *listener
	}{
		{"the worker's address", "http://" + m.Addr().String(), Call{}, m},
		{"a name", "http://localhost:" + strings.TrimPrefix(m.Addr().String(), "127.0.0.1:"), Call{}, m},
		{"a unix socket", "unix:" + sock + "|http://h", Call{}, u},
		{"from an address", "http://" + m.Addr().String(), Call{Source: netip.MustParseAddr("127.0.0.9")}, m},
		{"a unix socket, from an address", "unix:" + sock + "|http://h", Call{Source: netip.MustParseAddr("127.0.0.9")}, u},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := backendtest.Worker(t, c.url, func(s *balancer.WorkerSettings) { s.KeepAlive.V, s.ReceiveBufferSize.V = true, 4096 })
			looptest.Do(t, func(task *loop.Task) {
				for i := range 2 { // the second time the name is known
					c.to.mu.Lock()
					n := len(c.to.conns)
					c.to.mu.Unlock()
					got, _ := acquireOn(t, task, w, &c.call)
					if got == nil {
						return
					}
					got.Write([]byte("hello"))
					far := c.to.conn(t, n)
					p := make([]byte, 5)
					if _, err := io.ReadFull(far, p); string(p) != "hello" || got.Sent() != 5 || !got.watchable() {
						t.Errorf("got %q %v, sent %d", p, err, got.Sent())
					}
					if c.call.Source.IsValid() && c.to == m && !strings.HasPrefix(far.RemoteAddr().String(), "127.0.0.9:") {
						t.Errorf("from %v", far.RemoteAddr())
					}
					far.Write([]byte("world"))
					if k, err := got.Read(p); string(p[:k]) != "world" {
						t.Errorf("read %q %v", p[:k], err)
					}
					got.Release(i == 1)
				}
				if Idle(w) != 1 {
					t.Error("it is not kept")
				}
			})
		})
	}
}

// watchable reports whether it is an event loop's.
func (c *Conn) watchable() bool { return c.own != nil }

// failOn is what Acquire says to a task, and what it logged.
func failOn(ctx context.Context, t *testing.T, task *loop.Task, w *balancer.Worker) (*Failure, string) {
	t.Helper()
	x, l := newExchange()
	x.Conn, x.Task = &exchange.Conn{}, task
	c, err := Acquire(ctx, w, x, &Call{}, false)
	var f *Failure
	if !errors.As(err, &f) {
		t.Errorf("%v %v", c, err)
		return &Failure{}, ""
	}
	return f, strings.Join(l.lines, "\n")
}

// What fails is told as to any goroutine, and takes no place in the pool.
func TestFailuresToConnectOnALoop(t *testing.T) {
	looptest.Do(t, func(task *loop.Task) {
		for _, c := range []struct{ url, log string }{
			{"http://127.0.0.1:1", "proxy:error (111)Connection refused AH00957: http: attempt to connect to 127.0.0.1:1 (127.0.0.1:1) failed"},
			{"http://[::1]:1", "AH00957: http: attempt to connect to [::1]:1 (::1:1) failed"},
			{"unix:/nowhere/s|http://h", "proxy:error (2)No such file or directory AH02454: http: attempt to connect to Unix domain socket /nowhere/s (h:80) failed"},
		} {
			w := backendtest.Worker(t, c.url, func(s *balancer.WorkerSettings) { s.Max = 1 })
			for range 2 {
				if f, log := failOn(t.Context(), t, task, w); f.Kind != Refused || f.Err == nil || !strings.Contains(log, c.log) {
					t.Errorf("%s: %v, logged %q", c.url, f, log)
				}
			}
		}
	})
}

// Each of a name's addresses has the time of a connect; the first that accepts is taken.
func TestAddressesInTurnOnALoop(t *testing.T) {
	silent, _ := crowded(t, "tcp", "")
	_, port, _ := net.SplitHostPort(silent)
	l, err := net.Listen("tcp", "127.0.0.3:"+port)
	if err != nil {
		t.Skip(err)
	}
	defer l.Close()
	n := newNames(t)
	n.set("many.test", "127.0.0.1 127.0.0.2 127.0.0.3", 0)
	looptest.Do(t, func(task *loop.Task) {
		w := backendtest.Worker(t, "http://many.test:"+port, func(s *balancer.WorkerSettings) { s.ConnectTimeout = balancer.Some(100 * time.Millisecond) })
		c, log := acquireOn(t, task, w, &Call{})
		if c == nil {
			return
		}
		defer c.Release(false)
		all := strings.Join(log.lines, "\n")
		for _, want := range []string{"debug (70007)The timeout specified has expired AH00957: http: attempt to connect to 127.0.0.1:", "debug (111)Connection refused AH00957: http: attempt to connect to 127.0.0.2:"} {
			if !strings.Contains(all, want) {
				t.Errorf("logged %q, no %q", all, want)
			}
		}
		if c.addr.String() != "127.0.0.3" {
			t.Error(c.addr)
		}
	})
}

// A unix socket that as many wait at as may is waited for as long as a connect may take, by a loop and by a goroutine.
func TestFullSockets(t *testing.T) {
	try := func(t *testing.T, task *loop.Task) {
		path, accept := crowded(t, "unix", filepath.Join(t.TempDir(), "s"))
		if path == "" {
			return
		}
		w := backendtest.Worker(t, "unix:"+path+"|http://h", func(s *balancer.WorkerSettings) { s.ConnectTimeout = balancer.Some(60 * time.Millisecond) })
		began := time.Now()
		if f, log := failOn(t.Context(), t, task, w); f.Kind != Refused || !strings.Contains(log, "(11)Resource temporarily unavailable AH02454") || time.Since(began) < 50*time.Millisecond {
			t.Errorf("%v after %v, logged %q", f, time.Since(began), log)
		}
		w = backendtest.Worker(t, "unix:"+path+"|http://h", nil)
		time.AfterFunc(30*time.Millisecond, accept)
		if c, _ := acquireOn(t, task, w, &Call{}); c != nil {
			c.Release(false)
		}
	}
	t.Run("goroutine", func(t *testing.T) { try(t, nil) })
	t.Run("loop", func(t *testing.T) { looptest.Do(t, func(task *loop.Task) { try(t, task) }) })
}

// leaving is the context of a client that goes away.
type leaving struct {
	context.Context
	mu   sync.Mutex
	told exchange.Aborter // under mu
	gone bool             // under mu
}

func (l *leaving) Watch(a exchange.Aborter) {
	l.mu.Lock()
	l.told = a
	l.mu.Unlock()
}

func (l *leaving) Unwatch(exchange.Aborter) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told = nil
	return !l.gone
}

func (l *leaving) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gone {
		return context.Canceled
	}
	return nil
}

// leave is the client's end, once somebody wants to be told of it.
func (l *leaving) leave() {
	for {
		l.mu.Lock()
		if l.told != nil {
			l.gone = true
			l.told.Abort()
			l.mu.Unlock()
			return
		}
		l.mu.Unlock()
		time.Sleep(time.Millisecond)
	}
}

// A client that goes away while its member is connected to ends that, and the member is not to blame.
func TestAClientLeavesWhileConnecting(t *testing.T) {
	silent, _ := crowded(t, "tcp", "")
	looptest.Do(t, func(task *loop.Task) {
		l := &leaving{Context: context.Background()}
		go l.leave()
		w := backendtest.Worker(t, "http://"+silent, func(s *balancer.WorkerSettings) { s.Max, s.ConnectTimeout = 1, balancer.Some(time.Minute) })
		began := time.Now()
		if f, log := failOn(l, t, task, w); f.Kind != Exhausted || strings.Contains(log, "error") || time.Since(began) > 30*time.Second {
			t.Errorf("%v after %v, logged %q", f, time.Since(began), log)
		}
	})
}
