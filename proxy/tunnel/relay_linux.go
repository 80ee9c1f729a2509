package tunnel

import (
	"errors"
	"io"
	"os"
	"syscall"
	"time"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/loop"
	"balancerd/proxy/internal/sys"
)

// sockets is the state of a relay between plain sockets.
type sockets struct {
	in, out loop.Stream // nil: not a plain socket
	polled  *loop.PollStream
	looped  *inLoop // in place of polled: both are an event loop's
	onBytes func(uintptr) bool

	// Of one call of onBytes.
	b       *[bufferSize]byte
	n       int
	errno   syscall.Errno
	stopped bool
}

// socketOf is the socket below a stream, nil when it has none that may be used.
func socketOf(s exchange.Stream) loop.Stream {
	if o, ok := s.(interface{ Socket() loop.Stream }); ok {
		return o.Socket()
	}
	return nil
}

func (r *relay) open() {
	if r.polled, _ = socketOf(r.from).(*loop.PollStream); r.polled != nil {
		r.in = r.polled
	}
	r.out = socketOf(r.to)
	r.onBytes = r.take
}

// take reads inside the poller's callback, so that no buffer is held while nothing comes.
func (r *relay) take(fd uintptr) bool {
	r.b = buffers.Get().(*[bufferSize]byte)
	r.n, r.errno = sys.Read(fd, r.b[:])
	if r.errno != syscall.EAGAIN {
		return true
	}
	r.drop()
	r.polled.Wait(time.Now(), r.nextReadTimeout())
	r.stopped = r.stopping.Load() // a stop before Wait has lost its deadline to it
	return r.stopped
}

// interruptWrites wakes a write that set its deadline after stop had.
func (r *relay) interruptWrites() {
	if r.in != nil {
		r.in.CloseWrite()
	}
	if r.out != nil {
		r.out.CloseWrite()
	}
}

func (r *relay) drop() {
	if r.b != nil {
		release(r.b)
		r.b = nil
	}
}

// relaySome waits for bytes and passes them on. ended: there are no more.
func (r *relay) relaySome() (ended bool, err error) {
	defer r.drop()
	switch {
	case r.looped != nil:
		err = r.takeInLoop()
	case r.polled != nil:
		err = r.polled.Enter(r.onBytes)
	default:
		return r.readNet()
	}
	switch {
	case err != nil:
		return false, err
	case r.stopped:
		return false, os.ErrDeadlineExceeded
	case r.errno != 0:
		return false, os.NewSyscallError("read", r.errno)
	case r.n == 0:
		return true, nil
	}
	if err := r.pass(r.b[:r.n]); err != nil || r.n < bufferSize || r.out == nil {
		return false, err
	}
	return r.splice()
}

// splice moves what comes in large pieces without looking at it, for as long as it does.
func (r *relay) splice() (ended bool, err error) {
	pipe, err := pipes.Get()
	if err != nil {
		return false, nil
	}
	defer pipes.Put(pipe)
	for n := bufferSize; n >= bufferSize; {
		if n, err = r.in.Fill(pipe, 1<<20, min(r.nextReadTimeout(), time.Second)); err != nil {
			return errors.Is(err, io.EOF), err
		}
		if err = r.drain(pipe, n); err != nil {
			return false, err
		}
	}
	return false, nil
}

// drain passes on the n bytes that a pipe holds, as pass does.
func (r *relay) drain(pipe *sys.Pipe, n int) error {
	r.touch()
	r.writing.Store(true)
	for {
		err := r.out.Drain(pipe, r.writeTimeout())
		if err == nil {
			r.touch()
			r.moved += int64(n)
			r.writing.Store(false)
			return nil
		}
		if !r.waitsOn(err) {
			return err
		}
	}
}

// write writes p. After an error that time has caused n bytes need not be written again.
func (r *relay) write(p []byte) (n int, err error) {
	switch {
	case r.looped != nil:
		return r.looped.out.Write(p, r.writeTimeout())
	case r.out != nil:
		return writeTo(r.out, p, r.writeTimeout())
	}
	return r.writeNet(p)
}

func writeTo(s loop.Stream, p []byte, timeout time.Duration) (int, error) {
	before := s.Sent()
	err := s.Write(p, nil, timeout)
	return int(s.Sent() - before), err
}

// pipes are the ways for spliced bytes.
var pipes sys.Pipes
