package proxy

import (
	"errors"
	"html"
	"io"

	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
)

// outcome is what a failed attempt means: the client's status, the words of the page, and the lines of
// the error log. 500 and 503 put a member into error, and 503 lets another one be tried
// (httpd: mod_proxy.c proxy_handler).
type outcome struct {
	status exchange.Status
	words  func(f *flight, e *backend.Failure) string // of a "Proxy Error" page; nil: httpd's plain page
	log    []logLine
}

// logLine is one line of the error log.
type logLine struct {
	module string
	level  exchange.Level
	cause  bool // the cause stands in front: "(111)Connection refused: "
	server bool // the line names no client
	text   func(f *flight, e *backend.Failure) string
}

// outcomes is the table: what each point of failure means.
var outcomes = [...]outcome{
	backend.Exhausted:  {status: 503},
	backend.NoName:     {status: 500, words: noName},
	backend.Refused:    {status: 503, log: []logLine{{"proxy_http", exchange.Error, false, false, noConnection}}},
	backend.NoTLS:      {status: 500, log: []logLine{{"proxy", exchange.Error, false, true, noTLS}}},
	backend.Handshake:  {status: 500, words: fixed("Error during SSL Handshake with remote server"), log: bodyNotPassed},
	backend.BadScheme:  {status: 500, log: []logLine{{"proxy", exchange.Warn, false, false, noHandler}}},
	backend.ClientBody: {status: 400, log: []logLine{{"proxy", exchange.Error, true, false, bodyNotRead}}},
	backend.WriteHead:  {status: 502, log: bodyNotPassed},
	backend.WriteBody:  {status: 502, log: bodyNotPassed},
	backend.NoContinue: {status: 503, words: fixed("Timeout on 100-Continue"), log: noStatusLine},
	backend.EarlyClose: {status: 502, words: fixed("Error reading from remote server"), log: noStatusLine},
	backend.ReadTimeout: {status: 502, words: fixed("Error reading from remote server"),
		log: noStatusLine},
	backend.BadStatusLine:  {status: 502, words: detailed("Corrupt status line returned by remote server: ")},
	backend.BadHead:        {status: 502, log: badHead},
	backend.BadFraming:     {status: 502, words: detailed("Malformed response from remote server: ")},
	backend.TooManyInterim: {status: 502, words: fixed("Too many (10) interim responses from origin server")},
	backend.WrongUpgrade:   {status: 502, words: detailed("Unexpected Upgrade: ")},
	backend.NotTaken:       {status: 503, log: []logLine{{"proxy_http2", exchange.Error, true, false, notTaken}}},
}

var (
	noStatusLine  = []logLine{{"proxy_http", exchange.Error, true, false, statusLineText}}
	bodyNotPassed = []logLine{{"proxy", exchange.Error, true, false, notPassed}, {"proxy_http", exchange.Error, false, false, notPassedFrom}}
	badHead       = []logLine{{"proxy_http", exchange.Warn, true, false, headEnded}, {"proxy_http", exchange.Warn, false, false, headTooLong}, {"proxy_http", exchange.Warn, false, false, badHeader}}
)

// outcomeOf finds a failure's line, with what depends on more than its kind.
func outcomeOf(f *flight, e *backend.Failure) outcome {
	o := outcomes[backend.EarlyClose]
	if int(e.Kind) < len(outcomes) && outcomes[e.Kind].status != 0 {
		o = outcomes[e.Kind]
	}
	switch {
	case e.Kind == backend.ClientBody:
		var b *exchange.BodyError
		if errors.As(e.Err, &b) {
			o.status = b.Status
		}
	case e.Timeout && (e.Kind == backend.WriteBody || e.Kind == backend.WriteHead):
		o.status = 504
	case e.Kind == backend.BadScheme && f.balancer != nil:
		o.status, o.log = 503, []logLine{{"proxy", exchange.Error, false, false, allBusy}}
	}
	return o
}

// report writes an outcome's lines and makes the error that becomes the page. The lines of a
// "Proxy Error" end with AH00898 (httpd: proxy_util.c proxyerror_core).
func (o *outcome) report(f *flight, e *backend.Failure) error {
	for i := range o.log {
		o.log[i].write(f, e)
	}
	if o.words == nil {
		return o.status
	}
	var cause error
	if e.Kind == backend.NoName {
		cause = e.Err
	}
	return proxyError(f.x, o.status, cause, o.words(f, e))
}

