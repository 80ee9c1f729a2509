package upstream

import (
	"errors"
	"html"
	"io"
	"syscall"

	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
)

// logLine is one line of the error log.
type logLine struct {
	module string
	level  exchange.Level
	cause  bool // the cause stands in front: "(111)Connection refused: "
	server bool // the line names no client
	text   func(p *proxyState, e *backend.Failure) string
}

var (
	noStatusLine  = []logLine{{"proxy_http", exchange.Error, true, false, statusLineText}}
	bodyNotPassed = []logLine{{"proxy", exchange.Error, true, false, notPassed}, {"proxy_http", exchange.Error, false, false, notPassedFrom}}
	badHead       = []logLine{{"proxy_http", exchange.Warn, true, false, headEnded}, {"proxy_http", exchange.Warn, false, false, headTooLong}, {"proxy_http", exchange.Warn, false, false, badHeader}}
)

// report writes an outcome's lines and makes the error that becomes the page. The lines of a
// "Proxy Error" end with AH00898 (httpd: proxy_util.c proxyerror_core).
func (o *outcome) report(p *proxyState, e *backend.Failure) error {
	if o.remote != nil {
		o.remote(p, e)
	}
	for i := range o.log {
		o.log[i].write(p, e)
	}
	if o.reason == nil {
		return o.status
	}
	var cause error
	if e.Kind == backend.NoName || e.Kind == backend.NoRemote {
		cause = e.Err
	}
	return proxyError(p.x, o.status, cause, o.reason(p, e))
}

func (l *logLine) write(p *proxyState, e *backend.Failure) {
	if !p.x.Enabled(l.module, l.level) {
		return
	}
	text := l.text(p, e)
	if text == "" {
		return
	}
	var cause error
	if l.cause {
		cause = e.Err
	}
	if l.server {
		p.x.LogServer(l.module, l.level, cause, text)
		return
	}
	p.x.Log(l.module, l.level, cause, text)
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

func fixed(words string) func(*proxyState, *backend.Failure) string {
	return func(*proxyState, *backend.Failure) string { return words }
}

func detailed(words string) func(*proxyState, *backend.Failure) string {
	return func(_ *proxyState, e *backend.Failure) string { return words + e.Detail }
}

var (
	noHandshake = fixed("Error during SSL Handshake with remote server")
	noContinue  = fixed("Timeout on 100-Continue")
	notRead     = fixed("Error reading from remote server")
)

func noName(_ *proxyState, e *backend.Failure) string { return "DNS lookup failure for: " + e.Host }

func noNameLine(p *proxyState, e *backend.Failure) string {
	return "AH00898: " + noName(p, e) + " returned by " + p.x.Req.Path
}

func noConnection(_ *proxyState, e *backend.Failure) string {
	return "AH01114: HTTP: failed to make connection to backend: " + e.Host
}

// withoutTLS is what httpd's core says of a connection that nobody makes secure (httpd: ssl.c ap_ssl_bind_outgoing).
func withoutTLS(p *proxyState, e *backend.Failure) {
	p.x.LogRemote("core", exchange.Error, e.Detail, "AH01961:  failed to enable ssl support [Hint: if using mod_ssl, see SSLProxyEngine]")
}

// handshakeFailed has whoever shook hands tell why that failed.
func handshakeFailed(p *proxyState, e *backend.Failure) {
	var why interface {
		Tell(log func(exchange.Level, string))
	}
	if errors.As(e.Err, &why) {
		why.Tell(func(level exchange.Level, message string) { p.x.LogRemote("ssl", level, e.Detail, message) })
	}
}

func noTLS(p *proxyState, e *backend.Failure) string {
	scheme := p.schemeNow()
	if scheme == exchange.H2 {
		scheme = "H2"
	}
	return "AH00961: " + scheme + ": failed to enable ssl support for " + place(e) + " (" + e.Host + ")"
}

func noHandler(p *proxyState, _ *backend.Failure) string {
	return "AH01144: No protocol handler was valid for the URL " + p.x.Req.Path + " (scheme '" + p.schemeNow() + "'). " +
		"If you are using a DSO version of mod_proxy, make sure the proxy submodules are included in the configuration using LoadModule."
}

func allBusy(p *proxyState, _ *backend.Failure) string {
	return "AH00934: all workers are busy.  Unable to serve " + p.x.Filename[len(Prefix):]
}

func badLengthText(_ *proxyState, e *backend.Failure) string {
	return "AH01110: error reading response: " + e.Detail
}

func statusLineText(_ *proxyState, e *backend.Failure) string {
	return "AH01102: error reading status line from remote server " + place(e)
}

func notPassed(_ *proxyState, e *backend.Failure) string {
	return "AH01084: pass request body failed to " + reached(e) + " (" + e.Host + ")"
}

func notPassedFrom(p *proxyState, e *backend.Failure) string {
	return "AH01097: pass request body failed to " + reached(e) + " (" + e.Host + ") from " + p.x.ClientIP + " ()"
}

func bodyNotRead(p *proxyState, e *backend.Failure) string {
	return "AH01095: prefetch request body failed to " + place(e) + " (" + e.Host + ") from " + p.x.ClientIP + " ()"
}

func notTaken(_ *proxyState, e *backend.Failure) string {
	return "AH03364: the member " + place(e) + " did not take the request"
}

func headEnded(_ *proxyState, e *backend.Failure) string {
	if !errors.Is(e.Err, io.EOF) && !errors.Is(e.Err, io.ErrUnexpectedEOF) && !errors.Is(e.Err, syscall.EINVAL) && !e.Timeout {
		return ""
	}
	return "AH10404: Error reading headers from backend"
}

func headTooLong(_ *proxyState, e *backend.Failure) string {
	if e.Detail != backend.TooLong {
		return ""
	}
	return "AH10124: header size is over the limit allowed by ResponseFieldSize (" + e.Detail + "). Bad response header"
}

func badHeader(p *proxyState, _ *backend.Failure) string {
	return "AH01106: bad HTTP/1.1 header returned by " + p.x.Req.Path + " (" + p.x.Req.Method + ")"
}

// reached is the address that a handshake was tried with, else the place of the member.
func reached(e *backend.Failure) string {
	if e.Kind == backend.Handshake && e.Detail != "" {
		return e.Detail
	}
	return place(e)
}

// place is "host:port" of the member.
func place(e *backend.Failure) string { return e.Host + ":" + decimal(e.Port) }

// schemeNow is the scheme that the attempt spoke.
func (p *proxyState) schemeNow() string {
	if p.balancer != nil && p.worker != nil {
		return p.worker.Address().Scheme
	}
	return p.scheme
}
