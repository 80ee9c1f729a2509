package client

import (
	"container/list"
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2"

	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/loop"
	"balancerd/proxy/internal/poison"
	"balancerd/proxy/internal/wire"
	"balancerd/proxy/recovery"
)

// stream is an attempt: one of a connection's streams. Owned by the goroutine that serves the exchange, but for what
// says otherwise. That waits for the member and for the client by one event, which each sets that has news.
type stream struct {
	backend.Attempt
	owner   *Backend
	conn    *conn // nil before there is one
	up      *upload
	timeout time.Duration
	event   loop.Event
	aborted atomic.Bool        // the client is gone
	life    exchange.Abortable // who tells of that; nil: see unhook
	unhook  func() bool        // nil, or what ends that
	hookRan atomic.Bool        // it came too late, and Abort is done

	waits *list.Element // under clients.waits: among those that wait for a place; nil: it does not, or was told of one

	begun    bool      // its head was sent
	left     bool      // it is over for us
	since    time.Time // since when the member owes something
	stopped  bool      // what is left of the request's body is not sent
	overdue  bool      // the client owes more of its body: it is waited for
	headOnly bool
	again    bool // the member saw nothing of it
	last     interim
	header   exchange.Header // of last
	sent     int64           // bytes of the head
	read     int64           // bytes that came
	err      error           // how the body ended

	// Under the connection's mu.
	id       uint32
	window   int64 // what the member's window lets through
	sentAll  bool  // the request is sent
	heard    int64 // the connection's, when it began
	interims []interim
	here     bool // the final head has come
	status   int
	fields   []exchange.Field
	tail     []exchange.Field // the fields behind the body
	fault    error            // it is over before its end
	inlet
}

// interim is a 1xx head.
type interim struct {
	status int
	fields []exchange.Field
}

// mostInterims is how many 1xx heads may wait to be passed on: the attempt fails with more of them in all.
const mostInterims = 10

var (
	errAborted = errors.New("http2: the exchange is over")
	errLate    = errors.New("http2: the member says nothing")
)

func (s *stream) task() *loop.Task { return s.X.Task }

// secure reports whether the member is spoken to in TLS.
func (s *stream) secure() bool {
	scheme := s.Call.Scheme
	if scheme == "" {
		scheme = s.Worker.Address().Scheme
	}
	return scheme == exchange.H2
}

// Abort is exchange.Aborter's: the client is gone.
func (s *stream) Abort() {
	s.aborted.Store(true)
	s.event.Set(nil)
}

// watch has it be told when the client goes away.
func (s *stream) watch(ctx context.Context) {
	if life, ok := ctx.(exchange.Abortable); ok {
		s.life = life
		life.Watch(s)
	} else if ctx.Done() != nil {
		s.unhook = context.AfterFunc(ctx, s.hook)
	}
	if s.up.tells != nil {
		s.up.tells.Announce(&s.event)
	}
}

// hook is Abort where a goroutine calls it.
func (s *stream) hook() {
	defer s.hookRan.Store(true)
	defer recovery.Catch("giving up a stream of HTTP/2")
	s.Abort()
}

// unwatch ends that. Who was told meanwhile has been: nobody touches the stream any more.
func (s *stream) unwatch() {
	if s.up != nil && s.up.tells != nil {
		s.up.tells.Announce(nil)
	}
	switch {
	case s.life != nil:
		s.life.Unwatch(s)
		s.life = nil
	case s.unhook != nil:
		if !s.unhook() { // Abort runs, or is about to
			for !s.hookRan.Load() {
				s.event.Wait(s.task(), time.Millisecond)
			}
		}
		s.unhook = nil
	}
}

// gaveUp reports whether the client is gone.
func (s *stream) gaveUp(ctx context.Context) bool { return s.aborted.Load() || ctx.Err() != nil }

// sayable reports whether the request can be said in HTTP/2.
func (s *stream) sayable() bool {
	o := &s.X.Out
	if !wire.IsWord(o.Method) || !wire.IsWord(o.Target) || !wire.IsWord(o.Host) {
		return false
	}
	return !slices.ContainsFunc(o.Header.F, func(f exchange.Field) bool { return !wire.IsToken(f.Name) || !wire.IsValue(f.Value) })
}

