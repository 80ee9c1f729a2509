package tunnel

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"os"
	"syscall"
	"time"

	"balancerd/proxy/internal/loop"
	"balancerd/proxy/internal/tlsbuf"
)

// begin has no read or write wait inside of TLS, where locks are held: the directions wait outside of it, each as a task
// of its own.
func (e End) begin() {
	if e.TLS != nil {
		e.Below.Eager(true)
		e.Below.Defer()
	}
}

// secureSource reads TLS.
type secureSource struct {
	End
	task  *loop.Task
	conn  *tls.Conn
	lent  *bytes.Buffer // while it does not wait
	empty bool          // all that has come in was read
}

func newSecureSource(e End, t *loop.Task) *secureSource {
	c := tlsbuf.Of(e.TLS)
	return &secureSource{End: e, task: t, conn: c, lent: tlsbuf.Lend(c)}
}

// ReadNow is Source's.
func (s *secureSource) ReadNow(p []byte) (int, syscall.Errno) {
	n, err := s.TLS.Read(p)
	s.empty = s.Below.Drained() && (err != nil || s.conn != nil && !tlsbuf.Holds(s.conn))
	switch {
	case n > 0 || err == io.EOF:
		return n, 0
	case errors.Is(err, os.ErrDeadlineExceeded):
		return 0, syscall.EAGAIN
	}
	return 0, syscall.EPROTO
}

// Drained is Source's.
func (s *secureSource) Drained() bool { return s.empty }

// Await is Source's.
func (s *secureSource) Await(timeout time.Duration) error {
	tlsbuf.TakeBack(s.conn, s.lent)
	err := s.Below.Await(s.task, timeout)
	s.lent = tlsbuf.Lend(s.conn)
	return err
}

// secureSink writes TLS.
type secureSink struct {
	End
	task *loop.Task
}

// Write is Sink's.
func (s *secureSink) Write(p []byte, timeout time.Duration) (int, error) {
	if len(p) > 0 {
		if n, err := s.TLS.Write(p); err != nil {
			return n, err
		}
	}
	return len(p), s.flush(timeout)
}

// flush waits until the system has all that was written.
func (s *secureSink) flush(timeout time.Duration) error {
	for {
		if all, err := s.Below.WriteUnsent(); all || err != nil {
			return err
		}
		if err := s.Below.AwaitRoom(s.task, timeout); err != nil {
			return err
		}
	}
}

// goodbye is how long telling our end may take.
const goodbye = time.Second

// CloseWrite is Sink's: TLS says goodbye, and then the socket.
func (s *secureSink) CloseWrite() error {
	c, ok := s.TLS.(interface{ CloseWrite() error })
	if !ok {
		return s.Below.CloseWrite()
	}
	if err := errors.Join(c.CloseWrite(), s.flush(goodbye)); err != nil || s.Alone {
		return err
	}
	return s.Below.CloseWrite()
}
