package client

import (
	"io"
	"slices"

	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/wire"
)

// settle makes the final head x.Res's and finds out where the body ends.
func (a *answer) settle() error {
	x := a.x
	res := &x.Res
	if a.res.Status == 101 {
		return a.upgrade()
	}
	if a.res.Stray > 0 {
		x.Log("proxy_http", exchange.Warn, nil, x.Arena.Join("AH01100: Ignoring bogus HTTP header returned by ", x.Req.Path, " (", x.Req.Method, ")"))
	}
	if a.res.InBody {
		a.bodyBegins()
	}
	head := x.Req.Method == "HEAD" || x.HeadOnly
	a.framing = wire.ResponseFraming(a.res.Status, head, &res.Header)
	if a.framing.Body == wire.Unclear {
		f := a.fail(backend.BadFraming, nil)
		f.Detail = a.framing.Why
		return f
	}
	up := ""
	if a.res.Seen.Has(wire.Upgrade, wire.Upgrade) {
		up = res.Header.GetID(wire.Upgrade)
	}
	a.closes = a.clean(&res.Header)
	if len(a.saved) > 0 {
		at := res.Header.IndexID(wire.SetCookie)
		if at < 0 {
			at = res.Header.Len()
		}
		res.Header.F = slices.Insert(res.Header.F, at, a.saved...)
	}
	if up != "" && a.offers(up) {
		res.Header.F = append(res.Header.F, exchange.Field{Name: "Connection", Value: "Upgrade", ID: wire.Connection},
			exchange.Field{Name: "Upgrade", Value: up, ID: wire.Upgrade})
	}
	res.Status, res.Reason, res.Proxied = a.res.Status, a.res.Reason, true
	res.Length, res.Body = -1, nil
	a.body()
	return nil
}

func (a *answer) bodyBegins() {
	x := a.x
	text := "AH01098: Starting body due to bogus non-header in headers returned by "
	if x.Res.Header.Len() == 0 {
		text = "AH01099: No HTTP headers returned by "
	}
	x.Log("proxy_http", exchange.Warn, nil, x.Arena.Join(text, x.Req.Path, " (", x.Req.Method, ")"))
}

// offers tells whether the client may learn that the member would upgrade.
func (a *answer) offers(token string) bool {
	allowed := a.conn.Worker().Settings().Upgrade
	if allowed == "" {
		s := a.conn.Scheme()
		return (s == "ws" || s == "wss") && wire.EqualFold(token, "websocket")
	}
	return allowed == "*" || wire.EqualFold(allowed, token) || wire.Lists(allowed, token)
}

// body begins the body. What is whole already costs no connection any more.
func (a *answer) body() {
	res := &a.x.Res
	a.base = a.r
	switch a.framing.Body {
	case wire.NoBody:
		res.Length = a.framing.Length
		a.ended(io.EOF)
		return
	case wire.Counted:
		res.Length = a.framing.Length
		a.left = a.framing.Length
	case wire.InChunks:
		a.limits = a.x.Server.Rules(false)
		a.chunks.Reset(&a.limits)
	}
	res.Body = a
	a.take()
	if a.err == io.EOF && len(a.data) == 0 { // an empty body has a length
		res.Length, res.Body = 0, nil
	}
}

// take makes body bytes of what was received.
func (a *answer) take() {
	have := a.buf[a.r:a.w]
	switch a.framing.Body {
	case wire.Counted:
		n := int(min(int64(len(have)), a.left))
		a.data = have[:n]
		a.r += n
		a.left -= int64(n)
		a.read += int64(n)
		if a.left == 0 {
			a.ended(io.EOF)
		}
	case wire.InChunks:
		n, used, err := a.chunks.Decode(have)
		a.data = have[:n]
		a.r += used
		a.read += int64(n)
		switch {
		case err != nil:
			a.ended(err)
		case a.chunks.Done():
			a.ended(io.EOF)
		}
	case wire.UntilClose:
		a.data = have
		a.r = a.w
		a.read += int64(len(have))
	}
}

// ended notes how the body ended, and gives the connection back.
func (a *answer) ended(err error) {
	if a.err != nil {
		return
	}
	a.err = err
	if err != io.EOF {
		a.x.Log("proxy_http", exchange.Error, err, "AH01110: error reading response")
	}
	a.release(a.reusable())
}

// reusable is the one answer to the question whether the connection may carry another request: the
// answer ended where it should, the request was sent whole, nothing else came in, and neither side
// wants to close (RFC 9112 section 9.3). What the worker's settings say comes on top.
func (a *answer) reusable() bool {
	o := &a.x.Out
	return a.err == io.EOF && a.framing.Body != wire.UntilClose && !a.framing.Both && !a.partial && a.r == a.w &&
		!a.closes && a.res.Minor >= 1 && !a.res.InBody && a.res.Status >= 200 && o.Minor >= 1 && !o.Close && o.Upgrade == "" &&
		(a.call.GivesUp == nil || !a.call.GivesUp(a.res.Status))
}

// Buffered is what can be had without waiting.
func (a *answer) Buffered() []byte { return a.data }

// Discard takes n bytes of it as read.
func (a *answer) Discard(n int) { a.data = a.data[n:] }

// Read waits for bytes of the body.
func (a *answer) Read(p []byte) (int, error) {
	for {
		switch {
		case len(a.data) > 0:
			n := copy(p, a.data)
			a.Discard(n)
			return n, nil
		case a.err != nil:
			return 0, a.err
		case len(p) == 0:
			return 0, nil
		}
		if a.framing.Body == wire.Counted && int64(len(p)) > a.left+1 {
			p = p[:a.left+1] // one more, to see that there is none
		}
		n, err := a.conn.Read(p)
		if n, err = a.arrived(p[:n], err); n > 0 || err != nil {
			return n, err
		}
	}
}

// arrived makes body bytes of p, in place, and notes an end.
func (a *answer) arrived(p []byte, err error) (n int, _ error) {
	over := false
	switch a.framing.Body {
	case wire.Counted:
		n = int(min(int64(len(p)), a.left))
		a.left -= int64(n)
		if n < len(p) {
			a.closes = true
		}
		over = a.left == 0
	case wire.InChunks:
		used, derr := 0, error(nil)
		n, used, derr = a.chunks.Decode(p)
		if derr != nil {
			err = derr
		}
		a.closes = a.closes || used < len(p)
		over = a.chunks.Done()
	default:
		n = len(p)
		over = err == io.EOF
	}
	a.read += int64(n)
	switch {
	case over:
		a.ended(io.EOF)
	case err == io.EOF:
		a.ended(io.ErrUnexpectedEOF)
	case err != nil:
		a.ended(err)
	}
	if n > 0 || over || err == nil {
		return n, nil
	}
	return 0, a.err
}

// Gather is exchange.Gatherer's.
func (a *answer) Gather() error {
	if a.err != nil {
		return a.err
	}
	if len(a.buf)-a.base < minRoom {
		return nil
	}
	a.r, a.w = a.base, a.base
	n, err := a.conn.TryRead(a.buf[a.base:])
	if n == 0 && err == nil {
		return nil
	}
	k, err := a.arrived(a.buf[a.base:a.base+n], err)
	a.data = a.buf[a.base : a.base+k]
	if k > 0 {
		return nil
	}
	return err
}

// Close ends it: a body that was not read to its end costs the connection.
func (a *answer) Close() error {
	a.release(false)
	return nil
}
