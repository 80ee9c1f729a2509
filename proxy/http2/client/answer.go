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

	"balancerd/balancer"
	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/wire"
)

// maxInterim is how many 1xx answers in a row are too many (httpd: AP_MAX_INTERIM_RESPONSES).
const maxInterim = 10

var errInterim = errors.New("http2: too many interim answers")

// answer is an attempt, and then a member's answer under way. Owned by the goroutine that serves the
// exchange, but for what says otherwise.
type answer struct {
	x       *exchange.Exchange
	worker  *balancer.Worker
	call    *backend.Call
	up      *upload
	sending atomic.Pointer[reader] // the request's body; nil for none
	cancel  context.CancelFunc
	timeout time.Duration
	came    chan result
	early   chan interim
	gone    chan struct{} // closed when the exchange is over

	asked  bool                   // owned by the goroutine of RoundTrip: for a connection
	lonely bool                   // owned by it: the connection must be its own
	client atomic.Pointer[client] // whose connection it is
	late   atomic.Bool            // the member's time was over
	flood  atomic.Bool            // of 1xx
	fallen atomic.Pointer[fall]   // a panic that x/net must not see

	running bool // the goroutine of RoundTrip has not brought its result

	body io.ReadCloser
	resp *http.Response
	sent int64
	read int64
	err  error // how the body ended
}

type result struct {
	r   *http.Response
	err error
}

type interim struct {
	status int
	header textproto.MIMEHeader
}

var _ exchange.Source = (*answer)(nil)

// secure tells whether the member is spoken to in TLS.
func (a *answer) secure() bool {
	scheme := a.call.Scheme
	if scheme == "" {
		scheme = a.worker.Address().Scheme
	}
	return scheme == "h2"
}

