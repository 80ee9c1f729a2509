package backend

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"balancerd/balancer"
	"balancerd/proxy/backend/backendtest"
	"balancerd/proxy/exchange"
)

// names is a name server on loopback that says what a test tells it to.
type names struct {
	c net.PacketConn

	mu    sync.Mutex
	known map[string][]netip.Addr // none: the name does not exist
	delay time.Duration           // negative: no answer at all
	asked int                     // for addresses of IPv4
}

func newNames(t *testing.T) *names {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &names{c: c, known: map[string][]netip.Addr{}}
	resolver.Store(&net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", c.LocalAddr().String())
	}})
	go n.serve()
	t.Cleanup(func() { resolver.Store(nil); c.Close() })
	return n
}

// set gives a name its addresses, separated by blanks.
func (n *names) set(name, addrs string, delay time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.known, name)
	for _, a := range strings.Fields(addrs) {
		n.known[name] = append(n.known[name], netip.MustParseAddr(a))
	}
	n.delay = delay
}

func (n *names) count() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.asked
}

func (n *names) serve() {
	b := make([]byte, 1500)
	for {
		k, from, err := n.c.ReadFrom(b)
		if err != nil {
			return
		}
		answer, wait := n.answer(b[:k])
		if wait >= 0 {
			time.AfterFunc(wait, func() { n.c.WriteTo(answer, from) })
		}
	}
}

// answer makes the answer to a question (RFC 1035 section 4).
func (n *names) answer(q []byte) ([]byte, time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	var labels []string
	i := 12
	for q[i] != 0 {
		labels = append(labels, string(q[i+1:i+1+int(q[i])]))
		i += 1 + int(q[i])
	}
	end := i + 5
	kind := binary.BigEndian.Uint16(q[i+1:])
	a := append(append([]byte{}, q[:2]...), 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0)
	a = append(a, q[12:end]...)
	ips, ok := n.known[strings.Join(labels, ".")]
	switch {
	case !ok:
		a[3] |= 3
	case kind == 1:
		n.asked++
		a[7] = byte(len(ips))
		for _, ip := range ips {
			a = append(a, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4)
			a = append(a, ip.AsSlice()...)
		}
	}
	return a, n.delay
}

// twins are listeners on one port of two addresses.
func twins(t *testing.T) (a, b *listener, port string) {
	t.Helper()
	for range 20 {
		a = listen(t, "tcp", "127.0.0.1:0")
		_, port, _ = net.SplitHostPort(a.Addr().String())
		l, err := net.Listen("tcp", "127.0.0.2:"+port)
		if err != nil {
			continue
		}
		l.Close()
		return a, listen(t, "tcp", "127.0.0.2:"+port), port
	}
	t.Skip("no port that is free on two addresses")
	return nil, nil, ""
}

// visit opens a new connection, or takes a kept one, and tells where it leads.
func visit(t *testing.T, w *balancer.Worker, fresh, keep bool) string {
	t.Helper()
	c, err := Acquire(t.Context(), w, &exchange.Exchange{Server: &exchange.Server{Levels: &exchange.Levels{}}, Start: time.Now()}, &Call{}, fresh)
	if err != nil {
		var f *Failure
		if !errors.As(err, &f) {
			t.Fatal(err)
		}
		return fmt.Sprint("failure ", f.Kind)
	}
	defer c.Release(keep)
	host, _, _ := net.SplitHostPort(c.net.RemoteAddr().String())
	return host
}

