package client

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2"

	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/wire"
)

// stream is an attempt by x/net's engine. That has a goroutine of its own for each request, and reads its body in
// others; Wait waits for what they bring. Owned by the goroutine that serves the exchange, but for what says
// otherwise.
type stream struct {
	backend.Attempt
	t       *http2.Transport
	up      *upload
	sending atomic.Pointer[reader] // the request's body; nil for none
	cancel  context.CancelFunc
	timeout time.Duration
	came    chan result
	early   chan interim
	gone    chan struct{} // closed when the exchange is over

	client *client // whose connection it is; nil before there is one
	asked  bool    // owned by the goroutine of RoundTrip: for a connection

	late    atomic.Bool                 // the member's time was over
	reading *time.Timer                 // ends a read of the body that takes too long; nil before the first
	caught  atomic.Pointer[caughtPanic] // a panic that x/net must not see

	running  bool // the goroutine of RoundTrip has not brought its result
	again    bool // the member did not touch the request
	timer    *time.Timer
	here     *http.Response  // the final head, while the client still sends
	uploaded <-chan struct{} // closed when x/net needs no more of the body then
	piece    []byte          // where x/net wants the next bytes of the body
	interim  interim         // the last one

	body io.ReadCloser
	req  *http.Request
	resp *http.Response
	sent int64
	read int64
	err  error // how the body ended
}

var (
	_ exchange.Source = (*stream)(nil)
	_ backend.Stream  = (*stream)(nil)
)

type result struct {
	r   *http.Response
	err error
}

type interim struct {
	status int
	header textproto.MIMEHeader
}

// secure reports whether the member is spoken to in TLS.
func (s *stream) secure() bool {
	scheme := s.Call.Scheme
	if scheme == "" {
		scheme = s.Worker.Address().Scheme
	}
	return scheme == "h2"
}

// request is x.Out for x/net.
func (s *stream) request(ctx context.Context) (*http.Request, error) {
	o := &s.X.Out
	if !wire.IsWord(o.Method) || !wire.IsWord(o.Target) || !wire.IsWord(o.Host) {
		return nil, errOver
	}
	scheme := "http"
	if s.secure() {
		scheme = "https"
	}
	h := make(http.Header, len(o.Header.F)+1)
	for i := range o.Header.F {
		f := &o.Header.F[i]
		if !wire.IsToken(f.Name) || !wire.IsValue(f.Value) {
			return nil, errOver
		}
		if wire.ConnectionField[f.ID] || f.ID == wire.Host || f.ID == wire.ContentLength {
			continue
		}
		key := exchange.CanonicalName(f)
		h[key] = append(h[key], strings.Clone(f.Value))
		s.sent += int64(len(f.Name) + len(f.Value) + 4)
	}
	h.Set("Te", "trailers") // as httpd says to every such member
	if h["User-Agent"] == nil {
		h["User-Agent"] = nil // x/net must not say its own name
	}
	host, target := strings.Clone(o.Host), strings.Clone(o.Target)
	opaque := "//" + host + target // x/net makes the path of it as it stands
	if target == "*" {
		opaque = target
	}
	trace := &httptrace.ClientTrace{Got1xxResponse: func(status int, header textproto.MIMEHeader) (err error) {
		defer func() {
			if cause := recover(); cause != nil {
				err = s.panicked(cause)
			}
		}()
		select {
		case s.early <- interim{status, header}:
		case <-s.gone:
		}
		return nil
	}}
	ctx = context.WithValue(httptrace.WithClientTrace(ctx, trace), attemptKey{}, s)
	req := (&http.Request{Method: strings.Clone(o.Method), URL: &url.URL{Scheme: scheme, Host: host, Opaque: opaque}, Host: host, Header: h,
		Proto: "HTTP/2.0", ProtoMajor: 2}).WithContext(ctx)
	s.up.attach(req, s)
	return req, nil
}

// Start is Stream's: it has x/net send the request.
func (s *stream) Start() error {
	go func() { s.came <- s.guardRoundTrip() }()
	s.running = true
	s.timer = time.NewTimer(s.timeout)
	return nil
}

