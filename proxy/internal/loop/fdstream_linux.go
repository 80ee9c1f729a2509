package loop

import (
	"os"
	"syscall"
	"time"

	"balancerd/proxy/internal/sys"
)

// FdStream is a Stream on a socket of an event loop: its waits are those of a Task. It remembers whether all that
// had come in was read, and then waits without another read.
type FdStream struct {
	fd      *Fd
	task    *Task // who uses it
	drained bool  // the last read took all that had come in, or nothing has; owned by who reads
	sent    int64
	vec     sys.Vec
}

var _ Stream = (*FdStream)(nil)

// Open begins it on a fresh socket.
func (s *FdStream) Open(fd *Fd) { *s = FdStream{fd: fd} }

// OpenAsking begins it on a fresh socket whose other end is silent until it was asked: Talk does not read before it
// waits.
func (s *FdStream) OpenAsking(fd *Fd) { *s = FdStream{fd: fd, drained: true} }

// Reset ends it; the socket is not closed.
func (s *FdStream) Reset() { *s = FdStream{} }

// Use says which task uses it from now on; nil: nobody, and what would have to wait fails.
func (s *FdStream) Use(t *Task) { s.task = t }

// Drained reports whether the last read took all that had come in.
func (s *FdStream) Drained() bool { return s.drained }

// ReadNow reads once; EAGAIN: nothing has come in.
func (s *FdStream) ReadNow(p []byte) (int, syscall.Errno) {
	n, e := sys.Read(s.fd.N(), p)
	s.drained = n < len(p) && (n > 0 || e == syscall.EAGAIN)
	return n, e
}

// WriteNow writes once, perhaps less than all; EAGAIN: nothing was written.
func (s *FdStream) WriteNow(a, b []byte) (int, syscall.Errno) {
	n, e := s.vec.Writev(s.fd.N(), a, b)
	s.sent += int64(n)
	return n, e
}

// Read implements Stream.
func (s *FdStream) Read(p []byte, timeout time.Duration) (int, error) {
	for {
		n, e := sys.Read(s.fd.N(), p)
		if e != syscall.EAGAIN {
			s.drained = n > 0 && n < len(p)
			return readResult(n, e)
		}
		if err := s.waitRead(timeout); err != nil {
			return 0, err
		}
	}
}

// Try implements Stream.
func (s *FdStream) Try(p []byte) (int, error) { return tryResult(s.ReadNow(p)) }

// Look implements Stream.
func (s *FdStream) Look() Look { return lookAt(s.fd.N()) }

// Talk implements Stream.
func (s *FdStream) Talk(_ time.Time, a, b, in []byte, timeout time.Duration) (n int, wrote bool, err error) {
	n, e := s.WriteNow(a, b)
	switch {
	case e != 0 && e != syscall.EAGAIN:
		return 0, false, os.NewSyscallError("write", e)
	case n < len(a)+len(b):
		a, b = rest(a, b, n)
		if err := s.Write(a, b, timeout); err != nil {
			return 0, false, err
		}
	case s.drained: // a read would be in vain
		s.drained = false
		if err := s.waitRead(timeout); err != nil {
			return 0, true, err
		}
	}
	n, err = s.Read(in, timeout)
	return n, true, err
}

// Write implements Stream.
func (s *FdStream) Write(a, b []byte, timeout time.Duration) error {
	return s.write(a, b, timeout, false)
}

// WriteUnlessAnswered implements Stream.
func (s *FdStream) WriteUnlessAnswered(a, b []byte, timeout time.Duration) error {
	return s.write(a, b, timeout, true)
}

func (s *FdStream) write(a, b []byte, timeout time.Duration, watching bool) error {
	w := fdWrite{timeout: timeout, left: timeout, watching: watching}
	for {
		n, e := s.WriteNow(a, b)
		switch {
		case e != 0 && e != syscall.EAGAIN:
			return os.NewSyscallError("write", e)
		case n == len(a)+len(b):
			return nil
		case watching && s.Look() != Quiet:
			return ErrEarly
		}
		a, b = rest(a, b, n)
		if err := w.wait(s, n > 0); err != nil {
			return err
		}
	}
}

// Fill implements Stream.
func (s *FdStream) Fill(p *sys.Pipe, n int, timeout time.Duration) (int, error) {
	for {
		k, e := p.Fill(s.fd.N(), n)
		if e != syscall.EAGAIN {
			s.drained = false
			return readResult(k, e)
		}
		if err := s.waitRead(timeout); err != nil {
			return 0, err
		}
	}
}

// Drain implements Stream.
func (s *FdStream) Drain(p *sys.Pipe, timeout time.Duration) error {
	w := fdWrite{timeout: timeout, left: timeout}
	moved := false
	for p.Held() > 0 {
		n, e := p.Drain(s.fd.N())
		s.sent += int64(n)
		moved = moved || n > 0
		switch e {
		case 0:
		case syscall.EAGAIN:
			if err := w.wait(s, moved); err != nil {
				return err
			}
			moved = false
		default:
			return os.NewSyscallError("splice", e)
		}
	}
	return nil
}

// CloseWrite implements Stream.
func (s *FdStream) CloseWrite() error { return sys.CloseWrite(s.fd.N()) }

// Sent implements Stream.
func (s *FdStream) Sent() int64 { return s.sent }

// Undelivered implements Stream.
func (s *FdStream) Undelivered(before int64) bool {
	acked, ok := sys.Acked(s.fd.N())
	return ok && s.sent > before && acked <= before
}

// Await waits until something comes in that was not read, for who holds no buffer meanwhile.
func (s *FdStream) Await(timeout time.Duration) error { return s.waitRead(timeout) }

func (s *FdStream) waitRead(timeout time.Duration) error { return s.fd.wait(s.task, &s.fd.r, timeout) }

// fdWrite is the waits of one write.
type fdWrite struct {
	timeout, left time.Duration // of each wait without progress
	watching      bool
}

// wait waits until the socket takes more. An event that is older than the write, and moves nothing, does not end
// the time that is left.
func (w *fdWrite) wait(s *FdStream, moved bool) error {
	if moved {
		w.left = w.timeout
	}
	wait := w.left
	if w.watching {
		wait = min(w.left, watchInterval)
	}
	err := s.fd.wait(s.task, &s.fd.w, wait)
	if err == nil {
		return nil
	}
	if w.left -= wait; !timedOut(err) || w.left <= 0 {
		return err
	}
	return nil
}
