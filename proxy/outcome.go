package proxy

import (
	"errors"
	"slices"
	"strings"

	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
)

// outcome is what a failed attempt means. Only what the member did counts against it: what a client can
// bring about, and what we lack ourselves, fails that request alone. httpd puts a member into error for
// every failure that it answers with 500 or 503 (mod_proxy.c proxy_handler); where a row says otherwise
// that is a line of testdata/deviations.md.
//
// What is no row: a client that gives its stream up, or ends (the context is over; nothing is told or
// counted); an answer that breaks off behind its head (AH01110; the client sees it, the member stays as
// in httpd); an end of the server or a reload, which no attempt is cut off by; a body that cannot be
// read or kept before there is a connection (a ClientBody, with the status that says why: 400 malformed
// or gone, 408 too slow, 413 LimitRequestBody, 500 our own disk).
type outcome struct {
	status    exchange.Status                            // the client's
	blame     bool                                       // the member goes into error, for retry= seconds
	again     bool                                       // another member may be tried, if this one is unusable now and the request is whole still
	untouched bool                                       // the member said that it took nothing: another may be tried though this one is usable
	counts    bool                                       // failonstatus= sees the status
	timeout   bool                                       // failontimeout= sees it; a Failure's own Timeout does as well
	words     func(f *flight, e *backend.Failure) string // of a "Proxy Error" page; nil: httpd's plain page
	log       []logLine
}

// The failures whose meaning depends on more than the point where they happened.
const (
	foreignName   = backend.Kinds + iota // a handshake for a name that the client chose
	unheeded                             // no answer to the client's own Expect: 100-continue
	writeTimeout                         // writing took too long
	noneSpeaks                           // no codec for the scheme of a balancer's member
	uploadStopped                        // writing failed while the client's body was still coming
	closedEarly                          // the member ended meanwhile, without a word
	kinds
)

// outcomes is the table: what each failure means.
var outcomes = [kinds]outcome{
	// Before there is a connection.
	backend.Exhausted: {status: 503},
	backend.Starved:   {status: 503},
	backend.NoName:    {status: 500, blame: true, counts: true, words: noName},
	backend.Refused:   {status: 503, blame: true, again: true, counts: true, log: []logLine{{"proxy_http", exchange.Error, false, false, noConnection}}},
	backend.NotTaken:  {status: 503, again: true, untouched: true, log: []logLine{{"proxy_http2", exchange.Error, true, false, notTaken}}},
	backend.BadScheme: {status: 500, log: []logLine{{"proxy", exchange.Warn, false, false, noHandler}}},
	noneSpeaks:        {status: 503, log: []logLine{{"proxy", exchange.Error, false, false, allBusy}}},

	// TLS.
	backend.NoTLS:     {status: 500, blame: true, counts: true, log: []logLine{{"proxy", exchange.Error, false, true, noTLS}}},
	backend.Handshake: {status: 500, blame: true, counts: true, words: noHandshake, log: bodyNotPassed},
	foreignName:       {status: 500, words: noHandshake, log: bodyNotPassed},

	// Sending the request.
	backend.ClientBody: {status: 400, log: []logLine{{"proxy", exchange.Error, true, false, bodyNotRead}}}, // or what its BodyError says
	backend.WriteHead:  {status: 502, counts: true, log: bodyNotPassed},
	backend.WriteBody:  {status: 502, counts: true, log: bodyNotPassed},
	writeTimeout:       {status: 504, counts: true, timeout: true, log: bodyNotPassed},
	uploadStopped:      {status: 502, log: bodyNotPassed},
	backend.NoContinue: {status: 503, blame: true, again: true, counts: true, timeout: true, words: noContinue, log: noStatusLine},
	unheeded:           {status: 503, words: noContinue, log: noStatusLine},

	// Waiting for the answer's head, and reading it.
	backend.EarlyClose:     {status: 502, counts: true, words: notRead, log: noStatusLine},
	backend.ReadTimeout:    {status: 502, counts: true, timeout: true, words: notRead, log: noStatusLine},
	closedEarly:            {status: 502, words: notRead, log: noStatusLine},
	backend.BadStatusLine:  {status: 502, counts: true, words: detailed("Corrupt status line returned by remote server: ")},
	backend.BadHead:        {status: 502, counts: true, log: badHead},
	backend.BadFraming:     {status: 502, counts: true, words: detailed("Malformed response from remote server: ")},
	backend.TooManyInterim: {status: 502, counts: true, words: fixed("Too many (10) interim responses from origin server")},
	backend.WrongUpgrade:   {status: 502, counts: true, words: detailed("Unexpected Upgrade: ")},
}

// outcomeOf finds a failure's row.
func (h *handler) outcomeOf(f *flight, e *backend.Failure) outcome {
	o := outcomes[backend.EarlyClose]
	if k := h.kindOf(f, e); k < kinds && outcomes[k].status != 0 {
		o = outcomes[k]
	}
	var b *exchange.BodyError
	if e.Kind == backend.ClientBody && errors.As(e.Err, &b) {
		o.status = b.Status
	}
	return o
}

func (h *handler) kindOf(f *flight, e *backend.Failure) backend.Kind {
	switch e.Kind {
	case backend.Handshake:
		if h.foreign(f.call.Name, e.Host) {
			return foreignName
		}
	case backend.BadScheme:
		if f.balancer != nil {
			return noneSpeaks
		}
	case backend.NoContinue:
		if f.x.Out.Expect {
			return unheeded
		}
	case backend.EarlyClose:
		if e.Partial {
			return closedEarly
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

// foreign tells whether a name that a member was to prove is the client's invention: with
// ProxyPreserveHost it is its Host, unless a ServerName or ServerAlias without wildcards says the same,
// or it is the member's own. What the member makes of such a name says nothing about its health.
func (h *handler) foreign(name, member string) bool {
	return name != "" && !strings.EqualFold(name, member) && !slices.Contains(h.fleet.host.Names, name)
}
