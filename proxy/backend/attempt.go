package backend

import (
	"context"
	"time"

	"balancerd/balancer"
	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/wire"
)

// Attempt is one try to have a member answer: what every member protocol does in the same way. A Stream embeds
// it. Owned by the goroutine that serves the exchange.
type Attempt struct {
	X      *exchange.Exchange
	Worker *balancer.Worker
	Call   *Call
	Try    int  // which connection of the request to this member it is, from 1
	Reused bool // the connection carried requests before

	// Had are the answer's fields that modules had set before the member was asked. They outlive an attempt that fails.
	Had []exchange.Field
	// Cookies are those of them that HTTP's and AJP's heads let be: all others are replaced (httpd: mod_proxy_http.c
	// ap_proxy_http_process_response, save_table).
	Cookies []exchange.Field

	interims int
	told     bool          // the observer knows that it is over
	began    time.Time     // before it had a connection; with an observer alone
	header   time.Duration // from began to the final head; -1 before
}

// Protocol opens streams to members: Serial does for protocols with one request at a time on a connection.
type Protocol interface {
	// Open finds a connection for an attempt and begins a stream on it; nothing of the request is written yet.
	// try counts from 1: a stream of the next try follows one that was Untouched, and the last one (MaxTries)
	// should have a connection that nobody else's stream can end. The error is a *Failure, or a Status for a
	// request that cannot be written.
	Open(ctx context.Context, w *balancer.Worker, x *exchange.Exchange, call *Call, try int) (Stream, error)
}

// Stream carries one request to a member and the response back: on a connection of its own, or as one of many on
// a connection. The attempt drives it: Start, then Wait until the final head is there, and Feed whenever the
// member lets more of the body come. Each waits at most the attempt's timeout, as the goroutine or the event loop's
// task that serves the exchange: no stream needs a goroutine. Errors are a *Failure, or a Status.
//
//	Open ──> Start ──> Wait ── InterimResponse ──> passed on to the client, or not ──> Wait
//	                     ├──── WantsBody ───────> Feed ────────────────────────────> Wait
//	                     ├──── FinalResponse ───> Accept ──> x.Res, whose Body reads on ──> Finish
//	                     └──── an error ────────> Abandon, and Open once more if the stream was Untouched
type Stream interface {
	exchange.Finisher // ends it with its exchange
	// Start writes the head, with what of the body may follow it unasked.
	Start() error
	// Wait waits for what the member says next.
	Wait() (Event, error)
	// Interim is the head of an InterimResponse, until the next Wait.
	Interim() InterimHead
	// Feed sends as much of the body as the member wants now.
	Feed() error
	// Accept makes the final head x.Res's, with its Body or Tunnel.
	Accept() error
	// Untouched reports, after an error, that the member saw nothing of the request and that all of it is still
	// here: it may be sent on another connection, whatever its method (RFC 9110 section 9.2.2, RFC 9113 section 8.7).
	Untouched() bool
	// Abandon ends a stream that brought no final head, and why.
	Abandon(error)

	attempt() *Attempt
}

// Event is what a member says.
type Event uint8

// The events of a Stream.
const (
	InterimResponse Event = iota // a 1xx head: see Stream.Interim
	WantsBody                    // more of the request's body may be sent
	FinalResponse                // the response's head
)

// InterimHead is a 1xx head.
type InterimHead struct {
	Status int
	Reason string
	Header *exchange.Header // nil: its fields are not passed on
}

// MaxTries is how often a request is sent that no member has seen.
const MaxTries = 3

// maxInterim is how many 1xx answers in a row are too many (httpd: AP_MAX_INTERIM_RESPONSES).
const maxInterim = 10

func (a *Attempt) attempt() *Attempt { return a }

// Begin readies it for a stream.
func (a *Attempt) Begin(w *balancer.Worker, x *exchange.Exchange, call *Call) {
	*a = Attempt{X: x, Worker: w, Call: call, header: -1, Had: append(a.Had[:0], x.Res.Header.F...), Cookies: a.Cookies[:0]}
	for i := range a.Had {
		if f := &a.Had[i]; f.ID == wire.SetCookie {
			a.Cookies = append(a.Cookies, *f)
		}
	}
}

