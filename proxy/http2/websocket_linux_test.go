package http2

import (
	"bytes"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/loop"
	"balancerd/proxy/tunnel"
)

// taskParrot is a member's side of a tunnel that two tasks of the client's loop serve: one reads, one writes what was read.
type taskParrot struct {
	cut   bool // after the first bytes
	ended chan string
}

var _ exchange.LoopTunnel = taskParrot{}

func init() {
	other := newTunnel
	newTunnel = func() exchange.Tunnel {
		if inLoops {
			return taskParrot{ended: make(chan string, 1)}
		}
		return other()
	}
}

func (taskParrot) JoinsInLoop() bool { return true }
func (taskParrot) Close() error      { return nil }

func (p taskParrot) Join(c exchange.Stream) {
	task, end := c.(tunnel.Looped).Watched()
	w := &echoing{to: end}
	task.Spawn(w)
	in, how := end.Part.Source(task), ""
	var b [5000]byte
	for how == "" {
		if in.Drained() {
			if err := in.Await(10 * time.Second); err != nil {
				how = err.Error()
			}
		}
		n, e := in.ReadNow(b[:])
		switch {
		case e == syscall.EAGAIN:
		case e != 0:
			how = e.Error()
		case n == 0:
			how = "end"
		default:
			w.give(b[:n], false)
			w.come.Set(task)
			if p.cut {
				end.Part.Cut()
				how = "cut"
			}
		}
	}
	w.give(nil, true)
	w.come.Set(task)
	for w.over.Wait(task, time.Minute) != nil {
	}
	p.ended <- strings.TrimSpace(how + " " + w.how)
}

// echoing writes what the other task has read. Both are of one loop, but for one that the watchdog finds too slow.
type echoing struct {
	to         tunnel.End
	come, over loop.Event
	how        string

	mu   sync.Mutex
	text []byte // under mu
	last bool   // under mu: nothing follows
}

// give has text be written; last: nothing follows.
func (w *echoing) give(text []byte, last bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text, w.last = append(w.text, text...), last
}

// take is what is to be written next.
func (w *echoing) take() (text []byte, last bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	text, w.text = w.text, nil
	return text, w.last
}

func (w *echoing) Run(t *loop.Task) {
	defer w.over.Set(t)
	out := w.to.Part.Sink(t)
	for {
		p, last := w.take()
		if len(p) > 0 {
			if n, err := out.Write(p, 10*time.Second); err != nil || n != len(p) {
				w.how = "no write"
				return
			}
			continue
		}
		if last {
			if out.CloseWrite() != nil {
				w.how = "no end"
			}
			return
		}
		w.come.Wait(t, time.Minute)
	}
}

// A WebSocket whose member the client's loop serves is two tasks of that: bytes go both ways at once, beyond all windows,
// and each way it may end is told.
func TestWebSocketInLoop(t *testing.T) {
	if !inLoops {
		t.Skip("in event loops")
	}
	ended := make(chan string, 1)
	for _, window := range []uint32{1 << 20, 1000} {
		f := sockets(t, taskParrot{ended: ended}, true)
		c := f.dial(t, http2.Setting{ID: http2.SettingInitialWindowSize, Val: window})
		c.socket(1, "/")
		const size = 400000
		go func() {
			var b bytes.Buffer
			fr := http2.NewFramer(&b, nil)
			for sent := 0; sent < size; sent += 10000 {
				fr.WriteData(1, sent+10000 == size, bytes.Repeat([]byte{byte(sent / 10000)}, 10000))
			}
			c.nc.Write(b.Bytes())
		}()
		var got []byte
		c.until(func(fr http2.Frame) bool {
			d, ok := fr.(*http2.DataFrame)
			if !ok {
				return false
			}
			got = append(got, d.Data()...)
			if n := uint32(len(d.Data())); n > 0 {
				c.fr.WriteWindowUpdate(0, n)
				c.fr.WriteWindowUpdate(1, n)
			}
			return d.StreamEnded()
		})
		if how := <-ended; len(got) != size || got[size-1] != size/10000-1 || how != "end" {
			t.Error(window, len(got), how)
		}
	}
	f := sockets(t, taskParrot{ended: ended}, true)
	c := f.dial(t)
	c.socket(1, "/")
	c.fr.WriteData(1, false, []byte("hello"))
	c.until(func(fr http2.Frame) bool { _, ok := fr.(*http2.DataFrame); return ok })
	c.fr.WriteRSTStream(1, http2.ErrCodeCancel)
	if how := <-ended; how != syscall.ECONNRESET.Error()+" no end" {
		t.Error(how)
	}
	c.socket(3, "/")
	c.until(func(fr http2.Frame) bool { _, ok := fr.(*http2.MetaHeadersFrame); return ok })
	c.nc.Close()
	if how := <-ended; how != syscall.ECONNRESET.Error()+" no end" {
		t.Error(how)
	}
	c = sockets(t, taskParrot{ended: ended, cut: true}, true).dial(t)
	c.socket(1, "/")
	c.fr.WriteData(1, false, []byte("hello"))
	if what, data := c.outcome(1); what != "200 RST INTERNAL_ERROR" || data != "" {
		t.Error(what, data)
	}
	if how := <-ended; how != "cut no write" {
		t.Error(how)
	}
}
