//go:build linux

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"balancerd/testdata/linear"
)

// crowdSize is how many clients of a kind come: a few hundred, with BALANCERD_CROWDS=1 whole, as far as the
// descriptors allow that a process may have. others have some already; each client costs some.
func crowdSize(t *testing.T, whole, others, each int) int {
	t.Helper()
	if testing.Short() || linear.Race {
		t.Skip("slow")
	}
	if os.Getenv("BALANCERD_CROWDS") == "" {
		return 300
	}
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		t.Fatal(err)
	}
	if most := (int(min(l.Max, 1<<20))/4*3 - 400 - others) / each; whole > most { // beyond three in four nobody is let in
		t.Logf("%d of %d clients: %d descriptors are all that there are", most, whole, l.Max)
		return most
	}
	return whole
}

// memoryNoise is by how many KiB the server's memory differs from one moment to the next, crowd or none.
const memoryNoise = 6 << 10

// from is a dialer with an address of its own for each few thousand connections: ports are 16 bits.
func from(i int) *net.Dialer {
	return &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(1+i/5000))}, Timeout: 20 * time.Second}
}

// crowd opens n connections and has do begin on each.
func (p *instance) crowd(n int, do func(i int, c *net.TCPConn) error) []*net.TCPConn {
	p.t.Helper()
	all := make([]*net.TCPConn, n)
	var next atomic.Int64
	var failed atomic.Pointer[error]
	var over sync.WaitGroup
	for range 32 {
		over.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n || failed.Load() != nil {
					return
				}
				c, err := from(i).Dial("tcp", fmt.Sprintf("127.0.0.1:%d", p.port))
				if err == nil {
					all[i] = c.(*net.TCPConn)
					err = do(i, all[i])
				}
				if err != nil {
					failed.Store(&err)
				}
			}
		})
	}
	over.Wait()
	p.t.Cleanup(func() { resetAll(all) })
	if err := failed.Load(); err != nil {
		p.t.Fatal(*err)
	}
	return all
}

// resetAll ends connections without TIME_WAIT.
func resetAll(all []*net.TCPConn) {
	for _, c := range all {
		if c != nil {
			c.SetLinger(0)
			c.Close()
		}
	}
}

// resident is the server's memory in bytes.
func (p *instance) resident() int {
	f := strings.Fields(p.proc("statm"))
	pages, _ := strconv.Atoi(f[1])
	return pages * os.Getpagesize()
}

