package backend

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"balancerd/balancer"
	"balancerd/proxy/backend/backendtest"
	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/loop"
	"balancerd/proxy/internal/loop/looptest"
	"balancerd/proxy/internal/poison"
	"balancerd/testdata/linear"
)

// secureMember is a worker whose member speaks TLS; serve gets each connection after its handshake.
func secureMember(t *testing.T, serve func(*tls.Conn)) (*balancer.Worker, *Call) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			switch {
			case errors.Is(err, net.ErrClosed):
				return
			case err != nil: // no descriptor
				time.Sleep(time.Millisecond)
				continue
			}
			go func() {
				defer c.Close()
				if s := c.(*tls.Conn); s.Handshake() == nil {
					serve(s)
				}
			}()
		}
	}()
	client := func(ctx context.Context, c net.Conn, name string, _ ...string) (net.Conn, error) {
		s := tls.Client(c, &tls.Config{InsecureSkipVerify: true})
		return s, s.HandshakeContext(ctx)
	}
	return backendtest.Worker(t, "https://"+l.Addr().String(), nil), &Call{TLS: &TLS{Client: client}}
}

// acquireOn is acquire for an exchange that a task serves.
func acquireOn(t *testing.T, task *loop.Task, w *balancer.Worker, call *Call) (*Conn, *logs) {
	t.Helper()
	x, l := newExchange()
	x.Conn, x.Task = &exchange.Conn{}, task
	c, err := Acquire(context.Background(), w, x, call, false)
	if err != nil {
		t.Errorf("%v, logged %q", err, l.lines)
	}
	return c, l
}

func echo(c *tls.Conn) { io.Copy(c, c) }

// say sends a text to an echoing member and wants it back.
func say(t *testing.T, c *Conn, text string) {
	t.Helper()
	p := make([]byte, 100)
	if n, wrote, err := c.Talk(time.Now(), []byte(text), nil, p); !wrote || err != nil || string(p[:n]) != text {
		t.Errorf("said %q, got %q %v %v", text, p[:n], wrote, err)
	}
}

// A task that waits for a member over TLS does so by its loop, and the connection stays with that.
func TestSecureMembersAreTheLoops(t *testing.T) {
	w, call := secureMember(t, echo)
	looptest.Do(t, func(task *loop.Task) {
		c, _ := acquireOn(t, task, w, call)
		c.SetTimeout(20 * time.Millisecond)
		if _, err := c.Read(make([]byte, 1)); !IsTimeout(err) {
			t.Errorf("nothing came, and a read ended with %v", err)
		}
		if c.own == nil || !c.own.Watched() || !c.near(task) {
			t.Error("the loop knows nothing of a wait")
		}
		c.SetTimeout(5 * time.Second)
		say(t, c, "one")
		if n, err := c.TryRead(make([]byte, 1)); n != 0 || err != nil {
			t.Errorf("nothing is there, and a look brought %d %v", n, err)
		}
		c.Release(true)
		again, _ := acquireOn(t, task, w, call)
		if again != c || !again.Reused() {
			t.Error("it was not used again")
		}
		say(t, again, "two")
		again.Release(true)
	})
	if c := acquire(t, w, call, false); c.own != nil || c.Reused() {
		t.Error("who has no event loop got one's connection")
	} else {
		say(t, c, "three")
		c.Release(false)
	}
}

