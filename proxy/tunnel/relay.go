package tunnel

import (
	"errors"
	"io"
)

// some waits for bytes and passes them on. ended: there are no more.
func (r *relay) some() (ended bool, err error) {
	r.await()
	b := buffers.Get().(*[32 << 10]byte)
	defer buffers.Put(b)
	n, err := r.from.Read(b[:])
	if n > 0 {
		if werr := r.pass(b[:n]); werr != nil {
			return false, werr
		}
	}
	return errors.Is(err, io.EOF), err
}