// cpuTime is the processor's time that the server has used.
func (p *instance) cpuTime() time.Duration {
	_, after, _ := strings.Cut(p.proc("stat"), ") ")
	f := strings.Fields(after)
	user, _ := strconv.Atoi(f[11])
	system, _ := strconv.Atoi(f[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

// descriptors is how many the server has open.
func (p *instance) descriptors() int {
	list, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.serving()))
	if err != nil {
		p.t.Fatal(err)
	}
	return len(list)
}

func (p *instance) proc(name string) string {
	p.t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", p.serving(), name))
	if err != nil {
		p.t.Fatal(err)
	}
	return string(b)
}

// otherClients measures how long requests of four more clients take, the median and the slowest of four hundred.
func (p *instance) otherClients() (median, slowest time.Duration) {
	p.t.Helper()
	const each, clients = 100, 4
	took := make([]time.Duration, each*clients)
	var over sync.WaitGroup
	for k := range clients {
		over.Go(func() {
			tr := &http.Transport{}
			defer tr.CloseIdleConnections()
			c := http.Client{Transport: tr, Timeout: 10 * time.Second}
			for i := range each {
				began := time.Now()
				r, err := c.Get(p.url("/other"))
				if err != nil {
					p.t.Error(err)
					return
				}
				b, _ := io.ReadAll(r.Body)
				r.Body.Close()
				if string(b) != "member /other" {
					p.t.Errorf("another client got %d %q", r.StatusCode, b)
				}
				took[k*each+i] = time.Since(began)
				if i%10 == 9 {
					c.CloseIdleConnections() // new ones must come through as well
				}
			}
		})
	}
	over.Wait()
	slices.Sort(took)
	return took[len(took)/2], took[len(took)-1]
}

// Slow senders, in heads and in bodies, and slow readers keep no other client waiting and cost little.
func TestSlowCrowds(t *testing.T) {
	sending := crowdSize(t, 10_000, 0, 1)
	reading := crowdSize(t, 10_000, sending+sending/20, 4) // the client, the member, and a pipe
	p := newInstance(t)
	plain := p.member.Handler
	long := strings.Repeat("0123456789abcdef", 128<<10) // 2 MiB: more than all buffers on the way hold
	p.behind(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/long":
			w.Header().Set("Content-Length", strconv.Itoa(len(long)))
			io.WriteString(w, long)
		case "/chunked":
			io.WriteString(w, long)
		case "/slow":
			io.Copy(io.Discard, r.Body) // an answer before its end would be the connection's
		default:
			plain.ServeHTTP(w, r)
		}
	}))
	p.member.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		c.(*net.TCPConn).SetWriteBuffer(64 << 10)
		return ctx
	}
	p.conf("Timeout 300\nThreadsPerChild 25\nMaxRequestWorkers 50\nSendBufferSize 65536\nProxyReceiveBufferSize 65536\n" + passAll)
	p.start()
	p.otherClients()
	median, slowest := p.otherClients()
	before := p.resident()
	report := func(what string, n int) {
		t.Helper()
		m, s := p.otherClients()
		now := p.resident()
		cost := float64(now-before) / float64(n) / 1024
		before = now
		t.Logf("%d %s: %.1f KiB each; others %v, slowest %v (alone %v, %v)", n, what, cost, m, s, median, slowest)
		if cost > 64+memoryNoise/float64(n) {
			t.Errorf("%.1f KiB for each of %d %s", cost, n, what)
		}
		if m > 5*median+20*time.Millisecond || s > time.Second {
			t.Errorf("others wait %v, at most %v, with %d %s", m, s, n, what)
		}
	}
	senders := p.crowd(sending, func(i int, c *net.TCPConn) error {
		begin := "GET /slow HTTP/1.1\r\nHost: h\r\nX-A: "
		switch post := "POST /slow HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n"; {
		case i%20 == 19: // so much that a member sees some of it
			begin = post + long[:100_000]
		case i%2 == 1:
			begin = post + long[:i%200]
		}
		_, err := io.WriteString(c, begin)
		return err
	})
	sendByte := func(all []*net.TCPConn) {
		for _, c := range all {
			if _, err := io.WriteString(c, "y"); err != nil {
				t.Fatal(err)
			}
		}
	}
	sendByte(senders)
	report("slow senders", sending)
	readers := p.crowd(reading, func(i int, c *net.TCPConn) error {
		path := "/long"
		if i%2 == 1 {
			path = "/chunked"
		}
		_, err := io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: h\r\n\r\n")
		return err
	})
	time.Sleep(time.Second)
	sendByte(senders)
	report("slow readers beside them", reading)
	t.Logf("%d descriptors", p.descriptors())
	for i, c := range readers[:20] { // and they get what they asked for
		c.SetReadDeadline(time.Now().Add(time.Minute)) // windows this small may wait for a probe
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(res.Body); err != nil || string(b) != long {
			t.Errorf("reader %d got %d bytes, %v", i, len(b), err)
		}
	}
	resetAll(senders)
	resetAll(readers)
	p.until("the crowd is gone", func() bool { return p.descriptors() < 100+50 })
}