// Idle connections to members over TLS hold no buffers, however much has come in on them: after answers of 16 KiB they
// are as large as after short ones.
func TestSecureIdleHoldsNoBuffers(t *testing.T) {
	if poison.On || linear.Race {
		t.Skip("memory is another one's measure there")
	}
	const n = 50
	long := make([]byte, 16<<10)
	w, call := secureMember(t, func(c *tls.Conn) {
		for p := make([]byte, 1); ; {
			if _, err := c.Read(p); err != nil {
				return
			}
			c.Write(long[:1<<(p[0]-'0')])
		}
	})
	use := func(task *loop.Task, size string, want int) uint64 {
		list := make([]*Conn, n)
		got := make([]byte, want)
		for i := range list {
			list[i], _ = acquireOn(t, task, w, call)
			list[i].Write([]byte(size))
			if _, err := io.ReadFull(list[i], got); err != nil {
				t.Fatal(err)
			}
		}
		for _, c := range list {
			c.Release(true)
		}
		clear(list)
		task.Block()
		return heapInUse()
	}
	looptest.Do(t, func(task *loop.Task) {
		short := use(task, "0", 1)
		full := use(task, ">", len(long))
		for i := 0; i < 20 && full > short+n<<10; i++ { // somebody else's memory
			full = heapInUse()
		}
		if full > short+n<<10 {
			t.Errorf("%d bytes each more after full records", (full-short)/n)
		}
		if Idle(w) != n {
			t.Errorf("%d idle connections, want %d", Idle(w), n)
		}
	})
}

// heapInUse is how many bytes of it are.
func heapInUse() uint64 {
	var m runtime.MemStats
	for range 3 {
		runtime.GC() // pools are emptied by the second one
	}
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// A head and a short body go in one record.
func TestSecureHeadAndBodyAreOneRecord(t *testing.T) {
	records := make(chan string, 10)
	w, call := secureMember(t, func(c *tls.Conn) {
		for p := make([]byte, 32<<10); ; {
			n, err := c.Read(p) // a record at a time
			if err != nil {
				return
			}
			records <- string(p[:n])
		}
	})
	looptest.Do(t, func(task *loop.Task) {
		c, _ := acquireOn(t, task, w, call)
		defer c.Release(false)
		for _, s := range []struct {
			a, b string
			room int
			want []string
		}{
			{"head ", "body", 100, []string{"head body"}},
			{"head ", "body", 3, []string{"head ", "body"}},
			{"head", "", 0, []string{"head"}},
			{"", "body", 100, []string{"body"}},
		} {
			if err := c.Write2(append(make([]byte, 0, len(s.a)+s.room), s.a...), []byte(s.b)); err != nil {
				t.Fatal(err)
			}
			for _, want := range s.want {
				if got := <-records; got != want {
					t.Errorf("%q and %q: a record of %q, want %q", s.a, s.b, got, want)
				}
			}
		}
		if c.Sent() == 0 {
			t.Error("nothing is counted as sent")
		}
	})
}

// What came in on an idle connection is looked at inside of TLS.
func TestSecureIdleConnections(t *testing.T) {
	for _, c := range []struct {
		name   string
		after  func(*tls.Conn) // what the member does once it has answered
		reused bool
		logged string
	}{
		{"nothing", func(c *tls.Conn) { echo(c) }, true, ""},
		{"more than was asked for", func(c *tls.Conn) { io.WriteString(c, "surprise"); echo(c) }, false, "AH03408"},
		{"a goodbye", func(c *tls.Conn) { c.CloseWrite(); io.Copy(io.Discard, c) }, false, "AH00951"},
		{"an end", func(c *tls.Conn) { c.NetConn().Close() }, false, "AH00951"},
	} {
		w, call := secureMember(t, func(s *tls.Conn) {
			p := make([]byte, 10)
			n, _ := s.Read(p)
			s.Write(p[:n])
			c.after(s)
		})
		looptest.Do(t, func(task *loop.Task) {
			first, _ := acquireOn(t, task, w, call)
			say(t, first, "hello")
			task.Block()
			time.Sleep(50 * time.Millisecond)
			first.Release(true)
			second, l := acquireOn(t, task, w, call)
			if (first == second) != c.reused || !strings.Contains(strings.Join(l.lines, "\n"), c.logged) {
				t.Errorf("%s: reused %v, logged %q", c.name, first == second, l.lines)
			}
			second.Release(false)
		})
	}
	w, call := secureMember(t, echo)
	looptest.Do(t, func(task *loop.Task) {
		first, _ := acquireOn(t, task, w, call)
		task.Block()
		time.Sleep(50 * time.Millisecond) // the member's tickets for later sessions come
		first.Release(true)
		if second, l := acquireOn(t, task, w, call); second != first {
			t.Errorf("tickets: not reused, logged %q", l.lines)
		} else {
			say(t, second, "hello")
			second.Release(false)
		}
	})
}

// Whether a member that ended has got anything of a request can be told with TLS, too: what it has not may be
// sent again.
func TestSecureUndelivered(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(*tls.Conn)
		want bool
	}{
		"closed before":                 {func(c *tls.Conn) { c.NetConn().Close() }, true},
		"closed before, with a goodbye": {func(c *tls.Conn) { c.Close() }, true},
		"closed after it was read": {func(c *tls.Conn) {
			c.Read(make([]byte, 100))
			c.Close()
		}, false},
	} {
		w, call := secureMember(t, func(s *tls.Conn) {
			p := make([]byte, 100)
			n, _ := s.Read(p)
			s.Write(p[:n])
			c.end(s)
		})
		looptest.Do(t, func(task *loop.Task) {
			conn, _ := acquireOn(t, task, w, call)
			say(t, conn, "first")
			task.Block()
			time.Sleep(30 * time.Millisecond)
			conn.serve(task) // as for another attempt, without a look at it
			_, wrote, err := conn.Talk(time.Now(), []byte("second"), nil, make([]byte, 10))
			if !wrote || err != io.EOF && err != io.ErrUnexpectedEOF || conn.Undelivered() != c.want {
				t.Errorf("%s: %v %v, undelivered %v", name, wrote, err, conn.Undelivered())
			}
			conn.Release(false)
		})
	}
}

