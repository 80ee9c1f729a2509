package socket

import (
	"errors"
	"os"
	"syscall"
	"time"
)

// WriteOnce writes to a descriptor what it takes of a and b at once; EAGAIN: nothing.
func (s *Stream) WriteOnce(fd uintptr, a, b []byte) (int, syscall.Errno) {
	if len(b) == 0 {
		return Write(fd, a)
	}
	s.out = [2][]byte{a, b}
	n, e := s.vec.Writev(fd, s.out[:])
	s.out = [2][]byte{}
	return n, e
}

// Write writes all of a and b; the timeout begins anew whenever some of it is gone.
func (s *Stream) Write(a, b []byte, timeout time.Duration) error {
	s.watch = false
	return s.write(a, b, timeout)
}

// Watch is Write that gives up with ErrEarly when something comes in while it has to wait.
func (s *Stream) Watch(a, b []byte, timeout time.Duration) error {
	s.watch = true
	return s.write(a, b, timeout)
}

func (s *Stream) write(a, b []byte, timeout time.Duration) error {
	if s.onWrite == nil {
		s.onWrite = s.writeStep
	}
	s.out, s.early, s.werr = [2][]byte{a, b}, false, 0
	err := s.writing(s.onWrite, timeout)
	s.out = [2][]byte{}
	switch {
	case err != nil:
		return err
	case s.early:
		return ErrEarly
	case s.werr != 0:
		return os.NewSyscallError("write", s.werr)
	}
	return nil
}

// patience is how long a watched Write waits before it looks again.
const patience = 200 * time.Millisecond

// writing runs a callback of the writing side until it is done or nothing has moved for as long as
// timeout says.
func (s *Stream) writing(f func(uintptr) bool, timeout time.Duration) error {
	if s.own != nil {
		return s.ownWriting(f, timeout)
	}
	s.wwait = timeout
	if s.watch {
		s.wwait = min(timeout, patience)
	}
	s.warmed = false
	sent, since := s.Sent, time.Time{}
	for {
		err := s.rc.Write(f)
		switch {
		case err == nil || !timedOut(err):
			return err
		case !s.warmed: // an earlier call's deadline
			s.warmed = true
			arm(&s.wby, s.conn.SetWriteDeadline, s.wwait)
			continue
		case !s.watch:
			return err
		}
		if now := time.Now(); sent != s.Sent || since.IsZero() {
			sent, since = s.Sent, now
		} else if now.Sub(since) >= timeout {
			return err
		}
		s.warmed = false
	}
}

func (s *Stream) writeStep(fd uintptr) bool {
	before := s.Sent
	if s.some(fd) || s.werr != 0 {
		return true
	}
	if s.watch {
		if _, e := Peek(fd); e != syscall.EAGAIN {
			s.early = true
			return true
		}
	}
	return s.rest(s.Sent != before)
}

// rest is what a writing callback returns to wait.
func (s *Stream) rest(moved bool) bool {
	if s.own == nil && (!s.warmed || moved) {
		s.warmed = true
		arm(&s.wby, s.conn.SetWriteDeadline, s.wwait)
	}
	return false
}

// Drain moves all that a pipe holds to the connection.
func (s *Stream) Drain(p *Pipe, timeout time.Duration) error {
	if s.onDrain == nil {
		s.onDrain = func(fd uintptr) bool {
			moved := false
			for s.drain.Held() > 0 {
				n, e := s.drain.Drain(fd)
				if e == syscall.EAGAIN {
					return s.rest(moved)
				}
				if e != 0 {
					s.werr = e
					return true
				}
				s.Sent += int64(n)
				moved = true
			}
			return true
		}
	}
	s.drain, s.werr, s.watch = p, 0, false
	err := s.writing(s.onDrain, timeout)
	s.drain = nil
	if err == nil && s.werr != 0 {
		err = os.NewSyscallError("splice", s.werr)
	}
	return err
}

// CloseWrite ends our direction.
func (s *Stream) CloseWrite() error {
	var err error
	return errors.Join(s.control(func(fd uintptr) { err = CloseWrite(fd) }), err)
}

// ownWriting is writing on a loop.
func (s *Stream) ownWriting(f func(uintptr) bool, timeout time.Duration) error {
	sent, left := s.Sent, timeout
	for !f(s.own.N()) {
		if s.Sent != sent {
			sent, left = s.Sent, timeout
		}
		wait := left
		if s.watch {
			wait = min(left, patience)
		}
		err := s.own.wait(s.task, &s.own.w, wait)
		if err == nil { // perhaps for an event of long ago, which moves nothing
			continue
		}
		if left -= wait; !timedOut(err) || left <= 0 {
			return err
		}
	}
	return nil
}
