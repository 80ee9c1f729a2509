package socket

import (
	"errors"
	"io"
	"os"
	"syscall"
	"time"
)

// Poller is a connection that the runtime's poller knows: a net.Conn of the net package, or a
// non-blocking os.File.
type Poller interface {
	syscall.Conn
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

// Stream does I/O on a polled connection, by calls that run inside the poller's callbacks. One
// goroutine at a time may read, one may write. A wait lasts as long as its timeout says, or up to an
// eighth longer: a deadline is set only when the one in force is too near or too far.
//
// Opened on an Fd it waits as a Task does. Then it knows when nothing more can be there to be read.
type Stream struct {
	rc   syscall.RawConn
	conn Poller
	own  *Fd   // instead
	task *Task // who uses own
	dry  bool  // of own: all that had come in was read

	// Owned by who reads.
	in     []byte
	rn     int
	rerr   syscall.Errno
	rwait  time.Duration
	rby    time.Time // the deadline in force
	rarmed bool      // it is this call's own
	rnow   time.Time // Talk: when it began
	wrote  bool      // Talk: all is written
	fill   *Pipe
	fillN  int

	// Owned by who writes.
	out    [2][]byte
	werr   syscall.Errno
	wwait  time.Duration
	wby    time.Time
	warmed bool
	watch  bool // give up when something comes in
	early  bool
	drain  *Pipe
	vec    Vec
	Sent   int64 // bytes written so far; its user may set it to 0
	all    int64 // bytes written since Open

	// The callbacks, made at first use.
	onRead, onTry, onTalk, onFill, onWrite, onDrain func(uintptr) bool
	onLook                                          func(uintptr)
	look                                            Look
}

// ErrEarly ends a watched Write: something came in before all was written.
var ErrEarly = errors.New("socket: the other side answers before all was sent")

// Look is what is to be seen on a connection.
type Look uint8

// What may be seen.
const (
	Quiet Look = iota // nothing came in
	Bytes             // something did
	End               // the end, or an error
)

// Open begins a Stream on a connection.
func (s *Stream) Open(c Poller) error {
	rc, err := c.SyscallConn()
	s.rc, s.conn = rc, c
	return err
}

// OpenFd begins a Stream on a socket of a loop's.
func (s *Stream) OpenFd(f *Fd) { s.own = f }

// Shut ends what Open or OpenFd began. What the Stream is made of stays for the next one.
func (s *Stream) Shut() {
	s.rc, s.conn, s.own, s.task, s.dry = nil, nil, nil, nil, false
	s.rby, s.wby, s.Sent, s.all = time.Time{}, time.Time{}, 0, 0
}

// Use says which task uses it from now on; nil: nobody.
func (s *Stream) Use(t *Task) { s.task = t }

// Drained tells whether the last read took all that had come in.
func (s *Stream) Drained() bool { return s.dry }

// Once reads once from a socket of a loop's.
func (s *Stream) Once(p []byte) (int, syscall.Errno) {
	n, e := Read(s.own.N(), p)
	s.dry = n < len(p) && (n > 0 || e == syscall.EAGAIN)
	return n, e
}

// IsOpen tells whether Open was called.
func (s *Stream) IsOpen() bool { return s.rc != nil || s.own != nil }

// slack is how much longer a wait may last.
func slack(timeout time.Duration) time.Duration { return min(timeout/8, 400*time.Millisecond) }

// arm sees to it that the deadline is at least timeout away, and hardly more.
func arm(by *time.Time, set func(time.Time) error, timeout time.Duration) {
	armAt(time.Now(), by, set, timeout)
}

func armAt(now time.Time, by *time.Time, set func(time.Time) error, timeout time.Duration) {
	if left := by.Sub(now); left >= timeout && left <= timeout+slack(timeout) {
		return
	}
	*by = now.Add(timeout + slack(timeout))
	set(*by)
}

func timedOut(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }

// reading runs a callback of the reading side. A deadline that an earlier call left behind, and that
// has passed since, is no reason to fail.
func (s *Stream) reading(f func(uintptr) bool, timeout time.Duration) error {
	if s.own != nil {
		return s.ownReading(f, timeout)
	}
	s.rwait, s.rarmed = timeout, false
	err := s.rc.Read(f)
	for err != nil && !s.rarmed && timedOut(err) {
		s.rarmed = true
		arm(&s.rby, s.conn.SetReadDeadline, timeout)
		err = s.rc.Read(f)
	}
	return err
}

// sleep is what a reading callback returns to wait.
func (s *Stream) sleep() bool {
	if s.own == nil && !s.rarmed {
		s.rarmed = true
		arm(&s.rby, s.conn.SetReadDeadline, s.rwait)
	}
	return false
}

// took notes the result of a read.
func (s *Stream) took(n int, e syscall.Errno) bool {
	if e == syscall.EAGAIN {
		return s.sleep()
	}
	s.rn, s.rerr = n, e
	s.dry = n > 0 && n < len(s.in)
	return true
}

// result is what took noted.
func (s *Stream) result(err error) (int, error) {
	s.in, s.fill = nil, nil
	switch {
	case err != nil:
		return 0, err
	case s.rerr != 0:
		return 0, os.NewSyscallError("read", s.rerr)
	case s.rn == 0:
		return 0, io.EOF
	}
	return s.rn, nil
}

// Enter runs f inside the poller's callback, again and again until it returns true or the deadline
// that Sleep set passes. f must try to read before it first returns Sleep.
func (s *Stream) Enter(f func(fd uintptr) bool) error { return s.reading(f, time.Minute) }

// Sleep is what f returns to wait for more. The wait begins now.
func (s *Stream) Sleep(now time.Time, timeout time.Duration) bool {
	s.rarmed = true
	armAt(now, &s.rby, s.conn.SetReadDeadline, timeout)
	return false
}

// Read waits for bytes. The end is io.EOF.
func (s *Stream) Read(p []byte, timeout time.Duration) (int, error) {
	if s.onRead == nil {
		s.onRead = func(fd uintptr) bool { return s.took(Read(fd, s.in)) }
	}
	s.in = p
	return s.result(s.reading(s.onRead, timeout))
}

// Try is Read that does not wait: 0 and no error when nothing is there.
func (s *Stream) Try(p []byte) (int, error) {
	if s.onTry == nil {
		s.onTry = func(fd uintptr) bool {
			s.rn, s.rerr = Read(fd, s.in)
			s.dry = s.rn < len(s.in) && (s.rn > 0 || s.rerr == syscall.EAGAIN)
			return true
		}
	}
	s.in = p
	err := s.reading(s.onTry, time.Minute)
	if err == nil && s.rerr == syscall.EAGAIN {
		s.in = nil
		return 0, nil
	}
	return s.result(err)
}

// Look tells what came in.
func (s *Stream) Look() Look {
	if s.onLook == nil {
		s.onLook = func(fd uintptr) {
			switch n, e := Peek(fd); {
			case e == syscall.EAGAIN:
				s.look = Quiet
			case n > 0:
				s.look = Bytes
			}
		}
	}
	s.look = End
	s.control(s.onLook)
	return s.look
}

// Undelivered tells for sure that none of the last n bytes that were written has reached the other
// side's TCP. Asked when the other side has ended: its end confirms all that came before it, so what
// it does not confirm was sent into a closed connection.
func (s *Stream) Undelivered(n int64) bool {
	sure := false
	s.control(func(fd uintptr) {
		acked, ok := Acked(fd)
		sure = ok && n > 0 && acked <= s.all-n
	})
	return sure
}

// Fill waits for bytes and moves up to n of them into a pipe. The end is io.EOF.
func (s *Stream) Fill(p *Pipe, n int, timeout time.Duration) (int, error) {
	if s.onFill == nil {
		s.onFill = func(fd uintptr) bool { return s.took(s.fill.Fill(fd, s.fillN)) }
	}
	s.fill, s.fillN = p, n
	return s.result(s.reading(s.onFill, timeout))
}

// Talk writes a and b and waits for the first bytes that come back. wrote tells whether the writing
// was done, so that an error is one of reading. It writes inside the callback that then waits, so that
// no edge is lost and no read is in vain; nobody else may be writing. now is
// the time, or not long ago.
func (s *Stream) Talk(now time.Time, a, b, in []byte, timeout time.Duration) (n int, wrote bool, err error) {
	if s.onTalk == nil {
		s.onTalk = s.talkStep
	}
	s.out, s.in, s.wrote, s.werr, s.rnow = [2][]byte{a, b}, in, false, 0, now
	err = s.reading(s.onTalk, timeout)
	a, b = s.out[0], s.out[1]
	s.out = [2][]byte{}
	switch {
	case s.wrote:
		n, err = s.result(err)
		return n, true, err
	case err != nil:
		return 0, false, err
	case s.werr != 0:
		return 0, false, os.NewSyscallError("write", s.werr)
	}
	if err := s.Write(a, b, timeout); err != nil { // the system's buffer is full
		return 0, false, err
	}
	n, err = s.Read(in, timeout)
	return n, true, err
}

func (s *Stream) talkStep(fd uintptr) bool {
	if !s.wrote {
		s.wrote = s.some(fd)
		if !s.wrote {
			return true
		}
	}
	if s.dry { // it would be in vain
		s.dry = false
		return false
	}
	n, e := Read(fd, s.in)
	if e == syscall.EAGAIN {
		if s.own == nil && !s.rarmed {
			s.rarmed = true
			armAt(s.rnow, &s.rby, s.conn.SetReadDeadline, s.rwait)
		}
		return false
	}
	return s.took(n, e)
}

// some writes what it can of out and tells whether that was all.
func (s *Stream) some(fd uintptr) bool {
	n, e := 0, syscall.Errno(0)
	if len(s.out[1]) == 0 {
		n, e = Write(fd, s.out[0])
	} else {
		n, e = s.vec.Writev(fd, s.out[:])
	}
	if e != 0 {
		if e != syscall.EAGAIN {
			s.werr = e
		}
		return false
	}
	s.Sent += int64(n)
	s.all += int64(n)
	k := min(n, len(s.out[0]))
	s.out[0], s.out[1] = s.out[0][k:], s.out[1][n-k:]
	return len(s.out[0])+len(s.out[1]) == 0
}

// control runs f on the descriptor.
func (s *Stream) control(f func(uintptr)) error {
	if s.own == nil {
		return s.rc.Control(f)
	}
	f(s.own.N())
	return nil
}

// ownReading is reading on a loop.
func (s *Stream) ownReading(f func(uintptr) bool, timeout time.Duration) error {
	for !f(s.own.N()) {
		if err := s.own.wait(s.task, &s.own.r, timeout); err != nil {
			return err
		}
	}
	return nil
}
