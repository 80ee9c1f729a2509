package server

import (
	"errors"
	"io"
	"sync/atomic"
	"time"

	"balancerd/proxy/exchange"
	"balancerd/proxy/http2/frames"
	"balancerd/proxy/internal/loop"
)

// inlet is what has come of a request's body, and how much more may. Under the connection's mu.
type inlet struct {
	frames.Inlet
	room     int         // how much the client may send
	owed     int         // bytes that were read, and the client was not told of
	got      int64       // bytes of the body so far
	declared int64       // by Content-Length; -1 it says none
	early    bool        // the client has ended the stream before that
	told     *loop.Event // who else is told of what comes; nil: nobody
}

// comes tells that something of the body has come, or that the stream is over. Under mu.
func (st *stream) comes(by *loop.Task) {
	st.come.Set(by)
	if st.told != nil {
		st.told.Set(by)
	}
}

// receive takes in bytes. Who has seen earlier ones by Buffered may still be looking at them: they stay where they
// are. Under mu.
func (st *stream) receive(p []byte) {
	st.got += int64(len(p))
	st.Keep(p)
}

// requestEnds notes that the client has sent all. Under mu.
func (st *stream) requestEnds() {
	st.ended = true
	st.early = st.declared >= 0 && st.got < st.declared
}

// took lets the client send so many bytes more, of which it is told when they are many. Under mu.
func (st *stream) took(by *loop.Task, n int) {
	c := st.c
	if st.owed += n; st.owed < c.limits.window/2 || st.ended || st.over() {
		return
	}
	c.out.B = frames.AppendWindowUpdate(c.out.Buffer(16), st.id, st.owed)
	st.room += st.owed
	st.owed = 0
	c.kick(by)
}

// body is a request's body. Owned by whoever reads it: one goroutine at a time. The client may send no more than a
// window of it before it is read.
type body struct {
	st      *stream
	taken   atomic.Int64
	expects bool  // the client waits for 100 Continue
	err     error // how it ended; under the connection's mu
}

var _ interface {
	exchange.Body
	exchange.Complete
	exchange.Ready
	exchange.Announcer
} = (*body)(nil)

var errShortBody = errors.New("http2: the stream ended before its Content-Length")

// Read waits for the client, whom it tells to go on if need be. The error is io.EOF or a *BodyError.
func (b *body) Read(p []byte) (int, error) {
	st := b.st
	st.c.mu.Lock()
	err := b.err
	st.c.mu.Unlock()
	if err != nil || len(p) == 0 {
		return 0, err
	}
	b.goOn()
	st.c.mu.Lock()
	defer st.c.mu.Unlock()
	for {
		if st.Unread() > 0 {
			n := copy(p, st.Held())
			b.discard(n)
			return n, nil
		}
		if b.findEnd(); b.err != nil {
			b.takeTrailer()
			return 0, b.err
		}
		st.c.mu.Unlock()
		err := st.come.Wait(st.task, st.timeout())
		st.c.mu.Lock()
		if err != nil && st.Unread() == 0 && !st.ended {
			b.err = &exchange.BodyError{Status: 408, Err: err}
		}
	}
}

// findEnd finds out how the body has ended, if it has. Under mu.
func (b *body) findEnd() {
	st := b.st
	switch {
	case b.err != nil:
	case st.ended && st.early:
		b.err = &exchange.BodyError{Status: 400, Err: errShortBody}
	case st.ended:
		b.err = io.EOF
	case st.over():
		b.err = &exchange.BodyError{Status: 400, Err: errGone}
	}
}

// goOn sends 100 Continue to who waits for it.
func (b *body) goOn() {
	if !b.expects {
		return
	}
	b.expects = false
	b.st.interim(100, nil)
}

// discard takes n bytes as read. Under mu.
func (b *body) discard(n int) {
	st := b.st
	b.taken.Add(int64(n))
	st.inlet.Discard(n)
	st.took(st.task, n)
	st.c.taken(st.task, n)
}

// Buffered is what can be had without waiting.
func (b *body) Buffered() []byte {
	st := b.st
	st.c.mu.Lock()
	defer st.c.mu.Unlock()
	return st.Held()
}

// Discard takes n bytes of it as read.
func (b *body) Discard(n int) {
	b.st.c.mu.Lock()
	defer b.st.c.mu.Unlock()
	b.discard(n)
}

// Announce is exchange.Announcer's.
func (b *body) Announce(e *loop.Event) {
	b.st.c.mu.Lock()
	defer b.st.c.mu.Unlock()
	b.st.told = e
}

// Complete is exchange.Complete's.
func (b *body) Complete() (done bool, err error) {
	st := b.st
	st.c.mu.Lock()
	defer st.c.mu.Unlock()
	if n := st.Unread(); n > 0 && st.ended && !st.early {
		return n == len(st.Held()), nil
	}
	b.findEnd()
	b.takeTrailer()
	if b.err == io.EOF {
		return true, nil
	}
	return b.err != nil, b.err
}

// Ready is exchange.Ready's.
func (b *body) Ready() bool {
	st := b.st
	st.c.mu.Lock()
	defer st.c.mu.Unlock()
	return st.Unread() > 0 || st.ended || st.over()
}

// Taken is how much was read.
func (b *body) Taken() int64 { return b.taken.Load() }

// passOver reads what nobody wanted of the request's body before the answer is sent: a stream whose client still
// sends is reset behind the answer, and there are clients that forget the answer then. A body that still goes
// on to a member is none of our business.
func (st *stream) passOver() {
	upload, ok := st.x.State[exchange.StateUpload].(exchange.Uploader)
	if ok && upload.ReadsOn() {
		return
	}
	if st.body.expects || st.head.protocol != "" { // it is not sent before it is asked for
		return
	}
	c, by := st.c, time.Now().Add(min(leftoverTime, st.timeout()))
	c.mu.Lock()
	defer c.mu.Unlock()
	for st.body.err == nil && !st.over() {
		if n := st.Unread(); n > 0 {
			st.body.discard(n)
		}
		if st.ended {
			return
		}
		left := time.Until(by)
		if left <= 0 {
			return
		}
		c.mu.Unlock()
		st.come.Wait(st.task, left) // an error: its time is over
		c.mu.Lock()
	}
}

// trailer keeps the fields behind the body if all of it was read.
func (b *body) trailer() {
	st := b.st
	st.c.mu.Lock()
	defer st.c.mu.Unlock()
	if st.Unread() == 0 {
		b.findEnd()
	}
	b.takeTrailer()
}

// takeTrailer makes what came behind the body the request's, once, when the body has ended. Under mu.
func (b *body) takeTrailer() {
	x, fields := &b.st.x, b.st.tail
	if b.err != io.EOF || len(fields) == 0 {
		return
	}
	b.st.tail = nil
	x.Req.Trailer.F = append(x.Req.Trailer.F, fields...)
	if x.Server.MergeTrailers {
		x.Req.Header.F = append(x.Req.Header.F, fields...)
	}
}
