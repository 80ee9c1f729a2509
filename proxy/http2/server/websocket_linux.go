package server

import (
	"io"
	"syscall"
	"time"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/loop"
	"balancerd/proxy/tunnel"
)

var _ tunnel.Looped = (*socket)(nil)

// staysFor reports whether the event loop that serves the stream is to serve a tunnel, too.
func (st *stream) staysFor(t exchange.Tunnel) bool {
	l, ok := t.(exchange.LoopTunnel)
	return ok && st.task != nil && l.JoinsInLoop()
}

// Watched is tunnel.Looped's.
func (k *socket) Watched() (*loop.Task, tunnel.End) { return k.st.task, tunnel.End{Part: part{k}} }

// part is a WebSocket as two tasks of the connection's event loop use it: one reads, one writes.
type part struct{ k *socket }

// Source is tunnel.Part's.
func (p part) Source(t *loop.Task) tunnel.Source { return &source{p.k, t} }

// Sink is tunnel.Part's.
func (p part) Sink(t *loop.Task) tunnel.Sink { return &sink{p.k, t} }

// Cut is tunnel.Part's.
func (p part) Cut() { p.k.Close() }

// source is what the client sends.
type source struct {
	k    *socket
	task *loop.Task
}

// ReadNow is tunnel.Source's.
func (s *source) ReadNow(p []byte) (int, syscall.Errno) {
	c := s.k.st.c
	c.mu.Lock()
	defer c.mu.Unlock()
	n, err := s.k.take(p)
	switch {
	case err == io.EOF:
		return 0, 0
	case err != nil:
		return 0, syscall.ECONNRESET
	case n == 0:
		return 0, syscall.EAGAIN
	}
	return n, 0
}

// Drained is tunnel.Source's.
func (s *source) Drained() bool {
	st := s.k.st
	st.c.mu.Lock()
	defer st.c.mu.Unlock()
	return st.Unread() == 0 && !st.ended && !st.over()
}

// Await is tunnel.Source's.
func (s *source) Await(timeout time.Duration) error { return s.k.st.come.Wait(s.task, timeout) }

// sink is what it gets.
type sink struct {
	k    *socket
	task *loop.Task
}

// Write is tunnel.Sink's.
func (s *sink) Write(p []byte, timeout time.Duration) (n int, err error) {
	for n < len(p) && err == nil {
		if err = s.within(timeout); err == nil {
			var some int
			some, err = s.k.send(s.task, p[n:])
			n += some
		}
	}
	return n, err
}

// within sets how long what is sent next may take. Who was cut off sends no more.
func (s *sink) within(timeout time.Duration) error {
	c := s.k.st.c
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.k.writeBy.Equal(longAgo) {
		return errGone
	}
	s.k.writeBy = time.Now().Add(timeout)
	return nil
}

// CloseWrite is tunnel.Sink's.
func (s *sink) CloseWrite() error {
	if err := s.within(goodbye); err != nil {
		return err
	}
	return s.k.end(s.task)
}

// goodbye is how long telling our end may take.
const goodbye = time.Second