func (l *logLine) write(f *flight, e *backend.Failure) {
	if !f.x.Enabled(l.module, l.level) {
		return
	}
	text := l.text(f, e)
	if text == "" {
		return
	}
	var cause error
	if l.cause {
		cause = e.Err
	}
	if l.server {
		f.x.LogServer(l.module, l.level, cause, text)
		return
	}
	f.x.Log(l.module, l.level, cause, text)
}

// proxyError is a failure whose page gives the reason.
func proxyError(x *exchange.Exchange, status exchange.Status, cause error, words string) error {
	x.Log("proxy", exchange.Error, cause, x.Arena.Join("AH00898: ", words, " returned by ", x.Req.Path))
	return &exchange.Problem{
		Status: status,
		Reason: "Proxy Error",
		Note:   "The proxy server could not handle the request<p>Reason: <strong>" + html.EscapeString(words) + "</strong></p>",
	}
}

func fixed(words string) func(*flight, *backend.Failure) string {
	return func(*flight, *backend.Failure) string { return words }
}

func detailed(words string) func(*flight, *backend.Failure) string {
	return func(_ *flight, e *backend.Failure) string { return words + e.Detail }
}

func noName(_ *flight, e *backend.Failure) string { return "DNS lookup failure for: " + e.Host }

func noConnection(_ *flight, e *backend.Failure) string {
	return "AH01114: HTTP: failed to make connection to backend: " + e.Host
}

func noTLS(f *flight, e *backend.Failure) string {
	return "AH00961: " + f.schemeNow() + ": failed to enable ssl support for " + place(e) + " (" + e.Host + ")"
}

func noHandler(f *flight, _ *backend.Failure) string {
	return "AH01144: No protocol handler was valid for the URL " + f.x.Req.Path + " (scheme '" + f.schemeNow() + "'). " +
		"If you are using a DSO version of mod_proxy, make sure the proxy submodules are included in the configuration using LoadModule."
}

func allBusy(f *flight, _ *backend.Failure) string {
	return "AH00934: all workers are busy.  Unable to serve " + f.x.Filename[len(proxyPrefix):]
}

func statusLineText(_ *flight, e *backend.Failure) string {
	return "AH01102: error reading status line from remote server " + place(e)
}

func notPassed(_ *flight, e *backend.Failure) string {
	return "AH01084: pass request body failed to " + place(e) + " (" + e.Host + ")"
}

func notPassedFrom(f *flight, e *backend.Failure) string {
	return "AH01097: pass request body failed to " + place(e) + " (" + e.Host + ") from " + f.x.ClientIP + " ()"
}

func bodyNotRead(f *flight, e *backend.Failure) string {
	return "AH01095: prefetch request body failed to " + place(e) + " (" + e.Host + ") from " + f.x.ClientIP + " ()"
}

func notTaken(_ *flight, e *backend.Failure) string {
	return "AH03364: the member " + place(e) + " did not take the request"
}

func headEnded(_ *flight, e *backend.Failure) string {
	if !errors.Is(e.Err, io.EOF) && !errors.Is(e.Err, io.ErrUnexpectedEOF) && !e.Timeout {
		return ""
	}
	return "AH10404: Error reading headers from backend"
}

func headTooLong(_ *flight, e *backend.Failure) string {
	if e.Detail != backend.TooLong {
		return ""
	}
	return "AH10124: header size is over the limit allowed by ResponseFieldSize (" + e.Detail + "). Bad response header"
}

func badHeader(f *flight, _ *backend.Failure) string {
	return "AH01106: bad HTTP/1.1 header returned by " + f.x.Req.Path + " (" + f.x.Req.Method + ")"
}

// place is "host:port" of the member.
func place(e *backend.Failure) string { return e.Host + ":" + decimal(e.Port) }

// schemeNow is the scheme that the attempt spoke.
func (f *flight) schemeNow() string {
	if f.balancer != nil && f.worker != nil {
		return f.worker.Address().Scheme
	}
	return f.scheme
}
