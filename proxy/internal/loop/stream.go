package loop

import (
	"errors"
	"time"
)

// Stream is a plain socket to read from and to write to. One goroutine at a time may read, one may write. An
// FdStream waits by an event loop, a PollStream by the runtime's poller. A wait that lasts longer than its
// timeout ends with os.ErrDeadlineExceeded.
type Stream interface {
	// Read waits for bytes. The end is io.EOF.
	Read(p []byte, timeout time.Duration) (int, error)
	// Try is Read that does not wait: 0 and no error when nothing has come in.
	Try(p []byte) (int, error)
	// Look says what has come in, and leaves it there.
	Look() Look
	// Write writes all of a and b; the timeout begins anew whenever some of it is gone.
	Write(a, b []byte, timeout time.Duration) error
	// WriteUnlessAnswered is Write that gives up with ErrEarly when something comes in while it has to wait.
	WriteUnlessAnswered(a, b []byte, timeout time.Duration) error
	// Talk writes a and b and waits for the first bytes that come back. wrote reports whether all was written,
	// so that an error is one of reading. Nobody else may be reading or writing. now is the time, or not long
	// ago; the wait begins then.
	Talk(now time.Time, a, b, in []byte, timeout time.Duration) (n int, wrote bool, err error)
	// CloseWrite ends our direction.
	CloseWrite() error
	// Sent is how many bytes were written since the connection was opened.
	Sent() int64
	// Undelivered reports whether it is sure that nothing of what was written since Sent said before has
	// reached the other side's TCP. It is to be asked when the other side has ended: with its end it has
	// acknowledged all that came before, so what it has not acknowledged was sent into a closed connection.
	Undelivered(before int64) bool

	splicing
}

// ErrEarly ends WriteUnlessAnswered: something came in before all was written.
var ErrEarly = errors.New("loop: the other side answers before all was sent")

// Look is what can be seen on a connection without reading.
type Look uint8

// What may be seen.
const (
	Quiet Look = iota // nothing has come in
	Bytes             // something has
	End               // the other side has ended its direction, or there was an error
)
