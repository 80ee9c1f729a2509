package exchange

import (
	"errors"
	"io"
	"iter"

	"balancerd/proxy/recovery"
)

// Pulled is a Rewriter made of a function that reads the body to its end and writes what it makes of it: for what is
// simpler that way around, a decoder or a parser. The function runs as a coroutine, while something is written and no
// longer than until much has come of that; what it writes goes out. Its error ends the answer; when it returns without
// one before the body is over, the rest of the body is dropped. It must not wait for anything but its body.
func Pulled(out io.Writer, f func(in io.Reader, out io.Writer) error) Rewriter {
	return &pulled{out: out, f: f}
}

// Unmade is the error of a filter that can't make a body of the one that it got. An answer of which nothing was sent is
// not sent at all (httpd: a brigade is not passed on).
type Unmade struct{ Err error }

func (u *Unmade) Error() string { return u.Err.Error() }

// Unwrap is the cause.
func (u *Unmade) Unwrap() error { return u.Err }

// pulledMost is how much the function may write before who reads gets it.
const pulledMost = 32 << 10

// pulled is both ends of the function: it is what it reads and what it writes to.
type pulled struct {
	out    io.Writer
	f      func(in io.Reader, out io.Writer) error
	resume func() (struct{}, bool)
	stop   func()
	yield  func(struct{}) bool

	held    []byte // of the body, what it may read
	own     []byte // storage for what it leaves when it stops
	wrote   int    // since it was resumed
	full    bool   // it stopped because of that
	closed  bool   // the body is over
	done    bool   // it has returned
	stopped bool   // it must return
	err     error
}

func (p *pulled) start() {
	p.resume, p.stop = iter.Pull(func(yield func(struct{}) bool) {
		p.yield = yield
		err := errPanicked
		recovery.Do("changing a body", func() { err = p.f(p, (*pulledOut)(p)) })
		p.done, p.err = true, err
	})
}

var errPanicked = errors.New("what changes the body failed")

// Read is the function's.
func (p *pulled) Read(b []byte) (int, error) {
	for len(p.held) == 0 {
		if p.closed {
			return 0, io.EOF
		}
		if !p.wait() {
			return 0, errClosed
		}
	}
	n := copy(b, p.held)
	p.held = p.held[n:]
	return n, nil
}

func (p *pulled) wait() bool {
	p.stopped = p.stopped || !p.yield(struct{}{})
	return !p.stopped
}

// pulledOut is what the function writes to.
type pulledOut pulled

func (o *pulledOut) Write(b []byte) (int, error) {
	p := (*pulled)(o)
	if p.wrote >= pulledMost && !p.stopped {
		p.full = true
		p.wait()
	}
	if p.stopped {
		return 0, errClosed
	}
	p.wrote += len(b)
	return p.out.Write(b)
}

// run runs the function until it needs more of the body, has written much, or is over.
func (p *pulled) run() error {
	if p.done {
		p.held = nil
		return p.err
	}
	if p.resume == nil {
		p.start()
	}
	p.wrote, p.full = 0, false
	p.resume()
	if p.full {
		p.own = append(p.own[:0], p.held...)
		p.held = p.own
	}
	return p.err
}

// Write gives the function a piece of the body.
func (p *pulled) Write(b []byte) (int, error) {
	p.held = b
	return len(b), p.run()
}

// Pending is Pending's.
func (p *pulled) Pending() bool { return p.full }

// Continue is Pending's.
func (p *pulled) Continue() error { return p.run() }

// Flush has nothing to do: the function has written what it could.
func (p *pulled) Flush() error { return nil }

// Close has the function see the end.
func (p *pulled) Close() error {
	p.closed = true
	return p.run()
}

// Release ends the function.
func (p *pulled) Release() {
	p.stopped = true
	if p.stop != nil {
		p.stop()
	}
}
