package loop

import (
	"errors"
	"io"
	"os"
	"syscall"
	"time"

	"balancerd/proxy/internal/sys"
)

// splicing is what a Stream can do where the system moves bytes between sockets itself.
type splicing interface {
	// Fill waits for bytes and moves up to n of them into a pipe. The end is io.EOF.
	Fill(p *sys.Pipe, n int, timeout time.Duration) (int, error)
	// Drain moves all that a pipe holds to the connection; the timeout begins anew whenever some of it is gone.
	Drain(p *sys.Pipe, timeout time.Duration) error
}

// watchInterval is after how long a wait of WriteUnlessAnswered it looks for an answer again: its socket's
// other direction does not wake it.
const watchInterval = 200 * time.Millisecond

func timedOut(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }

// readResult is a read's result as Stream tells it.
func readResult(n int, e syscall.Errno) (int, error) {
	switch {
	case e != 0:
		return 0, os.NewSyscallError("read", e)
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}

// tryResult is readResult of a read that did not wait.
func tryResult(n int, e syscall.Errno) (int, error) {
	if e == syscall.EAGAIN {
		return 0, nil
	}
	return readResult(n, e)
}

// lookAt is Stream.Look of a descriptor.
func lookAt(fd uintptr) Look {
	switch n, e := sys.Peek(fd); {
	case e == syscall.EAGAIN:
		return Quiet
	case n > 0:
		return Bytes
	}
	return End
}

// rest is what of a and b is left when the first n bytes are gone.
func rest(a, b []byte, n int) ([]byte, []byte) {
	k := min(n, len(a))
	return a[k:], b[n-k:]
}