// Exchange has a member answer x by streams of a protocol: RoundTrip of all Backends.
func Exchange(ctx context.Context, p Protocol, w *balancer.Worker, x *exchange.Exchange, call *Call) error {
	for try := 1; ; try++ {
		began := time.Time{}
		if x.Observer != nil {
			began = time.Now()
		}
		s, err := p.Open(ctx, w, x, call, try)
		if err != nil {
			tellFailed(w, x, began, err)
			return err
		}
		s.attempt().began = began
		again, err := attemptOn(s, x)
		if err == nil || !again || try == MaxTries {
			return err
		}
	}
}

// attemptOn is one attempt. again: the request may be sent once more. Whatever happens, a panic among it, the
// stream is ended, or is to be with the exchange.
func attemptOn(s Stream, x *exchange.Exchange) (again bool, err error) {
	answered := false
	defer func() {
		if !answered {
			x.Res.Header.Reset()
			x.Res.Header.F = append(x.Res.Header.F, s.attempt().Had...)
			s.Abandon(err)
		}
	}()
	if err = s.attempt().run(s); err != nil {
		return s.Untouched(), err
	}
	answered = true
	x.OnFinish(s)
	return false, nil
}

// run brings a stream to its final head.
func (a *Attempt) run(s Stream) error {
	if err := s.Start(); err != nil {
		return err
	}
	for {
		event, err := s.Wait()
		if err != nil {
			return err
		}
		switch event {
		case FinalResponse:
			if !a.began.IsZero() {
				a.header = time.Since(a.began)
			}
			return s.Accept()
		case WantsBody:
			err = s.Feed()
		case InterimResponse:
			err = a.passOn(s.Interim())
		}
		if err != nil {
			return err
		}
	}
}

// passOn passes a 1xx answer on, or not (httpd: mod_proxy_http.c, proxy-interim-response). A health check asks for
// nothing that a 100 could answer: it fails, as in httpd, which takes each 1xx for the answer.
func (a *Attempt) passOn(i InterimHead) error {
	if a.Call.Check != nil && i.Status == 100 {
		return a.Fail(TooManyInterim, nil)
	}
	if err := a.tellClient(i); err != nil {
		f := a.Fail(ClientBody, &exchange.BodyError{Status: 400, Err: err}) // the client is gone
		f.Sent = true
		return f
	}
	if a.interims++; a.interims == maxInterim {
		return a.Fail(TooManyInterim, nil)
	}
	return nil
}

func (a *Attempt) tellClient(i InterimHead) error {
	front := a.X.Front
	if a.Call.Interim == InterimSuppress || front == nil {
		return nil
	}
	if i.Header != nil && a.Call.Via != nil {
		i.Header.Add("Via", a.Call.Via(a.X))
	}
	if i.Status == 100 && a.Call.Interim == InterimRelay {
		return front.Continue(i.Reason, i.Header)
	}
	return front.Interim(i.Status, i.Reason, i.Header)
}

// Count adds bytes to the member's figures, in its protocol's sense; those of a health check are none.
func (a *Attempt) Count(sent, read int64) {
	if a.Call.Check == nil {
		a.Worker.AddTraffic(sent, read)
	}
}

// Fail is a Failure of the attempt.
func (a *Attempt) Fail(kind Kind, err error) *Failure {
	f := failureOf(a.Worker, a.Call, kind, err)
	f.Reused = a.Reused
	return f
}

// End forgets the exchange: the stream is over.
func (a *Attempt) End() {
	clear(a.Had)
	clear(a.Cookies)
	*a = Attempt{Had: a.Had[:0], Cookies: a.Cookies[:0]}
}

func failureOf(w *balancer.Worker, call *Call, kind Kind, err error) *Failure {
	to := targetOf(w, call)
	return &Failure{Kind: kind, Err: err, Host: to.host, Port: to.port, Timeout: IsTimeout(err)}
}
