package loop

import (
	"errors"
	"os"
	"syscall"
	"time"

	"balancerd/proxy/internal/sys"
)

// Poller is a connection that the runtime's poller watches: a net.Conn of the net package, or a non-blocking
// os.File.
type Poller interface {
	syscall.Conn
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

// PollStream is a Stream on a connection that the runtime's poller watches, for ordinary goroutines. It makes its
// system calls inside the poller's callbacks, so that it can write and then wait without losing an event between.
// A wait lasts up to an eighth longer than its timeout says: a deadline is set only when the one in force is too
// near or too far.
//
// A callback must try to read before it first returns false: entering it forgets an event that came before
// (internal/poll.FD.RawRead). Only one that has just written may wait at once: an answer is yet to come.
type PollStream struct {
	rc   syscall.RawConn
	conn Poller
	sent int64
	in   pollRead
	out  pollWrite
}

var _ Stream = (*PollStream)(nil)

// pollRead is the reading side of a PollStream. Owned by who reads.
type pollRead struct {
	deadline
	p       []byte
	pipe    *sys.Pipe // in place of p
	max     int       // bytes that pipe is to be given
	n       int
	errno   syscall.Errno
	drained bool      // the last read took all that had come in
	wrote   bool      // Talk has written all
	now     time.Time // when Talk began

	// The callbacks, made at their first use: a closure a call would be an allocation.
	onRead, onTry, onTalk, onFill func(uintptr) bool
	onLook                        func(uintptr)
	look                          Look
}

// pollWrite is the writing side of a PollStream. Owned by who writes.
type pollWrite struct {
	deadline
	a, b     []byte
	pipe     *sys.Pipe // in place of a and b
	errno    syscall.Errno
	watching bool // give up when something comes in
	early    bool // something did
	vec      sys.Vec

	onWrite, onDrain func(uintptr) bool
}

// Open begins it on a connection on which sent bytes were written before.
func (s *PollStream) Open(c Poller, sent int64) error {
	rc, err := c.SyscallConn()
	s.rc, s.conn, s.sent = rc, c, sent
	return err
}

// deadline is that of one direction of a connection.
type deadline struct {
	at      time.Time // the one in force
	timeout time.Duration
	own     bool // it is that of the call under way, not one that an earlier call left behind
}

// slack is how much longer than asked a wait may last.
func slack(timeout time.Duration) time.Duration { return min(timeout/8, 400*time.Millisecond) }

// arm sees to it that the deadline is at least the timeout away from now, and hardly more.
func (d *deadline) arm(now time.Time, set func(time.Time) error) {
	d.own = true
	if left := d.at.Sub(now); left >= d.timeout && left <= d.timeout+slack(d.timeout) {
		return
	}
	d.at = now.Add(d.timeout + slack(d.timeout))
	set(d.at)
}

// read runs a callback of the reading side. A deadline that an earlier call left behind, and that has passed
// since, is no reason to fail.
func (s *PollStream) read(f func(uintptr) bool, timeout time.Duration) error {
	s.in.timeout, s.in.own = timeout, false
	err := s.rc.Read(f)
	for err != nil && !s.in.own && timedOut(err) {
		s.in.arm(time.Now(), s.conn.SetReadDeadline)
		err = s.rc.Read(f)
	}
	return err
}

// waitRead is what a callback of the reading side returns to wait.
func (s *PollStream) waitRead() bool {
	if !s.in.own {
		s.in.arm(time.Now(), s.conn.SetReadDeadline)
	}
	return false
}

// got notes the result of a read.
func (s *PollStream) got(n int, e syscall.Errno) bool {
	if e == syscall.EAGAIN {
		return s.waitRead()
	}
	s.in.n, s.in.errno = n, e
	s.in.drained = n > 0 && n < len(s.in.p)
	return true
}

// result is what got noted.
func (s *PollStream) result(err error) (int, error) {
	s.in.p, s.in.pipe = nil, nil
	if err != nil {
		return 0, err
	}
	return readResult(s.in.n, s.in.errno)
}

// Enter runs f inside the poller's callback, again and again until it returns true or the deadline that Wait set
// passes. f must try to read before it first returns Wait.
func (s *PollStream) Enter(f func(fd uintptr) bool) error { return s.read(f, time.Minute) }

// Wait is what f returns to wait for more. The wait begins now.
func (s *PollStream) Wait(now time.Time, timeout time.Duration) bool {
	s.in.timeout = timeout
	s.in.arm(now, s.conn.SetReadDeadline)
	return false
}

// Read implements Stream.
func (s *PollStream) Read(p []byte, timeout time.Duration) (int, error) {
	if s.in.onRead == nil {
		s.in.onRead = func(fd uintptr) bool { return s.got(sys.Read(fd, s.in.p)) }
	}
	s.in.p = p
	return s.result(s.read(s.in.onRead, timeout))
}

// Try implements Stream.
func (s *PollStream) Try(p []byte) (int, error) {
	if s.in.onTry == nil {
		s.in.onTry = func(fd uintptr) bool {
			in := &s.in
			in.n, in.errno = sys.Read(fd, in.p)
			in.drained = in.n < len(in.p) && (in.n > 0 || in.errno == syscall.EAGAIN)
			return true
		}
	}
	s.in.p = p
	err := s.read(s.in.onTry, time.Minute)
	s.in.p = nil
	if err != nil {
		return 0, err
	}
	return tryResult(s.in.n, s.in.errno)
}

// Look implements Stream.
func (s *PollStream) Look() Look {
	if s.in.onLook == nil {
		s.in.onLook = func(fd uintptr) { s.in.look = lookAt(fd) }
	}
	s.in.look = End
	s.rc.Control(s.in.onLook)
	return s.in.look
}

// Fill implements Stream.
func (s *PollStream) Fill(p *sys.Pipe, n int, timeout time.Duration) (int, error) {
	if s.in.onFill == nil {
		s.in.onFill = func(fd uintptr) bool { return s.got(s.in.pipe.Fill(fd, s.in.max)) }
	}
	s.in.pipe, s.in.max = p, n
	return s.result(s.read(s.in.onFill, timeout))
}

// Talk implements Stream.
func (s *PollStream) Talk(now time.Time, a, b, in []byte, timeout time.Duration) (n int, wrote bool, err error) {
	if s.in.onTalk == nil {
		s.in.onTalk = s.talkStep
	}
	s.out.a, s.out.b, s.out.errno = a, b, 0
	s.in.p, s.in.wrote, s.in.now = in, false, now
	err = s.read(s.in.onTalk, timeout)
	a, b = s.out.a, s.out.b
	s.out.a, s.out.b = nil, nil
	switch {
	case s.in.wrote:
		n, err = s.result(err)
		return n, true, err
	case err != nil:
		return 0, false, err
	case s.out.errno != 0:
		return 0, false, os.NewSyscallError("write", s.out.errno)
	}
	if err := s.Write(a, b, timeout); err != nil { // the system's buffer is full
		return 0, false, err
	}
	n, err = s.Read(in, timeout)
	return n, true, err
}

func (s *PollStream) talkStep(fd uintptr) bool {
	if !s.in.wrote {
		if s.in.wrote = s.writeSome(fd); !s.in.wrote {
			return true
		}
	}
	n, e := 0, syscall.EAGAIN
	if !s.in.drained { // else a read would be in vain
		n, e = sys.Read(fd, s.in.p)
	}
	s.in.drained = false
	if e == syscall.EAGAIN && !s.in.own {
		s.in.arm(s.in.now, s.conn.SetReadDeadline)
	}
	return s.got(n, e)
}

// writeSome writes what the system takes of a and b, and reports whether that was all.
func (s *PollStream) writeSome(fd uintptr) bool {
	w := &s.out
	n, e := w.vec.Writev(fd, w.a, w.b)
	if e != 0 {
		if e != syscall.EAGAIN {
			w.errno = e
		}
		return false
	}
	s.sent += int64(n)
	w.a, w.b = rest(w.a, w.b, n)
	return len(w.a)+len(w.b) == 0
}

// Write implements Stream.
func (s *PollStream) Write(a, b []byte, timeout time.Duration) error {
	return s.writeAll(a, b, timeout, false)
}

// WriteUnlessAnswered implements Stream.
func (s *PollStream) WriteUnlessAnswered(a, b []byte, timeout time.Duration) error {
	return s.writeAll(a, b, timeout, true)
}

func (s *PollStream) writeAll(a, b []byte, timeout time.Duration, watching bool) error {
	w := &s.out
	if w.onWrite == nil {
		w.onWrite = s.writeStep
	}
	w.a, w.b, w.early, w.errno, w.watching = a, b, false, 0, watching
	err := s.write(w.onWrite, timeout)
	w.a, w.b = nil, nil
	switch {
	case err != nil:
		return err
	case w.early:
		return ErrEarly
	case w.errno != 0:
		return os.NewSyscallError("write", w.errno)
	}
	return nil
}

// write runs a callback of the writing side until it is done, or nothing has been written for as long as timeout
// says.
func (s *PollStream) write(f func(uintptr) bool, timeout time.Duration) error {
	w := &s.out
	w.timeout, w.own = timeout, false
	if w.watching {
		w.timeout = min(timeout, watchInterval)
	}
	sent, since := s.sent, time.Time{}
	for {
		err := s.rc.Write(f)
		switch {
		case err == nil || !timedOut(err):
			return err
		case !w.own: // an earlier call's deadline
			w.arm(time.Now(), s.conn.SetWriteDeadline)
			continue
		case !w.watching:
			return err
		}
		if now := time.Now(); sent != s.sent || since.IsZero() {
			sent, since = s.sent, now
		} else if now.Sub(since) >= timeout {
			return err
		}
		w.own = false
	}
}

func (s *PollStream) writeStep(fd uintptr) bool {
	before := s.sent
	if s.writeSome(fd) || s.out.errno != 0 {
		return true
	}
	if s.out.watching && lookAt(fd) != Quiet {
		s.out.early = true
		return true
	}
	return s.waitWrite(s.sent != before)
}

// waitWrite is what a callback of the writing side returns to wait.
func (s *PollStream) waitWrite(moved bool) bool {
	if !s.out.own || moved {
		s.out.arm(time.Now(), s.conn.SetWriteDeadline)
	}
	return false
}

// Drain implements Stream.
func (s *PollStream) Drain(p *sys.Pipe, timeout time.Duration) error {
	w := &s.out
	if w.onDrain == nil {
		w.onDrain = s.drainStep
	}
	w.pipe, w.errno, w.watching = p, 0, false
	err := s.write(w.onDrain, timeout)
	w.pipe = nil
	if err == nil && w.errno != 0 {
		err = os.NewSyscallError("splice", w.errno)
	}
	return err
}

func (s *PollStream) drainStep(fd uintptr) bool {
	moved := false
	for s.out.pipe.Held() > 0 {
		n, e := s.out.pipe.Drain(fd)
		if e == syscall.EAGAIN {
			return s.waitWrite(moved)
		}
		if e != 0 {
			s.out.errno = e
			return true
		}
		s.sent += int64(n)
		moved = true
	}
	return true
}

// CloseWrite implements Stream.
func (s *PollStream) CloseWrite() error {
	var err error
	return errors.Join(s.rc.Control(func(fd uintptr) { err = sys.CloseWrite(fd) }), err)
}

// Sent implements Stream.
func (s *PollStream) Sent() int64 { return s.sent }

// Undelivered implements Stream.
func (s *PollStream) Undelivered(before int64) bool {
	sure := false
	s.rc.Control(func(fd uintptr) {
		acked, ok := sys.Acked(fd)
		sure = ok && s.sent > before && acked <= before
	})
	return sure
}