// An idle connection may be closed by anybody, and says goodbye.
func TestSecureConnectionsAreClosedByOthers(t *testing.T) {
	ended := make(chan error, 1)
	w, call := secureMember(t, func(c *tls.Conn) {
		_, err := c.Read(make([]byte, 1))
		ended <- err
	})
	looptest.Do(t, func(task *loop.Task) {
		c, _ := acquireOn(t, task, w, call)
		c.SetTimeout(time.Millisecond)
		c.Read(make([]byte, 1)) // from now on the loop watches it
		c.Release(true)
	})
	poolOf(w).Close()
	select {
	case err := <-ended:
		if err != io.EOF {
			t.Errorf("the member saw %v", err)
		}
	case <-time.After(5 * time.Second):
		t.Error("the member's connection is open")
	}
}

// without leaves n descriptors to f, or a few more if others close some meanwhile.
func without(t *testing.T, n int, f func()) {
	t.Helper()
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 512, Max: before.Max}); err != nil {
		t.Fatal(err)
	}
	defer syscall.Setrlimit(syscall.RLIMIT_NOFILE, &before)
	var taken []int
	defer func() {
		for _, fd := range taken {
			syscall.Close(fd)
		}
	}()
	for {
		fd, err := syscall.Open("/dev/null", syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
		if err != nil {
			break
		}
		taken = append(taken, fd)
	}
	if len(taken) < n {
		t.Fatalf("%d descriptors are left of 512", len(taken))
	}
	for range n {
		syscall.Close(taken[len(taken)-1])
		taken = taken[:len(taken)-1]
	}
	f()
}

// plainMember echoes without TLS.
func plainMember(t *testing.T) (*balancer.Worker, *Call) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			switch {
			case errors.Is(err, net.ErrClosed):
				return
			case err != nil: // no descriptor
				time.Sleep(time.Millisecond)
				continue
			}
			go func() {
				defer c.Close()
				io.Copy(c, c)
			}()
		}
	}()
	return backendtest.Worker(t, "http://"+l.Addr().String(), nil), &Call{}
}

// A tunnel needs no descriptor beyond the connection's own, of which there may be none any more.
func TestTunnelsWithoutDescriptors(t *testing.T) {
	for name, member := range members {
		w, call := member(t)
		looptest.Do(t, func(task *loop.Task) {
			c, _ := acquireOn(t, task, w, call)
			say(t, c, "first")
			task.Block()
			without(t, 0, func() {
				s := c.Stream()
				s.SetReadDeadline(time.Now().Add(5 * time.Second))
				io.WriteString(s, "hello")
				p := make([]byte, 5)
				if _, err := io.ReadFull(s, p); err != nil || string(p) != "hello" {
					t.Errorf("%s: %q %v", name, p, err)
				}
				s.CloseWrite()
				if n, err := s.Read(p); n != 0 || err != io.EOF {
					t.Errorf("%s: after its end %d %v", name, n, err)
				}
			})
			c.Release(false)
		})
	}
}

