package upstream

import (
	"errors"
	"slices"
	"strings"

	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/wire"
)

// outcome is what a failed attempt means. Only what the member did counts against it: what a client can
// bring about, and what we lack ourselves, fails that request alone. httpd puts a member into error for
// every failure that it answers with 500 or 503 (mod_proxy.c proxy_handler); where a row says otherwise
// that is a line of testdata/deviations.md.
//
// What is no row: a client that gives its stream up, or ends (the context is over; nothing is logged or
// counted); a response that ends early, behind its head (AH01110; the client sees it, the member stays as
// in httpd); the end of the server or a reload, which interrupt no attempt; a body that cannot be
// read or kept before there is a connection (a ClientBody, with the status that says why: 400 malformed
// or gone, 408 too slow, 413 LimitRequestBody, 500 our own disk).
type outcome struct {
	status      exchange.Status                                // the client's
	marksWorker bool                                           // the member goes into error, for retry= seconds
	tryNext     bool                                           // another member may be tried, if this one is unusable now and the request is whole still
	notTaken    bool                                           // the member said that it took nothing: another may be tried though this one is usable
	seesStatus  bool                                           // failonstatus= sees the status
	seesTimeout bool                                           // failontimeout= sees it; a Failure's own Timeout does as well
	reason      func(p *proxyState, e *backend.Failure) string // of a "Proxy Error" page; nil: httpd's plain page
	log         []logLine
	remote      func(p *proxyState, e *backend.Failure) // says what is to be said of the connection to the member, before all else
}

// The failures whose meaning depends on more than the point where they happened.
const (
	foreignName   = backend.Kinds + iota // a handshake for a name that the client chose
	unheeded                             // no answer to the client's own Expect: 100-continue
	writeTimeout                         // writing took too long
	noneSpeaks                           // no codec for the scheme of a balancer's member, unless that is a balancer
	uploadStopped                        // writing failed while the client's body was still coming
	closedEarly                          // the member ended meanwhile, without a response
	badLength                            // a Content-Length that is no number
	kinds
)

// outcomes is the table: what each failure means.
var outcomes = [kinds]outcome{
	// Before there is a connection.
	backend.Exhausted: {status: 503},
	backend.Starved:   {status: 503},
	backend.NoName:    {status: 500, marksWorker: true, seesStatus: true, reason: noName},
	backend.NoRemote:  {status: 500, reason: noName},
	backend.Refused:   {status: 503, marksWorker: true, tryNext: true, seesStatus: true, log: []logLine{{"proxy_http", exchange.Error, false, false, noConnection}}},
	backend.NotTaken:  {status: 503, tryNext: true, notTaken: true, log: []logLine{{"proxy_http2", exchange.Error, true, false, notTaken}}},
	backend.BadScheme: {status: 500, log: []logLine{{"proxy", exchange.Warn, false, false, noHandler}}},
	noneSpeaks:        {status: 503, log: []logLine{{"proxy", exchange.Error, false, false, allBusy}}},

	// TLS.
	backend.NoTLS:     {status: 500, marksWorker: true, seesStatus: true, remote: withoutTLS, log: []logLine{{"proxy", exchange.Error, false, true, noTLS}}},
	backend.Handshake: {status: 500, marksWorker: true, seesStatus: true, reason: noHandshake, remote: handshakeFailed, log: bodyNotPassed},
	foreignName:       {status: 500, reason: noHandshake, remote: handshakeFailed, log: bodyNotPassed},

	// Sending the request.
	backend.ClientBody: {status: 400, log: []logLine{{"proxy", exchange.Error, true, false, bodyNotRead}}}, // or what its BodyError says
	backend.WriteHead:  {status: 502, seesStatus: true, log: bodyNotPassed},
	backend.WriteBody:  {status: 502, seesStatus: true, log: bodyNotPassed},
	writeTimeout:       {status: 504, seesStatus: true, seesTimeout: true, log: bodyNotPassed},
	uploadStopped:      {status: 502, log: bodyNotPassed},
	backend.NoContinue: {status: 503, marksWorker: true, tryNext: true, seesStatus: true, seesTimeout: true, reason: noContinue, log: noStatusLine},
	unheeded:           {status: 503, reason: noContinue, log: noStatusLine},

	// Waiting for the response's head, and reading it.
	backend.EarlyClose:     {status: 502, seesStatus: true, reason: notRead, log: noStatusLine},
	backend.ReadTimeout:    {status: 502, seesStatus: true, seesTimeout: true, reason: notRead, log: noStatusLine},
	closedEarly:            {status: 502, reason: notRead, log: noStatusLine},
	backend.BadStatusLine:  {status: 502, seesStatus: true, reason: detailed("Corrupt status line returned by remote server: ")},
	backend.BadHead:        {status: 502, seesStatus: true, log: badHead},
	backend.BadFraming:     {status: 502, seesStatus: true, reason: detailed("Malformed response from remote server: ")},
	badLength:              {status: 502, seesStatus: true, log: []logLine{{"proxy_http", exchange.Error, false, false, badLengthText}}},
	backend.TooManyInterim: {status: 502, seesStatus: true, reason: fixed("Too many (10) interim responses from origin server")},
	backend.WrongUpgrade:   {status: 502, seesStatus: true, reason: detailed("Unexpected Upgrade: ")},
}

// outcomeOf finds a failure's row.
func (h *handler) outcomeOf(p *proxyState, e *backend.Failure) outcome {
	o, ok := p.protocol().outcome(p, e)
	if !ok {
		o = outcomes[backend.EarlyClose]
		if k := h.kindOf(p, e); k < kinds && outcomes[k].status != 0 {
			o = outcomes[k]
		}
	}
	var b *exchange.BodyError
	if e.Kind == backend.ClientBody && errors.As(e.Err, &b) {
		o.status = b.Status
	}
	return o
}

func (h *handler) kindOf(p *proxyState, e *backend.Failure) backend.Kind {
	switch e.Kind {
	case backend.Handshake:
		if h.foreign(p.call.Name, e.Host) {
			return foreignName
		}
	case backend.BadScheme:
		if p.balancer != nil && p.schemeNow() != "balancer" {
			return noneSpeaks
		}
	case backend.NoContinue:
		if p.x.Out.Expect {
			return unheeded
		}
	case backend.EarlyClose:
		if e.Partial {
			return closedEarly
		}
	case backend.BadFraming:
		if e.Detail == wire.BadLength {
			return badLength
		}
	case backend.WriteHead, backend.WriteBody:
		switch {
		case e.Timeout:
			return writeTimeout
		case e.Partial:
			return uploadStopped
		}
	}
	return e.Kind
}

// foreign reports whether a name that a member was to prove is the client's invention: with
// ProxyPreserveHost it is its Host, unless a ServerName or ServerAlias without wildcards says the same,
// or it is the member's own. What the member makes of such a name says nothing about its health.
func (h *handler) foreign(name, member string) bool {
	return name != "" && !strings.EqualFold(name, member) && !slices.Contains(h.upstreams.Host.Names, name)
}
