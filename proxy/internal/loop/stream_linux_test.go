package loop

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"balancerd/proxy/internal/sys"
)

// pair is a PollStream and the other end of its connection.
func pair(t *testing.T) (*PollStream, *net.TCPConn, *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	a, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	b, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close(); b.Close() })
	s := &PollStream{}
	if err := s.Open(a.(*net.TCPConn), 0); err != nil {
		t.Fatal(err)
	}
	return s, a.(*net.TCPConn), b.(*net.TCPConn)
}

func TestReadAndTry(t *testing.T) {
	s, _, far := pair(t)
	p := make([]byte, 10)
	if n, err := s.Try(p); n != 0 || err != nil || s.Look() != Quiet {
		t.Errorf("%d %v on a silent one", n, err)
	}
	time.AfterFunc(20*time.Millisecond, func() { io.WriteString(far, "hello") })
	if n, err := s.Read(p, time.Second); string(p[:n]) != "hello" || err != nil {
		t.Errorf("%q %v", p[:n], err)
	}
	io.WriteString(far, "more")
	for end := time.Now().Add(5 * time.Second); s.Look() != Bytes; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("bytes are not seen")
		}
	}
	if n, err := s.Try(p); string(p[:n]) != "more" || err != nil {
		t.Errorf("%q %v", p[:n], err)
	}
	far.CloseWrite()
	if n, err := s.Read(p, time.Second); n != 0 || err != io.EOF || s.Look() != End {
		t.Errorf("%d %v at the end", n, err)
	}
}

// A deadline that an earlier wait left behind is not in the way of a later one, and a wait is as long
// as it was asked for.
func TestWaitsLastAsLongAsAsked(t *testing.T) {
	s, _, far := pair(t)
	p := make([]byte, 10)
	for _, d := range []time.Duration{50 * time.Millisecond, 200 * time.Millisecond, 20 * time.Millisecond} {
		began := time.Now()
		_, err := s.Read(p, d)
		if took := time.Since(began); !errors.Is(err, os.ErrDeadlineExceeded) || took < d || took > d+d/8+80*time.Millisecond {
			t.Errorf("%v: %v after %v", d, err, took)
		}
	}
	time.Sleep(30 * time.Millisecond)
	time.AfterFunc(30*time.Millisecond, func() { io.WriteString(far, "hello") })
	if n, _, err := s.Talk(time.Now(), []byte("ask"), nil, p, 50*time.Millisecond); n != 5 || err != nil {
		t.Errorf("%d %v", n, err)
	}
}

// Once it is running, setting the deadline costs a call now and then.
func TestDeadlinesAreSetRarely(t *testing.T) {
	s, c, far := pair(t)
	counting := &counter{TCPConn: c}
	s.conn = counting
	go io.Copy(far, far)
	p := make([]byte, 10)
	for range 200 {
		if _, _, err := s.Talk(time.Now(), []byte("ask"), nil, p, 10*time.Second); err != nil {
			t.Fatal(err)
		}
	}
	if counting.n > 3 {
		t.Errorf("%d times for 200 waits", counting.n)
	}
}

type counter struct {
	*net.TCPConn
	n int
}

func (c *counter) SetReadDeadline(t time.Time) error {
	c.n++
	return c.TCPConn.SetReadDeadline(t)
}

func TestTalkWritesAllAndWaits(t *testing.T) {
	s, _, far := pair(t)
	a, b := bytes.Repeat([]byte("a"), 3<<20), bytes.Repeat([]byte("b"), 3<<20)
	got := make(chan int)
	go func() {
		time.Sleep(50 * time.Millisecond)
		n, _ := io.ReadFull(far, make([]byte, len(a)+len(b)))
		io.WriteString(far, "done")
		got <- n
	}()
	p := make([]byte, 10)
	n, wrote, err := s.Talk(time.Now(), a, b, p, 2*time.Second)
	if string(p[:n]) != "done" || !wrote || err != nil || <-got != len(a)+len(b) || s.Sent() != int64(len(a)+len(b)) {
		t.Errorf("%q %v %v", p[:n], wrote, err)
	}
}

func TestWriteWaitsAndGivesUp(t *testing.T) {
	s, _, _ := pair(t)
	big := make([]byte, 16<<20)
	began := time.Now()
	err := s.Write(big, nil, 150*time.Millisecond)
	if took := time.Since(began); !errors.Is(err, os.ErrDeadlineExceeded) || took > time.Second {
		t.Errorf("%v after %v", err, took)
	}
}

func TestWatchSeesAnAnswer(t *testing.T) {
	s, _, far := pair(t)
	time.AfterFunc(30*time.Millisecond, func() { io.WriteString(far, "stop") })
	began := time.Now()
	if err := s.WriteUnlessAnswered(make([]byte, 16<<20), nil, 5*time.Second); err != ErrEarly || time.Since(began) > time.Second {
		t.Errorf("%v after %v", err, time.Since(began))
	}
	t2, _, _ := pair(t)
	began = time.Now()
	err := t2.WriteUnlessAnswered(make([]byte, 16<<20), nil, 300*time.Millisecond)
	if took := time.Since(began); !errors.Is(err, os.ErrDeadlineExceeded) || took > time.Second || took < 250*time.Millisecond {
		t.Errorf("nobody answers: %v after %v", err, took)
	}
}

// What a closed connection was sent has not reached anybody.
func TestUndelivered(t *testing.T) {
	s, _, far := pair(t)
	p := make([]byte, 10)
	far.Close()
	time.Sleep(10 * time.Millisecond)
	if _, wrote, err := s.Talk(time.Now(), []byte("ask"), nil, p, time.Second); !wrote || err != io.EOF {
		t.Fatalf("%v %v", wrote, err)
	}
	if !s.Undelivered(0) {
		t.Error("the far end was closed before")
	}
	s, _, far = pair(t)
	go func() {
		io.ReadFull(far, make([]byte, 3))
		far.Close()
	}()
	if _, wrote, err := s.Talk(time.Now(), []byte("ask"), nil, p, time.Second); !wrote || err != io.EOF {
		t.Fatalf("%v %v", wrote, err)
	}
	if s.Undelivered(0) {
		t.Error("it was read")
	}
}

func TestPipe(t *testing.T) {
	from, _, source := pair(t)
	to, _, sink := pair(t)
	data := bytes.Repeat([]byte("0123456789abcdef"), 200_000)
	go func() {
		source.Write(data)
		source.CloseWrite()
	}()
	got := make(chan []byte)
	go func() {
		time.Sleep(50 * time.Millisecond) // so that the way is full for a while
		b, _ := io.ReadAll(sink)
		got <- b
	}()
	var pipes sys.Pipes
	p, err := pipes.Get()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err = from.Fill(p, 1<<20, time.Second); err != nil {
			break
		}
		if err := to.Drain(p, time.Second); err != nil || p.Held() != 0 {
			t.Fatalf("%v, %d are held", err, p.Held())
		}
	}
	if err != io.EOF {
		t.Error(err)
	}
	to.CloseWrite()
	if b := <-got; !bytes.Equal(b, data) || to.Sent() != int64(len(data)) {
		t.Errorf("%d bytes of %d", len(b), len(data))
	}
	pipes.Put(p)
	if q, _ := pipes.Get(); q != p {
		t.Error("an empty pipe is not used again")
	}
}
