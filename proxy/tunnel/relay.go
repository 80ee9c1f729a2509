package tunnel

import (
	"errors"
	"io"
	"time"
)

// bufferSize is what one read may bring; more at a time is spliced where that can be done.
const bufferSize = 16 << 10

// never is how long a tunnel without an idle timeout waits.
const never = 1000 * time.Hour

// nextReadTimeout is how long the next wait may last.
func (r *relay) nextReadTimeout() time.Duration {
	if r.idle <= 0 {
		return never
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

// writeNet writes p with the methods of net.Conn.
func (r *relay) writeNet(p []byte) error {
	r.to.SetWriteDeadline(time.Now().Add(r.writeTimeout()))
	if r.stopping.Load() {
		r.to.SetWriteDeadline(longAgo)
	}
	_, err := r.to.Write(p)
	return err
}

// writeTimeout is how long a write may take.
func (r *relay) writeTimeout() time.Duration {
	if r.idle <= 0 {
		return never
	}
	return r.idle
}
