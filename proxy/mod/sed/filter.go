package sed

import (
	"context"
	"io"

	"balancerd/proxy/exchange"
)

// answer is Sed of answers (httpd: mod_sed.c sed_response_filter). Tag, sum and date stay, as in httpd. Of a head alone
// nothing is known, and nothing changes.
func (s *script) answer(_ context.Context, x *exchange.Exchange) error {
	r := &x.Res
	if !s.given || r.Body == nil || r.Length == 0 || x.HeadOnly && r.Proxied {
		return nil
	}
	r.Length = -1
	r.Header.Del("Content-Length")
	if !x.HeadOnly {
		r.Body = exchange.Rewritten(r.Body, func(out io.Writer) exchange.Rewriter { return &rewriter{machine: newMachine(s, x), to: out} })
	}
	return nil
}

// rewriter is a machine that is written to.
type rewriter struct {
	*machine
	to      io.Writer
	stopped bool
	passed  bool // something was written
}

// Write is exchange.Rewriter's.
func (w *rewriter) Write(p []byte) (int, error) {
	w.feed(p)
	return len(p), w.Continue()
}

// Flush has nothing to do: a line that is not whole, or that may be the last, waits.
func (w *rewriter) Flush() error { return nil }

// Close is exchange.Rewriter's: the last line passes.
func (w *rewriter) Close() error {
	w.close()
	return w.Continue()
}

// Pending is exchange.Pending's.
func (w *rewriter) Pending() bool { return w.stopped }

// Continue is exchange.Pending's.
func (w *rewriter) Continue() (err error) {
	w.stopped, err = w.run()
	if err != nil {
		if err = w.failed("AH10394: error evaluating sed on output", err); !w.passed {
			err = &exchange.Unmade{Err: err}
		}
		return err
	}
	w.passed = w.passed || len(w.out) > 0
	_, err = w.to.Write(w.out)
	w.out = w.out[:0]
	return err
}

// Release is exchange.Releaser's.
func (w *rewriter) Release() { w.release() }

// failed logs why a script ended, and returns that as the log's error.
func (m *machine) failed(message string, err error) error {
	switch err {
	case errUnopened:
		return exchange.ErrGeneral
	case errEndless:
		m.x.Log("sed", exchange.Error, nil, m.x.Arena.Join("a script that goes on for ever was ended after line ", m.x.Arena.Int(m.number)))
	}
	if err != errTooLong {
		err = exchange.ErrGeneral
	}
	m.x.Log("sed", exchange.Error, err, message)
	return err
}

// request is Sed of request bodies (httpd: mod_sed.c sed_request_filter).
func (s *script) request(_ context.Context, x *exchange.Exchange) error {
	q := &x.Req
	if !s.given || x.Prev != nil || q.Length == 0 {
		return nil
	}
	m := newMachine(s, x)
	x.OnFinish(m)
	q.TellLength = q.TellLength || q.Length >= 0
	q.Length = -1
	q.Header.Del("Content-Length")
	exchange.ThroughBody(x, &reader{machine: m, from: q.Body})
	return nil
}

// Finish is exchange.Finisher's.
func (m *machine) Finish(*exchange.Exchange) { m.release() }

// reader is a machine that is read from.
type reader struct {
	*machine
	from  io.Reader
	piece [8 << 10]byte
	taken int  // of out
	more  bool // the machine was given something, or has stopped
	end   error
}

// Read gives what comes of the body.
func (r *reader) Read(p []byte) (int, error) {
	for r.taken == len(r.out) {
		r.out, r.taken = r.out[:0], 0
		switch {
		case r.more:
			r.advance()
		case r.end != nil:
			return 0, r.end
		default:
			r.fill()
		}
	}
	n := copy(p, r.out[r.taken:])
	r.taken += n
	return n, nil
}

// advance has the machine go on. What it made before it failed is nothing.
func (r *reader) advance() {
	var err error
	if r.more, err = r.run(); err != nil {
		r.out, r.end = r.out[:0], r.failed("AH10395: error evaluating sed on input", err)
	}
}

// fill reads a piece of the body.
func (r *reader) fill() {
	n, err := r.from.Read(r.piece[:])
	r.feed(r.piece[:n])
	switch {
	case err == io.EOF:
		r.close()
		r.end = io.EOF
	case err != nil:
		r.end = err
		return
	}
	r.more = true
}
