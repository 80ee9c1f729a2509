package tunnel

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"balancerd/proxy/exchange"
)

// stream is a net.Conn as a Stream.
type stream struct{ *net.TCPConn }

// pair is two ends of a connection.
func pair(t *testing.T) (a, b *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	d, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(); d.Close() })
	return c.(*net.TCPConn), d.(*net.TCPConn)
}

// joined is a tunnel under test: its client, its member, and what Join returns.
type joined struct {
	client, member *net.TCPConn
	ours           [2]*net.TCPConn
	moved          chan Moved
}

func newJoined(t *testing.T, join joiner, o Options) *joined {
	j := &joined{moved: make(chan Moved, 1)}
	var front, back *net.TCPConn
	j.client, front = pair(t)
	back, j.member = pair(t)
	j.ours = [2]*net.TCPConn{front, back}
	go func() {
		j.moved <- join(t, front, back, o)
		front.Close()
		back.Close()
	}()
	return j
}

func (j *joined) over(t *testing.T, within time.Duration) Moved {
	t.Helper()
	select {
	case m := <-j.moved:
		return m
	case <-time.After(within):
		t.Fatal("the tunnel does not end")
		return Moved{}
	}
}

func read(t *testing.T, c net.Conn, n int) string {
	t.Helper()
	b := make([]byte, n)
	c.SetReadDeadline(time.Now().Add(2 * time.Second))
	if _, err := io.ReadFull(c, b); err != nil {
		t.Fatalf("%v after %q", err, b)
	}
	return string(b)
}

func ended(t *testing.T, c net.Conn) {
	t.Helper()
	c.SetReadDeadline(time.Now().Add(2 * time.Second))
	if n, err := c.Read(make([]byte, 1)); n != 0 || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("not at its end: %d %v", n, err)
	}
}

// joiner joins two connections, and returns when that is over.
type joiner func(t *testing.T, front, back *net.TCPConn, o Options) Moved

// by joins them as streams of a kind.
func by(wrap func(*net.TCPConn) exchange.Stream) joiner {
	return func(_ *testing.T, front, back *net.TCPConn, o Options) Moved { return Join(wrap(front), wrap(back), o) }
}

// ways are the kinds of ends that a tunnel may have.
var ways = map[string]joiner{
	"net":  by(func(c *net.TCPConn) exchange.Stream { return stream{c} }),
	"raw":  by(rawStream),
	"loop": inLoops,
}

func TestBothWaysAndHalfClose(t *testing.T) {
	for name, join := range ways {
		t.Run(name, func(t *testing.T) {
			j := newJoined(t, join, Options{Idle: 5 * time.Second, FromClient: []byte("early "), FromMember: []byte("hello ")})
			io.WriteString(j.client, "ping")
			io.WriteString(j.member, "pong")
			if got := read(t, j.member, 10); got != "early ping" {
				t.Errorf("member got %q", got)
			}
			if got := read(t, j.client, 10); got != "hello pong" {
				t.Errorf("client got %q", got)
			}
			j.client.CloseWrite()
			ended(t, j.member)
			io.WriteString(j.member, "still here")
			if got := read(t, j.client, 10); got != "still here" {
				t.Errorf("after the client's end it got %q", got)
			}
			j.member.Close()
			if m := j.over(t, time.Second); m != (Moved{10, 20}) {
				t.Errorf("moved %+v", m)
			}
		})
	}
}

func TestFirstEndEndsBothWithWhole(t *testing.T) {
	for name, join := range ways {
		t.Run(name, func(t *testing.T) {
			j := newJoined(t, join, Options{Idle: 5 * time.Second, Whole: true})
			j.client.CloseWrite()
			j.over(t, time.Second)
			ended(t, j.member)
			ended(t, j.client)
		})
	}
}

func TestSilenceEndsIt(t *testing.T) {
	for name, join := range ways {
		t.Run(name, func(t *testing.T) {
			j := newJoined(t, join, Options{Idle: 300 * time.Millisecond})
			began := time.Now()
			for range 4 { // one direction alone keeps the other alive
				time.Sleep(150 * time.Millisecond)
				io.WriteString(j.client, "x")
			}
			read(t, j.member, 4)
			j.over(t, 2*time.Second)
			if d := time.Since(began); d < 800*time.Millisecond {
				t.Errorf("ended after %v", d)
			}
		})
	}
}

func TestResetEndsIt(t *testing.T) {
	for name, join := range ways {
		t.Run(name, func(t *testing.T) {
			j := newJoined(t, join, Options{})
			j.member.SetLinger(0)
			j.member.Close()
			j.over(t, 2*time.Second)
			ended(t, j.client)
		})
	}
}

func TestBulk(t *testing.T) {
	data := make([]byte, 8<<20)
	for i := range data {
		data[i] = byte(i * 7 >> 3)
	}
	for name, join := range ways {
		t.Run(name, func(t *testing.T) {
			j := newJoined(t, join, Options{Idle: 5 * time.Second})
			for _, way := range [][2]*net.TCPConn{{j.client, j.member}, {j.member, j.client}} {
				go func() {
					way[0].Write(data)
					way[0].CloseWrite()
				}()
				way[1].SetReadDeadline(time.Now().Add(10 * time.Second))
				if got, err := io.ReadAll(way[1]); err != nil || !bytes.Equal(got, data) {
					t.Errorf("%d bytes, %v", len(got), err)
				}
			}
			n := int64(len(data))
			if m := j.over(t, 2*time.Second); m != (Moved{n, n}) {
				t.Errorf("moved %+v", m)
			}
		})
	}
}
