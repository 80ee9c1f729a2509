package loop

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"balancerd/proxy/internal/sys"
)

// serveOffLoop begins the jobs of n connections beside the loops, and gives the clients' ends.
func serveOffLoop(t *testing.T, n int, f func(c *Conn, task *Task)) []net.Conn {
	t.Helper()
	g := newGroup(t, 2)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	rc, _ := l.(*net.TCPListener).SyscallConn()
	var fd uintptr
	rc.Control(func(n uintptr) { fd, _ = sys.Dup(n) })
	stop, err := g.Listen([]uintptr{fd}, Accept{
		Job: func(conn uintptr, remote netip.AddrPort) (Job, bool) {
			return job(func(task *Task) {
				if !task.offLoop() {
					t.Error("it begins in the loop")
				}
				c := NewConn(g.NewFd(conn), task, l.Addr(), net.TCPAddrFromAddrPort(remote))
				defer c.Close()
				f(c, task)
			}), true
		},
		HasRoom: func(uintptr) bool { return true },
		Failed:  func(e syscall.Errno) { t.Error(e) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	var out []net.Conn
	for range n {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		c.SetDeadline(time.Now().Add(20 * time.Second))
		out = append(out, c)
	}
	return out
}

// TestOffLoopJobs: they begin beside the loop, and are the loop's after their first wait, unless they are
// detached for good.
func TestOffLoopJobs(t *testing.T) {
	var beside atomic.Int32
	const n = 100
	for _, c := range serveOffLoop(t, n, func(c *Conn, task *Task) {
		var b [1]byte
		for forGood := false; ; {
			if _, err := c.Read(b[:]); err != nil {
				return
			}
			switch {
			case forGood && !task.offLoop():
				t.Error("a task that is detached for good came back")
			case !forGood && task.offLoop():
				beside.Add(1)
			}
			if b[0] == 'a' {
				task.Detach()
				forGood = true
			}
			if b[0] == 'l' {
				task.Block()
				time.Sleep(time.Millisecond)
			}
			c.Write(b[:])
		}
	}) {
		for _, text := range []string{"b", "l", "b", "l", "l", "b", "a", "b", "b"} {
			time.Sleep(time.Millisecond / 4)
			io.WriteString(c, text)
			var b [1]byte
			if _, err := io.ReadFull(c, b[:]); err != nil || string(b[:]) != text {
				t.Fatalf("%q %v", b, err)
			}
		}
		c.Close()
	}
	if k := beside.Load(); k > n/2 { // the first read of a connection may find its byte without a wait
		t.Errorf("%d reads ended beside the loop", k)
	}
}

// TestConn: waits, deadlines, timeouts, eagerness, more than the system takes at once, the end.
func TestConn(t *testing.T) {
	big := bytes.Repeat([]byte("0123456789"), 1<<20)
	result := make(chan string, 20)
	say := func(what string, err error) {
		if err != nil {
			what += " " + err.Error()
		}
		result <- what
	}
	c := serveOffLoop(t, 1, func(c *Conn, task *Task) {
		p := make([]byte, 10)
		c.SetReadDeadline(time.Now().Add(30 * time.Millisecond))
		_, err := c.Read(p)
		say("deadline", err)
		c.ReadWithin(30 * time.Millisecond)
		began := time.Now()
		_, err = c.Read(p)
		say("timeout", err)
		if took := time.Since(began); took < 25*time.Millisecond {
			t.Errorf("a timeout of 30 ms ended after %v", took)
		}
		var timeout net.Error
		if !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("%v is no timeout", err)
		}
		c.Eager(true)
		_, err = c.Read(p)
		say("eager", err)
		c.Eager(false)
		c.ReadWithin(10 * time.Second)
		result <- "read"
		n, err := c.Read(p)
		say(string(p[:n]), err)
		n, err = c.Write(big)
		if n != len(big) {
			t.Errorf("wrote %d", n)
		}
		say("wrote", err)
		_, err = c.Read(p)
		say("end", err)
	})[0]
	late := " " + os.ErrDeadlineExceeded.Error()
	for _, want := range []string{"deadline" + late, "timeout" + late, "eager" + late, "read"} {
		if got := <-result; got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
	io.WriteString(c, "hello")
	if got := <-result; got != "hello" {
		t.Fatal(got)
	}
	time.Sleep(20 * time.Millisecond)
	got := make([]byte, len(big))
	if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, big) {
		t.Fatalf("the rest: %v", err)
	}
	c.(*net.TCPConn).CloseWrite()
	for _, want := range []string{"wrote", "end EOF"} {
		if got := <-result; got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
}

// TestConnHandsOff: another one goes on with the same socket.
func TestConnHandsOff(t *testing.T) {
	ended, begun := make(chan error, 1), make(chan bool)
	c := serveOffLoop(t, 1, func(c *Conn, task *Task) {
		p := make([]byte, 10)
		c.Read(p)
		close(begun)
		c.HandOff(sys.NewFileConn(c.fd.Release(task), c.LocalAddr(), c.RemoteAddr()))
		c.SetDeadline(time.Now().Add(10 * time.Second))
		n, err := c.Read(p)
		if err == nil {
			_, err = c.Write(append([]byte("and "), p[:n]...))
		}
		ended <- err
	})[0]
	io.WriteString(c, "one")
	<-begun
	io.WriteString(c, "two")
	b := make([]byte, 7)
	if _, err := io.ReadFull(c, b); err != nil || string(b) != "and two" {
		t.Errorf("%q %v", b, err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
