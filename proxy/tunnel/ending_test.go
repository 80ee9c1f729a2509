package tunnel

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"testing"
	"time"
)

// flood writes until that fails.
func flood(c net.Conn) {
	for p := make([]byte, 64<<10); ; {
		if _, err := c.Write(p); err != nil {
			return
		}
	}
}

// How a tunnel ended is what happened first, whatever kinds of ends it has.
func TestEndings(t *testing.T) {
	const both = 5 * time.Second
	for what, c := range map[string]struct {
		o    Options
		do   func(client, member *net.TCPConn)
		want string
	}{
		"one after the other":   {Options{Idle: both}, func(c, m *net.TCPConn) { c.CloseWrite(); io.ReadAll(m); m.Close() }, "0 false <nil> [0 0]"},
		"the client, whole":     {Options{Idle: both, Whole: true}, func(c, m *net.TCPConn) { c.CloseWrite() }, "1 false <nil> [0 0]"},
		"the member, whole":     {Options{Idle: both, Whole: true}, func(c, m *net.TCPConn) { m.CloseWrite() }, "1 true <nil> [0 0]"},
		"silence":               {Options{Idle: 100 * time.Millisecond}, func(c, m *net.TCPConn) {}, "2 false <nil> [1 1]"},
		"silence of the member": {Options{Idle: 100 * time.Millisecond}, func(c, m *net.TCPConn) { c.CloseWrite() }, "2 true <nil> [0 1]"},
		"a client's reset":      {Options{Idle: both}, func(c, m *net.TCPConn) { c.SetLinger(0); c.Close() }, "3 false connection reset by peer [0 0]"},
		"a member's reset":      {Options{Idle: both}, func(c, m *net.TCPConn) { m.SetLinger(0); m.Close() }, "3 true connection reset by peer [0 0]"},
		"nobody reads":          {Options{Idle: 300 * time.Millisecond}, func(c, m *net.TCPConn) { go flood(c); go flood(m) }, "2 ? <nil> [2 2]"},
	} {
		for name, join := range ways {
			t.Run(what+" "+name, func(t *testing.T) {
				var e Ending
				c.o.Ending = &e
				j := newJoined(t, join, c.o)
				c.do(j.client, j.member)
				j.over(t, 10*time.Second)
				var errno syscall.Errno
				err := e.Err
				if errors.As(err, &errno) {
					err = errno
				}
				member := fmt.Sprint(e.Member)
				if what == "nobody reads" || what == "silence" {
					member = map[string]string{"nobody reads": "?", "silence": "false"}[what] // which direction finds it first is chance
				}
				if got := fmt.Sprint(uint8(e.How), " ", member, " ", err, " ", e.Waits); got != c.want {
					t.Errorf("%s, want %s", got, c.want)
				}
			})
		}
	}
}

// Who reads nothing is let go after the time that the tunnel may be silent, not after as long again.
func TestWhoReadsNothing(t *testing.T) {
	const idle = 1500 * time.Millisecond
	for name, join := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := newJoined(t, join, Options{Idle: idle})
			endsAfter(t, j.member, j.moved, idle)
		})
	}
}

// endsAfter floods a tunnel from its member's side, which nobody reads, until it ends: that is to be idle after the last
// bytes that went in.
func endsAfter(t *testing.T, member net.Conn, moved <-chan Moved, idle time.Duration) {
	t.Helper()
	last := make(chan time.Time, 1)
	go func() {
		at := time.Now()
		for p := make([]byte, 64<<10); ; at = time.Now() {
			if _, err := member.Write(p); err != nil {
				last <- at
				return
			}
		}
	}()
	select {
	case <-moved:
	case <-time.After(10 * idle):
		t.Fatal("the tunnel does not end")
	}
	member.Close()
	if took := time.Since(<-last); took > 5*idle/2 {
		t.Errorf("it ended after %v, %v are allowed", took, idle)
	}
}

// A side that goes away while the other one sends fails a read of its own, or a write to it.
func TestEndingOfWrites(t *testing.T) {
	for name, join := range ways {
		t.Run(name, func(t *testing.T) {
			var e Ending
			j := newJoined(t, join, Options{Idle: 10 * time.Second, Ending: &e})
			j.client.Close()
			read := make([]byte, 1)
			j.member.Read(read) // the client's end
			go flood(j.member)
			j.over(t, 10*time.Second)
			if e.How != WriteFailed || !e.Member || e.Err == nil {
				t.Errorf("%+v", e)
			}
		})
	}
}

// A side that takes nothing for longer than the tunnel may be silent loses nothing and ends nothing as long as it sends.
func TestASlowReaderThatSends(t *testing.T) {
	data := make([]byte, 8<<20)
	for i := range data {
		data[i] = byte(i * 7 >> 3)
	}
	for name, join := range ways {
		if name == "net" { // a write that took too long can't go on
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := newJoined(t, join, Options{Idle: 300 * time.Millisecond})
			go func() { j.client.Write(data); j.client.CloseWrite() }()
			go io.Copy(io.Discard, j.client)
			for range 20 {
				io.WriteString(j.member, "tick")
				time.Sleep(60 * time.Millisecond)
			}
			got, err := io.ReadAll(j.member)
			if err != nil || !bytes.Equal(got, data) {
				t.Errorf("%d bytes of %d, %v", len(got), len(data), err)
			}
			j.member.Close()
			j.over(t, 10*time.Second)
		})
	}
}

// One that takes little at a time is not silent, however long all of it takes.
func TestASlowReader(t *testing.T) {
	for name, join := range ways {
		if name == "net" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var e Ending
			j := newJoined(t, join, Options{Idle: 700 * time.Millisecond, Ending: &e})
			for _, c := range []*net.TCPConn{j.ours[1], j.member} { // what one write holds takes longer than the tunnel may be silent
				c.SetWriteBuffer(32 << 10)
				c.SetReadBuffer(32 << 10)
			}
			const size = 1 << 20
			go func() { j.client.Write(make([]byte, size)); j.client.CloseWrite() }()
			n, p := 0, make([]byte, size/64)
			for n < size {
				k, err := io.ReadFull(j.member, p[:min(len(p), size-n)])
				if n += k; err != nil {
					t.Fatalf("%d bytes, %v, %+v", n, err, e)
				}
				time.Sleep(50 * time.Millisecond)
			}
			j.member.Close()
			j.over(t, 10*time.Second)
		})
	}
}