// Start is Stream's: it sends the head, and what is here of the body.
func (s *stream) Start() error {
	s.since = time.Now()
	s.headOnly = s.X.HeadOnly || s.X.Req.Method == "HEAD"
	if !s.up.none {
		s.up.at = 0
		if err := s.goOn(); err != nil {
			return s.clientFault(err)
		}
	}
	if err := s.begin(); err != nil {
		return s.failed(err)
	}
	if is, _ := s.up.ready(); is {
		return s.feed(false)
	}
	return nil
}

// goOn tells a client that waits for 100 Continue that its body is wanted.
func (s *stream) goOn() error {
	if !s.X.Req.Expect100 || s.X.Front == nil {
		return nil
	}
	if err := s.X.Front.Continue("", nil); err != nil {
		return &exchange.BodyError{Status: 400, Err: err}
	}
	return nil
}

// sending reports whether more of the body may be sent.
func (s *stream) sending() bool { return !s.up.none && !s.sentAll && !s.stopped }

// Wait is Stream's. The member has its time from when the client's last bytes were there.
func (s *stream) Wait() (backend.Event, error) {
	for {
		ready, told := s.up.ready()
		event, said, err := s.look(ready || !told)
		if said || err != nil {
			return event, err
		}
		left := s.timeout - time.Since(s.since)
		if left > 0 {
			s.event.Wait(s.task(), left) // an error: its time is over
			continue
		}
		return s.expired(!ready && told)
	}
}

// expired is the end of the member's time. owes: it may be the client who owes something.
func (s *stream) expired(owes bool) (backend.Event, error) {
	s.conn.mu.Lock()
	here, takes := s.here, s.mayAppend()
	s.conn.mu.Unlock()
	switch {
	case here: // and takes nothing of the request any more
		s.stopped = true
		return backend.FinalResponse, nil
	case owes && takes && s.sending():
		s.overdue = true
		return backend.WantsBody, nil
	}
	return 0, s.late()
}

// look is what there is to say. may: there may be something of the body to send.
func (s *stream) look(may bool) (e backend.Event, said bool, err error) {
	c := s.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case s.aborted.Load():
		return 0, false, s.fail(backend.EarlyClose, context.Canceled)
	case len(s.interims) > 0:
		s.last = s.interims[0]
		s.interims = append(s.interims[:0], s.interims[1:]...)
		return backend.InterimResponse, true, nil
	case s.here && (s.sentAll || s.ended || s.fault != nil || s.up.over || s.up.tells != nil || s.status > 299):
		return backend.FinalResponse, true, nil
	case s.fault != nil:
		return 0, false, s.failed(s.fault)
	case may && s.sending() && s.mayAppend():
		return backend.WantsBody, true, nil
	case s.sending() && !s.mayAppend():
		c.await(s)
	}
	return 0, false, nil
}

// late is the failure of a member that says nothing for too long.
func (s *stream) late() error {
	s.conn.mu.Lock()
	s.conn.doubt(s.task(), s.heard)
	s.conn.mu.Unlock()
	f := s.fail(backend.ReadTimeout, errLate)
	if s.sending() {
		f.Kind = backend.WriteBody
	}
	f.Err, f.Timeout = nil, true
	return f
}

// Interim is Stream's. Of a 100 nothing is passed on but itself.
func (s *stream) Interim() backend.InterimHead {
	s.since = time.Now()
	if s.last.status == 100 && s.Call.Interim == backend.InterimRelay {
		return backend.InterimHead{Status: 100}
	}
	s.header.Reset()
	s.header.F = append(s.header.F, s.last.fields...)
	return backend.InterimHead{Status: s.last.status, Header: &s.header}
}

// Feed is Stream's: it sends what the member takes now of the body. Who does not say when more of it comes is waited for.
func (s *stream) Feed() error {
	wait := s.up.tells == nil || s.overdue
	s.overdue = false
	return s.feed(wait)
}

// feed sends what is here of the body as far as the member takes it; wait: the client is waited for once.
func (s *stream) feed(wait bool) error {
	for u := s.up; s.sending(); {
		if u.at == u.n && !u.over {
			if is, _ := u.ready(); !is && !wait {
				return nil
			}
			wait = false
			err := u.fill()
			s.since = time.Now()
			if err != nil {
				return s.clientFault(err)
			}
		}
		if more, err := s.push(); !more || err != nil {
			return err
		}
	}
	return nil
}