// Wait is Stream's. The member has its time from when the client's last bytes were there.
func (s *stream) Wait() (backend.Event, error) {
	for {
		if over, _ := s.up.state(); over && s.here != nil { // x/net may need the response to be read to send the rest
			return backend.FinalResponse, nil
		}
		select {
		case r := <-s.came:
			s.running = false
			if r.err != nil {
				return 0, s.failed(r.err)
			}
			s.here = r.r
			sending := s.sending.Load()
			if sending == nil || s.up.duplex != nil || r.r.StatusCode > 299 {
				return backend.FinalResponse, nil
			}
			s.uploaded = sending.closed
		case <-s.uploaded:
			return backend.FinalResponse, nil
		case s.piece = <-s.up.want:
			return backend.WantsBody, nil
		case s.interim = <-s.early:
			return backend.InterimResponse, nil
		case <-s.timer.C:
			if done, err := s.expired(); done {
				return backend.FinalResponse, err
			}
		}
	}
}

// expired is the end of the member's time: done is false when the client, whom it waits for, had some of it.
func (s *stream) expired() (done bool, err error) {
	if left := s.timeout - s.up.quiet(); s.sending.Load() != nil && left > 0 && s.here == nil {
		s.timer.Reset(left)
		return false, nil
	}
	s.late.Store(true)
	s.cancel()
	if s.here != nil {
		return true, nil
	}
	return true, s.failed(s.stop())
}

// Interim is Stream's. Of a 100 nothing is passed on but itself.
func (s *stream) Interim() backend.InterimHead {
	if s.interim.status == 100 && s.Call.Interim == backend.InterimRelay {
		return backend.InterimHead{Status: 100}
	}
	h := &exchange.Header{}
	for _, name := range slices.Sorted(maps.Keys(s.interim.header)) {
		for _, v := range s.interim.header[name] {
			h.Add(name, v)
		}
	}
	return backend.InterimHead{Status: s.interim.status, Header: h}
}

// Feed is Stream's: it gives x/net the piece of the body that it wants.
func (s *stream) Feed() error {
	s.up.serve(s.piece)
	s.timer.Reset(s.timeout)
	return nil
}

// Untouched is Stream's.
func (s *stream) Untouched() bool { return s.again && s.up.again() }

// stop ends the goroutine of RoundTrip, which uses the exchange, if it is still at work.
func (s *stream) stop() error {
	if !s.running {
		return nil
	}
	s.cancel()
	r := <-s.came
	s.running = false
	if r.r != nil {
		r.r.Body.Close()
	}
	return r.err
}

// fail is a failure of the attempt; after bytes of the body were taken that can't be sent again it is Sent.
func (s *stream) fail(kind backend.Kind, err error) *backend.Failure {
	f := s.Fail(kind, err)
	f.Sent = !s.up.again()
	f.Timeout = false // x/net's deadlines are not the worker's
	return f
}

// newGoAway is what x/net says of the first stream of a connection that ends with an error code and did not
// get so far; of others it says errAgain.
const newGoAway = "http2: Transport received GOAWAY from server"

// failed says what it means that there is no answer. A request that the member did not touch, but whose
// body is on its way and can't be sent again, is NotTaken: the member is well.
func (s *stream) failed(err error) error {
	var known *backend.Failure
	var broken http2.StreamError
	var conn http2.ConnectionError
	if f := s.caught.Load(); f != nil {
		panic(f)
	}
	over, bad := s.up.state()
	switch {
	case err == nil: // the time was over just when the answer came
		f := s.fail(backend.ReadTimeout, nil)
		f.Timeout = true
		return f
	case s.late.Load() && bad == nil:
		f := s.fail(backend.ReadTimeout, nil)
		if s.sending.Load() != nil && !over {
			f.Kind = backend.WriteBody
		}
		f.Timeout = true
		return f
	case errors.As(err, &known):
		known.Sent = known.Sent || !s.up.again()
		return known
	case bad != nil:
		f := s.fail(backend.ClientBody, bad)
		f.Sent = true
		return f
	case strings.Contains(err.Error(), "header list larger"):
		f := s.fail(backend.BadHead, err)
		f.Detail = backend.TooLong
		return f
	case errors.Is(err, errAgain):
		s.again = true
		return s.fail(backend.NotTaken, nil)
	case errors.Is(err, errOver), errors.As(err, &broken) && broken.Code == http2.ErrCodeRefusedStream, strings.HasPrefix(err.Error(), newGoAway):
		return s.fail(backend.NotTaken, err)
	case errors.As(err, &broken) && broken.Code == http2.ErrCodeProtocol, errors.As(err, &conn), strings.HasPrefix(err.Error(), "malformed "):
		return s.fail(backend.BadHead, err)
	}
	return s.fail(backend.EarlyClose, err)
}