// Open WebSockets cost little, all work, and nothing of them is left.
func TestManyWebSockets(t *testing.T) {
	t.Parallel()
	n := crowdSize(t, 5_000, 0, 2)
	p := newInstance(t)
	plain := p.member.Handler
	p.behind(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "websocket" {
			plain.ServeHTTP(w, r)
			return
		}
		c, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer c.Close()
		io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		io.Copy(c, rw)
	}))
	p.conf("Timeout 300\nThreadsPerChild 25\nMaxRequestWorkers 50\nProxyPass / http://{back}/ upgrade=websocket\n")
	p.start()
	p.otherClients()
	p.otherClients()
	before, descriptors := p.resident(), p.descriptors()
	echo := func(i int, c *net.TCPConn) error {
		text := fmt.Sprintf("%08d", i)
		if _, err := io.WriteString(c, text); err != nil {
			return err
		}
		c.SetReadDeadline(time.Now().Add(time.Minute)) // windows this small may wait for a probe
		b := make([]byte, len(text))
		if _, err := io.ReadFull(c, b); err != nil || string(b) != text {
			return fmt.Errorf("client %d: %q, %v", i, b, err)
		}
		return nil
	}
	all := p.crowd(n, func(i int, c *net.TCPConn) error {
		io.WriteString(c, "GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		c.SetReadDeadline(time.Now().Add(time.Minute)) // windows this small may wait for a probe
		head, err := io.ReadAll(io.LimitReader(c, 12))
		if err != nil || string(head) != "HTTP/1.1 101" {
			return fmt.Errorf("client %d: %q, %v", i, head, err)
		}
		for end := ""; !strings.HasSuffix(end, "\r\n\r\n"); {
			b := make([]byte, 1)
			if _, err := io.ReadFull(c, b); err != nil {
				return err
			}
			end += string(b)
		}
		return echo(i, c)
	})
	median, slowest := p.otherClients()
	cost := float64(p.resident()-before) / float64(n) / 1024
	t.Logf("%d WebSockets: %.1f KiB each, %d descriptors; others %v, slowest %v", n, cost, p.descriptors(), median, slowest)
	if cost > 64+memoryNoise/float64(n) {
		t.Errorf("%.1f KiB for each", cost)
	}
	for i, c := range all {
		if err := echo(i, c); err != nil {
			t.Fatal(err)
		}
	}
	resetAll(all)
	p.until("the tunnels are gone", func() bool { return p.descriptors() < descriptors+20 })
}

// When descriptors are short the server lets nobody in any more and does not spin, says it once, goes on
// serving those who are there, with connections to members of their own, and is back as soon as there are
// descriptors.
func TestDescriptorsExhausted(t *testing.T) {
	t.Parallel()
	p := newInstance(t)
	p.conf("Timeout 300\nThreadsPerChild 25\nMaxRequestWorkers 50\nProxyPass /lb/ balancer://lb/\n<Proxy balancer://lb>\nBalancerMember http://{back} retry=600\n</Proxy>\n" + passAll)
	shell := p.write("few", "#!/bin/sh\nulimit -n 100\nexec "+p.binary+" \"$@\"\n")
	os.Chmod(shell, 0o755)
	p.binary = shell
	p.start()
	ask := func(c net.Conn, path string) (int, error) {
		fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: h\r\n\r\n", path)
		c.SetReadDeadline(time.Now().Add(10 * time.Second))
		r, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			return 0, err
		}
		io.Copy(io.Discard, r.Body)
		return r.StatusCode, nil
	}
	base := p.descriptors()
	var early []net.Conn // are served throughout, as far as that goes without a new descriptor
	for range 3 {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", p.port))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if status, err := ask(c, "/early"); status != 200 {
			t.Fatal(status, err)
		}
		early = append(early, c)
	}
	var all []net.Conn
	for range 200 {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", p.port))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		io.WriteString(c, "GET / HTTP/1.1\r\nHo") // the listener defers those that say nothing
		all = append(all, c)
	}
	p.until("three in four are taken", func() bool { return p.descriptors() >= 75 })
	p.until("it is said", func() bool { return strings.Contains(p.read("error.log"), "AH00455") })
	used := p.cpuTime()
	time.Sleep(2 * time.Second)
	if d := p.cpuTime() - used; d > 200*time.Millisecond {
		t.Errorf("two seconds without room cost %v of the processor", d)
	}
	if status, err := ask(early[0], "/kept"); status != 200 { // over a connection to the member that is open
		t.Errorf("a client from before: %d, %v", status, err)
	}
	if status, err := ask(early[1], "/lb/x"); status != 200 { // over a new one
		t.Errorf("a balancer's request: %d, %v", status, err)
	}
	if n := p.descriptors(); n > 90 {
		t.Errorf("%d descriptors: too little is left to those who are served", n)
	}
	for _, c := range all {
		c.Close()
	}
	began := time.Now()
	p.until("it serves again", func() bool { s, _ := p.get("/back"); return s == 200 })
	if d := time.Since(began); d > 2*time.Second {
		t.Errorf("back after %v", d)
	}
	if status, body := p.get("/lb/y"); status != 200 {
		t.Errorf("the member was blamed: %d %s", status, body)
	}
	p.until("the descriptors are back", func() bool { return p.descriptors() < base+20 })
	log := p.read("error.log")
	if n := strings.Count(log, "AH00455"); n != 1 {
		t.Errorf("it was said %d times", n)
	}
	if strings.Contains(log, "AH00959") {
		t.Error("the member was blamed")
	}
}
