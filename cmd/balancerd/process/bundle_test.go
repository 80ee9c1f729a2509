package process

import (
	"errors"
	"os"
	"syscall"
	"testing"

	"balancerd/proxy/log/sink"
)

// A link that is not followed is told as one: the reader hands over numbers alone.
func TestErrnoIn(t *testing.T) {
	for want, err := range map[syscall.Errno]error{
		0: nil, syscall.EIO: errors.New("x"), syscall.ENXIO: &os.PathError{Err: syscall.ENXIO}, syscall.ELOOP: &os.PathError{Err: sink.ErrLink},
	} {
		if got := errnoIn(err); got != want {
			t.Errorf("%v: %d, want %d", err, got, want)
		}
	}
}
