package client

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"balancerd/proxy/exchange"
)

// replayable is how much of a body is kept for another attempt.
const replayable = 16 << 10

var errOver = errors.New("http2: the exchange is over")

// upload is the client's body on its way to members. x/net reads it in goroutines of its own. A Duplex
// body is read right there; any other one by the exchange's goroutine, which is asked for each piece
// (want) and gives it (got). What was taken first is kept: as long as that is all, another attempt may
// begin anew. It ends with the exchange: then nobody reads the client any more.
type upload struct {
	x      *exchange.Exchange
	duplex exchange.Duplex // nil: the exchange's goroutine reads
	want   chan []byte
	got    chan piece
	turn   sync.Mutex     // who reads the client
	reads  sync.WaitGroup // of a Duplex body, under way
	inside atomic.Bool    // the client is waited for

	mu    sync.Mutex
	kept  []byte    // under mu: what was taken first
	total int64     // under mu: how much was taken
	over  bool      // under mu: io.EOF was seen
	fault error     // under mu: what the client did wrong
	last  time.Time // under mu: of the last piece
	done  bool      // under mu: the exchange is over
}

type piece struct {
	n   int
	err error
}

// uploadOf is x's upload: the same for all attempts.
func uploadOf(x *exchange.Exchange) (*upload, error) {
	switch u := x.State[exchange.StateUpload].(type) {
	case *upload:
		if x.Req.Length != 0 || !x.Out.HasBody {
			return u, nil
		} // else an ErrorDocument's member gets an empty body
	case nil:
	default:
		if x.Out.HasBody && x.Req.Length != 0 { // a member of another scheme was tried first: the beginning of the body is gone
			return nil, &exchange.BodyError{Status: 502, Err: errOver}
		}
	}
	u := &upload{x: x, want: make(chan []byte), got: make(chan piece), last: time.Now()}
	if x.Out.HasBody {
		u.duplex, _ = x.Req.Body.(exchange.Duplex)
		x.State[exchange.StateUpload] = u
		x.OnFinish(u)
	}
	return u, nil
}

// ReadsInBackground is exchange.BackgroundReader's.
func (u *upload) ReadsInBackground() bool { return true }

// Finish ends it.
func (u *upload) Finish(x *exchange.Exchange) {
	x.State[exchange.StateUpload] = nil
	u.mu.Lock()
	u.done = true
	u.mu.Unlock()
	if u.inside.Load() && u.duplex != nil {
		u.duplex.Abort()
	}
	u.reads.Wait()
}

// again reports whether everything that was taken is still here.
func (u *upload) again() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.total == int64(len(u.kept)) && u.fault == nil
}

// state is whether all was taken, and what the client did wrong.
func (u *upload) state() (over bool, fault error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.over, u.fault
}

// quiet is for how long nothing was taken from the client; 0 while it is waited for.
func (u *upload) quiet() time.Duration {
	if u.inside.Load() {
		return 0
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	return time.Since(u.last)
}

// took notes what a read brought.
func (u *upload) took(p []byte, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.last = time.Now()
	if u.total == int64(len(u.kept)) && len(u.kept)+len(p) <= replayable {
		u.kept = append(u.kept, p...)
	}
	u.total += int64(len(p))
	switch {
	case err == io.EOF:
		u.over = true
	case err != nil:
		u.fault = err
	}
}

// serve reads the client for x/net, in the exchange's goroutine.
func (u *upload) serve(p []byte) {
	g := piece{0, errOver} // who asked waits for it, whatever happens here
	defer func() { u.got <- g }()
	n, err := u.x.Req.Body.Read(p)
	u.took(p[:n], err)
	g = piece{n, err}
}

// attach makes the upload a request's body.
func (u *upload) attach(req *http.Request, s *stream) {
	if !u.x.Out.HasBody || u.x.Req.Length == 0 {
		req.Body = http.NoBody
		return
	}
	req.ContentLength = u.x.Req.Length
	next := func() *reader {
		r := &reader{u: u, s: s, closed: make(chan struct{})}
		if old := s.sending.Swap(r); old != nil {
			old.Close()
		}
		return r
	}
	req.Body = next()
	req.GetBody = func() (io.ReadCloser, error) {
		if !u.again() {
			return nil, errOver
		}
		return next(), nil
	}
}

// reader is one attempt's view of an upload. x/net reads and closes it.
type reader struct {
	u      *upload
	s      *stream
	at     int64 // how much of the upload was read here
	once   sync.Once
	closed chan struct{}
}

// Read gives what is kept first, then what the client sends on. It runs in a goroutine of x/net's: a panic
// is the attempt's.
func (r *reader) Read(p []byte) (n int, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			n, err = 0, r.s.panicked(cause)
		}
	}()
	r.u.turn.Lock()
	defer r.u.turn.Unlock()
	n, err, more := r.replay(p)
	if !more {
		return n, err
	}
	if r.u.duplex != nil {
		n, err = r.direct(p)
	} else {
		n, err = r.ask(p)
	}
	r.at += int64(n)
	return n, err
}

// replay gives of what was taken before; more: the client has to be read.
func (r *reader) replay(p []byte) (n int, err error, more bool) {
	u := r.u
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case u.done:
		return 0, errOver, false
	case r.at < int64(len(u.kept)):
		n = copy(p, u.kept[r.at:])
		r.at += int64(n)
		return n, nil, false
	case r.at < u.total: // an earlier reader has it
		return 0, errOver, false
	case u.fault != nil:
		return 0, u.fault, false
	case u.over:
		return 0, io.EOF, false
	}
	if u.duplex != nil {
		u.reads.Add(1)
		u.inside.Store(true) // under mu: Finish sees it
	}
	return 0, nil, true
}

// direct reads the client here.
func (r *reader) direct(p []byte) (int, error) {
	u := r.u
	defer u.reads.Done()
	defer u.inside.Store(false)
	n, err := u.duplex.Read(p)
	u.took(p[:n], err)
	return n, err
}

// ask has the exchange's goroutine read the client.
func (r *reader) ask(p []byte) (int, error) {
	select {
	case r.u.want <- p:
		g := <-r.u.got
		return g.n, g.err
	case <-r.closed:
	case <-r.s.gone:
	}
	return 0, errOver
}

// Close is called by x/net when it needs no more of it.
func (r *reader) Close() error {
	r.once.Do(func() { close(r.closed) })
	return nil
}