// Accept is Stream's.
func (s *stream) Accept() error {
	s.timer.Stop()
	r, x := s.here, s.X
	res := &x.Res
	s.resp, s.body = r, r.Body
	if r.StatusCode < 200 || r.StatusCode > 999 {
		f := s.fail(backend.BadStatusLine, nil)
		f.Detail = r.Status
		return f
	}
	s.client.used.Store(true)
	res.Header.Reset()
	var last []exchange.Field
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		for _, v := range r.Header[name] {
			s.read += int64(len(name) + len(v) + 4)
			f := exchange.Field{Name: name, Value: v, ID: wire.IDOf(name)}
			switch {
			case wire.ConnectionField[f.ID]:
			case f.ID == wire.SetCookie:
				last = append(last, f)
			default:
				res.Header.F = append(res.Header.F, f)
			}
		}
	}
	res.Header.F = append(append(res.Header.F, s.Cookies...), last...)
	res.Status, res.Reason, res.Proxied = r.StatusCode, exchange.ReasonOf(r.StatusCode), true
	res.Length, res.Body = r.ContentLength, nil
	switch {
	case x.HeadOnly || x.Req.Method == "HEAD" || wire.Bodiless(res.Status), r.Body == http.NoBody, res.Length == 0:
		if r.Body == http.NoBody && !x.HeadOnly && res.Length < 0 {
			res.Length = 0
		}
	default:
		res.Body = s
	}
	return nil
}

// Buffered is empty: what was received is not to be seen from here.
func (s *stream) Buffered() []byte { return nil }

// Discard has nothing to discard.
func (s *stream) Discard(int) {}

// Read waits for bytes of the body.
func (s *stream) Read(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	if s.reading == nil {
		s.reading = time.AfterFunc(s.timeout, func() { s.late.Store(true); s.cancel() })
	} else {
		s.reading.Reset(s.timeout)
	}
	n, err := s.body.Read(p)
	s.reading.Stop()
	s.read += int64(n)
	if err == nil {
		return n, nil
	}
	s.err = err
	if err == io.EOF {
		s.trailer()
	} else {
		s.X.Log("proxy_http2", exchange.Error, err, "AH01110: error reading response")
	}
	if n > 0 {
		return n, nil
	}
	return 0, err
}

// trailer keeps the fields behind the body.
func (s *stream) trailer() {
	for _, name := range slices.Sorted(maps.Keys(s.resp.Trailer)) {
		for _, v := range s.resp.Trailer[name] {
			s.X.Res.Trailer.Add(name, v)
		}
	}
}

// Close ends it: the member need not send more.
func (s *stream) Close() error {
	if s.body != nil {
		s.body.Close()
	}
	return nil
}

// Finish ends it with its exchange.
func (s *stream) Finish(*exchange.Exchange) {
	why := backend.Reusable
	if s.client.exclusive {
		why = backend.NotKept
	}
	s.giveUp(why, s.err)
}

// Abandon is Stream's.
func (s *stream) Abandon(err error) {
	s.giveUp(backend.Failed, err)
}

// giveUp ends the attempt, whole or not.
func (s *stream) giveUp(why backend.Reason, err error) {
	if s.body != nil {
		s.body.Close()
	}
	if s.timer != nil {
		s.timer.Stop()
	}
	s.cancel()
	close(s.gone)
	s.stop()
	sent := int64(0)
	if !s.again {
		sent = s.sent + s.X.Req.Body.Taken()
		s.Count(sent, s.read)
	}
	s.tell(sent, why, err)
	s.client.freed.Store(backend.Clock())
	if s.client.exclusive {
		go s.client.retire()
	}
}

// tell tells the observer that the attempt is over.
func (s *stream) tell(sent int64, why backend.Reason, err error) {
	if s.X.Observer == nil {
		return
	}
	e := exchange.Attempted{Address: s.client.conn.Address(), Connect: -1, Sent: sent, Got: s.read, Ended: why.String(), Err: err}
	if !s.Reused {
		e.Connect = s.client.conn.Connecting()
	}
	if s.resp != nil {
		e.Status = s.resp.StatusCode
	}
	s.Tell(e)
}