// clientFault is the failure to read the client's body.
func (s *stream) clientFault(err error) error {
	f := s.Fail(backend.ClientBody, err)
	f.Sent, f.Timeout = true, false
	s.stopped = true
	return f
}

// Untouched is Stream's.
func (s *stream) Untouched() bool { return s.again && s.up.again() }

// fail is a failure of the attempt; after bytes of the body were taken that can't be sent again it is Sent.
func (s *stream) fail(kind backend.Kind, err error) *backend.Failure {
	f := s.Fail(kind, err)
	f.Sent, f.Timeout = !s.up.again(), false
	return f
}

// failed says what it means that there is no answer. A request that the member did not touch, but whose body is on its
// way and can't be sent again, is NotTaken: the member is well.
func (s *stream) failed(err error) error {
	var untouched errUntouched
	var stream http2.StreamError
	var conn http2.ConnectionError
	switch {
	case errors.As(err, &untouched):
		s.again = true
		return s.fail(backend.NotTaken, nil)
	case errors.As(err, new(tooLongError)):
		f := s.fail(backend.BadHead, err)
		f.Detail = backend.TooLong
		return f
	case errors.As(err, new(statusError)):
		f := s.fail(backend.BadStatusLine, nil)
		f.Detail = string(err.(statusError))
		return f
	case errors.As(err, new(malformedError)), errors.As(err, &conn):
		return s.fail(backend.BadHead, err)
	case errors.As(err, &stream) && (stream.Cause != errReset || stream.Code == http2.ErrCodeProtocol):
		return s.fail(backend.BadHead, err)
	}
	return s.fail(backend.EarlyClose, err)
}

// Accept is Stream's.
func (s *stream) Accept() error {
	c, res := s.conn, &s.X.Res
	c.mu.Lock()
	defer c.mu.Unlock()
	c.used = true
	if s.up.tells == nil && !s.up.over { // nobody reads on while the answer is sent
		s.stopped = true
	}
	res.Header.Reset()
	for i := range s.fields {
		if f := &s.fields[i]; f.ID != wire.SetCookie {
			res.Header.F = append(res.Header.F, *f)
		}
		s.read += int64(len(s.fields[i].Name) + len(s.fields[i].Value) + 4)
	}
	res.Header.F = append(res.Header.F, s.Cookies...)
	for i := range s.fields {
		if f := &s.fields[i]; f.ID == wire.SetCookie {
			res.Header.F = append(res.Header.F, *f)
		}
	}
	res.Status, res.Reason, res.Proxied = s.status, exchange.ReasonOf(s.status), true
	res.Length, res.Body = s.declared, nil
	empty := s.ended && s.got == 0
	switch {
	case s.bodiless():
	case empty:
		res.Length = 0
	case res.Length != 0:
		res.Body = s
	}
	return nil
}

// Finish ends it with its exchange.
func (s *stream) Finish(*exchange.Exchange) {
	why := backend.Reusable
	if s.conn.exclusive {
		why = backend.NotKept
	}
	if s.err == errAborted {
		s.err = nil
	}
	s.end(why, s.err)
}

// Abandon is Stream's.
func (s *stream) Abandon(err error) { s.end(backend.Failed, err) }

// end ends the attempt, whole or not.
func (s *stream) end(why backend.Reason, err error) {
	s.unwatch()
	s.leave()
	sent := int64(0)
	if !s.again {
		sent = s.sent + s.X.Req.Body.Taken()
		s.Count(sent, s.read)
	}
	s.tell(sent, why, err)
	s.retire()
}

// tell tells the observer that the attempt is over.
func (s *stream) tell(sent int64, why backend.Reason, err error) {
	if s.X.Observer == nil {
		return
	}
	e := exchange.Attempted{Address: s.conn.from.Address(), Connect: -1, Sent: sent, Got: s.read, Ended: why.String(), Err: err}
	if !s.Reused {
		e.Connect = s.conn.from.Connecting()
	}
	if s.here {
		e.Status = s.status
	}
	s.Tell(e)
}

// retire gives it back for the next attempt. Nobody else knows of it any more.
func (s *stream) retire() {
	s.Drop()
	s.End()
	clear(s.fields)
	clear(s.header.F)
	*s = stream{Attempt: s.Attempt, owner: s.owner, fields: s.fields[:0], header: exchange.Header{F: s.header.F[:0]}}
	poison.Put(&s.owner.streams, s)
}
