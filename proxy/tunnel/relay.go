package tunnel

import (
	"errors"
	"io"
	"os"
	"time"
)

// bufferSize is what one read may bring; more at a time is spliced where that can be done.
const bufferSize = 16 << 10

// never is how long a tunnel without an idle timeout waits.
const never = 1000 * time.Hour

// errTooLong ends a tunnel whose side takes nothing any more.
var errTooLong = errors.New("tunnel: a write took too long")

// nextReadTimeout is how long the next wait may last.
func (r *relay) nextReadTimeout() time.Duration {
	switch {
	case r.idle <= 0:
		return never
	case r.otherWrites():
		return r.idle
	}
	return max(r.left(), time.Millisecond)
}

// readNet waits for bytes with the methods of net.Conn, and passes them on. ended: there are no more.
func (r *relay) readNet() (ended bool, err error) {
	r.from.SetReadDeadline(time.Now().Add(r.nextReadTimeout()))
	if r.stopping.Load() { // stop came in between
		r.from.SetReadDeadline(longAgo)
	}
	b := buffers.Get().(*[bufferSize]byte)
	defer release(b)
	n, err := r.from.Read(b[:])
	if n > 0 {
		if werr := r.pass(b[:n]); werr != nil {
			return false, werr
		}
	}
	return errors.Is(err, io.EOF), err
}

// writeNet writes p with the methods of net.Conn. What has taken too long can't go on: below may be TLS.
func (r *relay) writeNet(p []byte) (int, error) {
	r.to.SetWriteDeadline(time.Now().Add(r.writeTimeout()))
	if r.stopping.Load() {
		r.to.SetWriteDeadline(longAgo)
	}
	n, err := r.to.Write(p)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = errTooLong
	}
	return n, err
}

// writeTimeout is how long a write may take.
func (r *relay) writeTimeout() time.Duration {
	if r.idle <= 0 {
		return never
	}
	return r.idle
}