var members = map[string]func(*testing.T) (*balancer.Worker, *Call){
	"plain":  plainMember,
	"secure": func(t *testing.T) (*balancer.Worker, *Call) { return secureMember(t, echo) },
}

// Where there is no descriptor to hand a new connection to a loop with, it is used outside of the loops,
// and no loop gets it afterwards.
func TestConnectionsThatNoLoopCanHave(t *testing.T) {
	for name, member := range members {
		w, call := member(t)
		var first *Conn
		looptest.Do(t, func(task *loop.Task) {
			for try := range 12 { // the connection's own, and the member's end may take another one first
				without(t, 1+try%3, func() {
					x, _ := newExchange()
					x.Conn, x.Task = &exchange.Conn{}, task
					ctx, cancel := context.WithTimeout(context.Background(), time.Second)
					defer cancel()
					first, _ = Acquire(ctx, w, x, call, true)
				})
				if first != nil && first.own == nil {
					break
				}
				if first != nil {
					first.Release(false)
				}
			}
			if first == nil || first.own != nil {
				t.Errorf("%s: there was a descriptor, or no connection", name)
				return
			}
			say(t, first, "hello")
			first.Release(true)
		})
		looptest.Do(t, func(task *loop.Task) {
			second, _ := acquireOn(t, task, w, call)
			if second == first || second.own == nil {
				t.Errorf("%s: a loop got a connection that it cannot wait for", name)
			}
			second.Release(false)
		})
	}
}

// Members that may begin another handshake in between are read beside the loops, whoever asks, and their
// connections are kept all the same.
func TestRenegotiatingMembersAreNoLoops(t *testing.T) {
	w, call := secureMember(t, echo)
	call.TLS.Renegotiates = true
	var first *Conn
	looptest.Do(t, func(task *loop.Task) {
		first, _ = acquireOn(t, task, w, call)
		if first.own != nil || first.below != nil {
			t.Error("a loop has it")
		}
		say(t, first, "one")
		first.Release(true)
		again, _ := acquireOn(t, task, w, call)
		if again != first {
			t.Error("it was not used again")
		}
		say(t, again, "two")
		again.Release(true)
	})
	if c := acquire(t, w, call, false); c != first {
		t.Error("it is not for everybody")
	} else {
		say(t, c, "three")
		c.Release(false)
	}
}

// An answer that comes in one piece with the member's goodbye is an answer.
func TestSecureAnswerWithGoodbye(t *testing.T) {
	w, call := secureMember(t, func(c *tls.Conn) {
		c.Read(make([]byte, 10))
		rc, err := c.NetConn().(syscall.Conn).SyscallConn()
		if err == nil {
			rc.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_CORK, 1) })
		}
		if err != nil {
			t.Error(err)
		}
		io.WriteString(c, "answer")
		c.Close()
	})
	call.TLS.Client = func(ctx context.Context, c net.Conn, _ string, _ ...string) (net.Conn, error) {
		s := tls.Client(c, &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12}) // with 1.3 crypto/tls does not look ahead
		return s, s.HandshakeContext(ctx)
	}
	check := func(c *Conn) {
		p := make([]byte, 100)
		n, wrote, err := c.Talk(time.Now(), []byte("hello"), nil, p)
		if !wrote || err != nil || string(p[:n]) != "answer" {
			t.Errorf("%q %v %v", p[:n], wrote, err)
		}
		if n, err := c.Read(p); n != 0 || err != io.EOF {
			t.Errorf("behind it: %d %v", n, err)
		}
		c.Release(false)
	}
	check(acquire(t, w, call, true))
	looptest.Do(t, func(task *loop.Task) {
		c, _ := acquireOn(t, task, w, call)
		check(c)
	})
}
