package proxy

import (
	"errors"
	"html"
	"io"

	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
)

// logLine is one line of the error log.
type logLine struct {
	module string
	level  exchange.Level
	cause  bool // the cause stands in front: "(111)Connection refused: "
	server bool // the line names no client
	text   func(f *flight, e *backend.Failure) string
}

var (
	noStatusLine  = []logLine{{"proxy_http", exchange.Error, true, false, statusLineText}}
	bodyNotPassed = []logLine{{"proxy", exchange.Error, true, false, notPassed}, {"proxy_http", exchange.Error, false, false, notPassedFrom}}
	badHead       = []logLine{{"proxy_http", exchange.Warn, true, false, headEnded}, {"proxy_http", exchange.Warn, false, false, headTooLong}, {"proxy_http", exchange.Warn, false, false, badHeader}}
)

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

var (
	noHandshake = fixed("Error during SSL Handshake with remote server")
	noContinue  = fixed("Timeout on 100-Continue")
	notRead     = fixed("Error reading from remote server")
)

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
