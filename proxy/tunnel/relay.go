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

// patience is how long the next wait may last.
func (r *relay) patience() time.Duration {
	if r.idle <= 0 {
		return never
	}
	return max(r.left(), time.Millisecond)
}

// someNet waits for bytes by net.Conn's ways, and passes them on. ended: there are no more.
func (r *relay) someNet() (ended bool, err error) {
	r.from.SetReadDeadline(time.Now().Add(r.patience()))
	if r.over.Load() { // stop came in between
		r.from.SetReadDeadline(longAgo)
	}
	b := buffers.Get().(*[bufferSize]byte)
	defer giveBack(b)
	n, err := r.from.Read(b[:])
	if n > 0 {
		if werr := r.pass(b[:n]); werr != nil {
			return false, werr
		}
	}
	return errors.Is(err, io.EOF), err
}

// passNet writes p by net.Conn's ways.
func (r *relay) passNet(p []byte) error {
	r.to.SetWriteDeadline(time.Now().Add(r.longest()))
	if r.over.Load() {
		r.to.SetWriteDeadline(longAgo)
	}
	_, err := r.to.Write(p)
	return err
}

// longest is how long a write may take.
func (r *relay) longest() time.Duration {
	if r.idle <= 0 {
		return never
	}
	return r.idle
}