// request is x.Out for x/net.
func (a *answer) request(ctx context.Context) (*http.Request, error) {
	o := &a.x.Out
	if !wire.IsWord(o.Method) || !wire.IsWord(o.Target) || !wire.IsWord(o.Host) {
		return nil, errOver
	}
	scheme := "http"
	if a.secure() {
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
		a.sent += int64(len(f.Name) + len(f.Value) + 4)
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
	early := 0
	trace := &httptrace.ClientTrace{Got1xxResponse: func(status int, header textproto.MIMEHeader) (err error) {
		defer func() {
			if cause := recover(); cause != nil {
				err = a.panicked(cause)
			}
		}()
		if early++; early > maxInterim {
			a.flood.Store(true)
			return errInterim
		}
		select {
		case a.early <- interim{status, header}:
		case <-a.gone:
		}
		return nil
	}}
	ctx = context.WithValue(httptrace.WithClientTrace(ctx, trace), attemptKey{}, a)
	req := (&http.Request{Method: strings.Clone(o.Method), URL: &url.URL{Scheme: scheme, Host: host, Opaque: opaque}, Host: host, Header: h,
		Proto: "HTTP/2.0", ProtoMajor: 2}).WithContext(ctx)
	a.up.attach(req, a)
	return req, nil
}

// await waits for the answer's head, gives x/net what the client sends, and passes 1xx on. The member has
// its time from when the client's last bytes were there.
func (a *answer) await() error {
	t := time.NewTimer(a.timeout)
	defer t.Stop()
	var here *result
	var uploaded <-chan struct{}
	for {
		select {
		case r := <-a.came:
			a.running = false
			if r.err != nil {
				return a.failed(r.err)
			}
			here = &r
			sending := a.sending.Load()
			if over, _ := a.up.state(); sending == nil || over || a.up.duplex != nil || r.r.StatusCode > 299 {
				return a.settle(r.r)
			}
			uploaded = sending.closed
		case <-uploaded:
			return a.settle(here.r)
		case p := <-a.up.want:
			a.up.serve(p)
			if over, _ := a.up.state(); over && here != nil { // x/net may need the answer to be read to send the rest
				return a.settle(here.r)
			}
			t.Reset(a.timeout)
		case i := <-a.early:
			if err := a.passOn(i); err != nil {
				return err
			}
		case <-t.C:
			if left := a.timeout - a.up.quiet(); a.sending.Load() != nil && left > 0 && here == nil {
				t.Reset(left)
				continue
			}
			a.late.Store(true)
			a.cancel()
			if here != nil {
				return a.settle(here.r)
			}
			return a.failed(a.stop())
		}
	}
}

// stop ends the goroutine of RoundTrip, which uses the exchange, if it is still at work.
func (a *answer) stop() error {
	if !a.running {
		return nil
	}
	a.cancel()
	r := <-a.came
	a.running = false
	if r.r != nil {
		r.r.Body.Close()
	}
	return r.err
}

// passOn passes a 1xx on, as proxy-interim-response wants it.
func (a *answer) passOn(i interim) error {
	x := a.x
	if a.call.Interim == backend.InterimSuppress || x.Front == nil {
		return nil
	}
	if i.status == 100 && a.call.Interim == backend.InterimRelay {
		return a.lost(x.Front.Continue("", nil))
	}
	var h exchange.Header
	for _, name := range slices.Sorted(maps.Keys(i.header)) {
		for _, v := range i.header[name] {
			h.Add(name, v)
		}
	}
	if a.call.Via != nil {
		h.Add("Via", a.call.Via(x))
	}
	return a.lost(x.Front.Interim(i.status, "", &h))
}

// lost is the failure of a client that could not be told something.
func (a *answer) lost(err error) error {
	if err == nil {
		return nil
	}
	f := a.fail(backend.ClientBody, &exchange.BodyError{Status: 400, Err: err})
	f.Sent = true
	return f
}

func (a *answer) fail(kind backend.Kind, err error) *backend.Failure {
	at := a.worker.Address()
	f := &backend.Failure{Kind: kind, Err: err, Host: at.Host, Port: at.Port, Sent: !a.up.again()}
	if a.call.Host != "" {
		f.Host, f.Port = a.call.Host, a.call.Port
	}
	if c := a.client.Load(); c != nil {
		f.Reused = c.used.Load()
	}
	return f
}

// newGoAway is what x/net says of the first stream of a connection that ends with an error code and did not
// get so far; of others it says errAgain.
const newGoAway = "http2: Transport received GOAWAY from server"

// failed says what it means that there is no answer. A request that the member did not touch, but whose
// body is on its way and can't be sent again, is NotTaken: the member is well.
func (a *answer) failed(err error) error {
	var known *backend.Failure
	var stream http2.StreamError
	var conn http2.ConnectionError
	if f := a.fallen.Load(); f != nil {
		panic(f)
	}
	over, bad := a.up.state()
	switch {
	case err == nil: // the time was over just when the answer came
		f := a.fail(backend.ReadTimeout, nil)
		f.Timeout = true
		return f
	case a.late.Load() && bad == nil:
		f := a.fail(backend.ReadTimeout, nil)
		if a.sending.Load() != nil && !over {
			f.Kind = backend.WriteBody
		}
		f.Timeout = true
		return f
	case errors.As(err, &known):
		known.Sent = known.Sent || !a.up.again()
		return known
	case bad != nil:
		f := a.fail(backend.ClientBody, bad)
		f.Sent = true
		return f
	case a.flood.Load():
		return a.fail(backend.TooManyInterim, nil)
	case strings.Contains(err.Error(), "header list larger"):
		f := a.fail(backend.BadHead, err)
		f.Detail = backend.TooLong
		return f
	case errors.Is(err, errOver), errors.As(err, &stream) && stream.Code == http2.ErrCodeRefusedStream, strings.HasPrefix(err.Error(), newGoAway):
		return a.fail(backend.NotTaken, err)
	case errors.As(err, &stream) && stream.Code == http2.ErrCodeProtocol, errors.As(err, &conn), strings.HasPrefix(err.Error(), "malformed "):
		return a.fail(backend.BadHead, err)
	}
	return a.fail(backend.EarlyClose, err)
}

// settle makes the final head x.Res's.
func (a *answer) settle(r *http.Response) error {
	x := a.x
	res := &x.Res
	a.resp, a.body = r, r.Body
	if r.StatusCode < 200 || r.StatusCode > 999 {
		f := a.fail(backend.BadStatusLine, nil)
		f.Detail = r.Status
		return f
	}
	if c := a.client.Load(); c != nil {
		c.used.Store(true)
	}
	var cookies []exchange.Field // that modules have set; the member's head replaces all else
	for i := range res.Header.F {
		if res.Header.F[i].ID == wire.SetCookie {
			cookies = append(cookies, res.Header.F[i])
		}
	}
	res.Header.Reset()
	var last []exchange.Field
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		for _, v := range r.Header[name] {
			a.read += int64(len(name) + len(v) + 4)
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
	res.Header.F = append(append(res.Header.F, cookies...), last...)
	res.Status, res.Reason, res.Proxied = r.StatusCode, exchange.ReasonOf(r.StatusCode), true
	res.Length, res.Body = r.ContentLength, nil
	switch {
	case x.HeadOnly || x.Req.Method == "HEAD" || wire.Bodiless(res.Status), r.Body == http.NoBody, res.Length == 0:
		if r.Body == http.NoBody && !x.HeadOnly && res.Length < 0 {
			res.Length = 0
		}
	default:
		res.Body = a
	}
	return nil
}

// Buffered is empty: what was received is not to be seen from here.
func (a *answer) Buffered() []byte { return nil }

// Discard has nothing to discard.
func (a *answer) Discard(int) {}

// Read waits for bytes of the body.
func (a *answer) Read(p []byte) (int, error) {
	if a.err != nil {
		return 0, a.err
	}
	t := time.AfterFunc(a.timeout, func() { a.late.Store(true); a.cancel() })
	n, err := a.body.Read(p)
	t.Stop()
	a.read += int64(n)
	if err == nil {
		return n, nil
	}
	a.err = err
	if err == io.EOF {
		a.trailer()
	} else {
		a.x.Log("proxy_http2", exchange.Error, err, "AH01110: error reading response")
	}
	if n > 0 {
		return n, nil
	}
	return 0, err
}

// trailer keeps the fields behind the body.
func (a *answer) trailer() {
	for _, name := range slices.Sorted(maps.Keys(a.resp.Trailer)) {
		for _, v := range a.resp.Trailer[name] {
			a.x.Res.Trailer.Add(name, v)
		}
	}
}

// Close ends it: the member need not send more.
func (a *answer) Close() error {
	if a.body != nil {
		a.body.Close()
	}
	return nil
}

// Finish ends it with its exchange.
func (a *answer) Finish(*exchange.Exchange) { a.giveUp() }

// giveUp ends the attempt, whole or not.
func (a *answer) giveUp() {
	if a.body != nil {
		a.body.Close()
	}
	a.cancel()
	close(a.gone)
	a.stop()
	a.worker.AddTraffic(a.sent+a.x.Req.Body.Taken(), a.read)
	if c := a.client.Load(); c != nil {
		c.freed.Store(backend.Clock())
		if c.lonely {
			go c.retire()
		}
	}
}