func TestNamesThatChange(t *testing.T) {
	if _, err := os.Stat("/proc/net"); err != nil {
		t.Skip("127.0.0.2 is Linux's")
	}
	const name = "member.test"
	unknown := fmt.Sprint("failure ", NoName)
	start := func(t *testing.T, change func(*balancer.WorkerSettings)) (n *names, w *balancer.Worker, a *listener) {
		a, _, port := twins(t)
		n = newNames(t)
		n.set(name, "127.0.0.1", 0)
		return n, backendtest.Worker(t, "http://"+name+":"+port, change), a
	}
	same := func(t *testing.T, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	t.Run("once a worker", func(t *testing.T) {
		n, w, _ := start(t, nil)
		same(t, visit(t, w, true, false), "127.0.0.1")
		n.set(name, "127.0.0.2", 0)
		same(t, visit(t, w, true, false), "127.0.0.1")
		n.set(name, "", 0)
		same(t, visit(t, w, true, false), "127.0.0.1")
		if n.count() != 1 {
			t.Errorf("asked %d times", n.count())
		}
	})
	t.Run("disablereuse", func(t *testing.T) {
		n, w, _ := start(t, func(s *balancer.WorkerSettings) { s.DisableReuse, s.AddressTTL = balancer.Some(true), balancer.Some(0) })
		same(t, visit(t, w, true, false), "127.0.0.1")
		n.set(name, "127.0.0.2", 0)
		same(t, visit(t, w, true, false), "127.0.0.2")
		n.set(name, "", 0)
		same(t, visit(t, w, true, false), unknown)
	})
	t.Run("addressttl", func(t *testing.T) {
		n, w, _ := start(t, func(s *balancer.WorkerSettings) { s.AddressTTL = balancer.Some(1) })
		same(t, visit(t, w, false, true), "127.0.0.1")
		n.set(name, "127.0.0.2", 0)
		same(t, visit(t, w, false, true), "127.0.0.1")
		time.Sleep(1100 * time.Millisecond)
		same(t, visit(t, w, true, false), "127.0.0.2")
		same(t, visit(t, w, false, false), "127.0.0.2") // the kept one leads to where the name is no more
		n.set(name, "", 0)
		time.Sleep(1100 * time.Millisecond)
		same(t, visit(t, w, true, false), "127.0.0.2") // the last good answer goes on
	})
	t.Run("disablereuse alone", func(t *testing.T) {
		n, w, _ := start(t, func(s *balancer.WorkerSettings) { s.DisableReuse = balancer.Some(true) })
		same(t, visit(t, w, false, true), "127.0.0.1")
		n.set(name, "127.0.0.2", 0)
		same(t, visit(t, w, false, true), "127.0.0.2")
	})
	t.Run("disablereuse with addressttl", func(t *testing.T) {
		n, w, _ := start(t, func(s *balancer.WorkerSettings) {
			s.DisableReuse, s.AddressTTL = balancer.Some(true), balancer.Some(3600)
		})
		same(t, visit(t, w, false, true), "127.0.0.1")
		n.set(name, "127.0.0.2", 0)
		same(t, visit(t, w, false, true), "127.0.0.1")
	})
	t.Run("addressttl of kept connections", func(t *testing.T) {
		n, w, _ := start(t, func(s *balancer.WorkerSettings) { s.AddressTTL = balancer.Some(1) })
		same(t, visit(t, w, false, true), "127.0.0.1")
		n.set(name, "127.0.0.2", 0)
		time.Sleep(1100 * time.Millisecond)
		same(t, visit(t, w, false, true), "127.0.0.2")
		if k := Idle(w); k != 1 {
			t.Errorf("%d connections are kept", k)
		}
	})
	t.Run("a reload", func(t *testing.T) {
		n, w, _ := start(t, nil)
		same(t, visit(t, w, false, true), "127.0.0.1")
		n.set(name, "127.0.0.2", 0)
		Renew([]*balancer.Worker{w, backendtest.Worker(t, "http://other.test", nil)})
		same(t, visit(t, w, true, false), "127.0.0.2") // who opens a connection waits for the answer
		for end := time.Now().Add(10 * time.Second); Idle(w) > 0 && time.Now().Before(end); {
			time.Sleep(5 * time.Millisecond)
		}
		if k := Idle(w); k != 0 {
			t.Errorf("%d connections to where the name was are kept", k)
		}
		if n.count() > 3 { // two, unless both began at the same moment
			t.Errorf("asked %d times", n.count())
		}
	})
	t.Run("a reload while the name server is ill", func(t *testing.T) {
		n, w, _ := start(t, nil)
		same(t, visit(t, w, false, true), "127.0.0.1")
		n.set(name, "", 0)
		Renew([]*balancer.Worker{w})
		same(t, visit(t, w, true, false), "127.0.0.1")
		same(t, visit(t, w, false, true), "127.0.0.1")
		if k := Idle(w); k != 1 {
			t.Errorf("%d connections are kept", k)
		}
	})
	t.Run("several addresses", func(t *testing.T) {
		n, w, a := start(t, nil)
		n.set(name, "127.0.0.1 127.0.0.2", 0)
		same(t, visit(t, w, true, false), "127.0.0.1")
		a.Close()
		same(t, visit(t, w, true, false), "127.0.0.2")
	})
	t.Run("one of several goes", func(t *testing.T) {
		n, w, _ := start(t, func(s *balancer.WorkerSettings) { s.AddressTTL = balancer.Some(1) })
		n.set(name, "127.0.0.1 127.0.0.2", 0)
		same(t, visit(t, w, false, true), "127.0.0.1")
		n.set(name, "127.0.0.2 127.0.0.1", 0)
		time.Sleep(1100 * time.Millisecond)
		same(t, visit(t, w, false, true), "127.0.0.1") // where it leads is the worker's still
		n.set(name, "127.0.0.2", 0)
		time.Sleep(1100 * time.Millisecond)
		same(t, visit(t, w, false, true), "127.0.0.2")
	})
	t.Run("moved", func(t *testing.T) {
		n, w, a := start(t, nil)
		same(t, visit(t, w, true, false), "127.0.0.1")
		n.set(name, "127.0.0.2", 0)
		a.Close()
		same(t, visit(t, w, true, false), "127.0.0.2") // within the same attempt
	})
	t.Run("vanished with its member", func(t *testing.T) {
		n, w, a := start(t, nil)
		same(t, visit(t, w, true, false), "127.0.0.1")
		n.set(name, "", 0)
		a.Close()
		same(t, visit(t, w, true, false), fmt.Sprint("failure ", Refused))
	})
	t.Run("never there", func(t *testing.T) {
		n, w, _ := start(t, nil)
		n.set(name, "", 0)
		same(t, visit(t, w, true, false), unknown)
		n.set(name, "127.0.0.2", 0)
		same(t, visit(t, w, true, false), "127.0.0.2") // a failure is not kept
	})
}

// crowdOf has many ask for a connection at once, and tells how long the last of them took.
func crowdOf(t *testing.T, w *balancer.Worker, want string) time.Duration {
	t.Helper()
	began := time.Now()
	var over sync.WaitGroup
	for range 40 {
		over.Go(func() {
			if got := visit(t, w, true, false); got != want {
				t.Errorf("%s, want %s", got, want)
			}
		})
	}
	over.Wait()
	return time.Since(began)
}

// A name server that is slow, or silent, is waited for once, whoever wants to know.
func TestSlowNames(t *testing.T) {
	a := listen(t, "tcp", "127.0.0.1:0")
	_, port, _ := net.SplitHostPort(a.Addr().String())
	n := newNames(t)
	worker := func(name string) *balancer.Worker {
		n.set(name, "127.0.0.1", 300*time.Millisecond)
		return backendtest.Worker(t, "http://"+name+":"+port, func(s *balancer.WorkerSettings) { s.ConnectTimeout = balancer.Some(time.Second) })
	}
	w := worker("slow.test")
	if d := crowdOf(t, w, "127.0.0.1"); d > 3*time.Second || n.count() != 1 {
		t.Errorf("%v, asked %d times", d, n.count())
	}
	a.Close()
	if d := crowdOf(t, w, fmt.Sprint("failure ", Refused)); d > 3*time.Second || n.count() > 3 {
		t.Errorf("with the member gone: %v, asked %d times", d, n.count())
	}
	w = worker("silent.test")
	n.set("silent.test", "127.0.0.1", -1)
	if d := crowdOf(t, w, fmt.Sprint("failure ", NoName)); d < time.Second/2 || d > 10*time.Second {
		t.Errorf("a silent server cost %v", d)
	}
}

// A file may write a member's address in fewer numbers; clients may not.
func TestNumericHosts(t *testing.T) {
	w := backendtest.Worker(t, "http://127.1:81", nil)
	if list, err := Addresses(t.Context(), w, &Call{}); err != nil || fmt.Sprint(list) != "[127.0.0.1]" {
		t.Errorf("a member: %v, %v", list, err)
	}
	n := newNames(t)
	if list, err := Addresses(t.Context(), w, &Call{Host: "127.1", Port: 80}); err == nil {
		t.Errorf("what a client names: %v", list)
	}
	a := listen(t, "tcp", "127.0.0.1:0")
	_, port, _ := net.SplitHostPort(a.Addr().String())
	a.Close()
	n.set("0x7f.1", "127.0.0.2", 0)
	asked := n.count()
	if got := visit(t, backendtest.Worker(t, "http://0x7f.1:"+port, nil), true, false); got != fmt.Sprint("failure ", Refused) || n.count() != asked {
		t.Errorf("a member that is gone: %s, asked %d times for its name", got, n.count()-asked)
	}
}

// The order of glibc 2.41, asked with getaddrinfo and a hosts file.
func TestOrderOfAddresses(t *testing.T) {
	if _, err := os.Stat("/proc/net"); err != nil {
		t.Skip("127.0.0.2 is Linux's")
	}
	for _, c := range []struct{ from, want string }{
		{"127.0.0.4 127.0.0.3 127.0.0.2", "127.0.0.3 127.0.0.2 127.0.0.4"}, {"127.0.0.2 127.0.0.3", "127.0.0.2 127.0.0.3"},
		{"127.0.0.200 127.0.0.1", "127.0.0.1 127.0.0.200"}, {"::1 127.0.0.9 127.0.0.2", "::1 127.0.0.2 127.0.0.9"}, {"127.0.0.9 192.0.2.3 127.0.0.2", "127.0.0.9 192.0.2.3 127.0.0.2"},
	} {
		var list []netip.Addr
		for a := range strings.FieldsSeq(c.from) {
			list = append(list, netip.MustParseAddr(a))
		}
		nearest(list)
		if got := strings.Trim(fmt.Sprint(list), "[]"); got != c.want {
			t.Errorf("%s: %s, want %s", c.from, got, c.want)
		}
	}
}
