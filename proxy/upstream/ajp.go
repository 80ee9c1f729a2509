package upstream

import (
	"errors"

	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
)

// ajpProtocol is mod_proxy_ajp: a request that may be repeated is, as long as no part of an answer was here.
var ajpProtocol = protocol{
	encode:   encodeAJP,
	reverses: true,
	retains:  true,
	query:    true,
	shown:    withQuery,
	kindOf:   ajpKind,
	rows: map[backend.Kind]outcome{
		backend.Refused:    {status: 503, marksWorker: true, tryNext: true, seesStatus: true, log: []logLine{{"proxy_ajp", exchange.Error, false, false, ajpNoConnection}}},
		backend.NoContinue: {status: 503, marksWorker: true, tryNext: true, seesStatus: true},
		backend.ClientBody: {status: 400, log: []logLine{{"proxy_ajp", exchange.Error, true, false, ajpClient}}}, // or what its BodyError says
		backend.WriteHead:  {status: 503, marksWorker: true, tryNext: true, seesStatus: true, log: ajpRequest},
		backend.WriteBody:  {status: 500, marksWorker: true, seesStatus: true, log: ajpRequest},
		backend.EarlyClose: {status: 503, marksWorker: true, tryNext: true, seesStatus: true, log: ajpResponse},
		backend.BadFraming: {status: 503, marksWorker: true, tryNext: true, seesStatus: true, log: ajpResponse},
		backend.BadHead:    {status: 503, marksWorker: true, tryNext: true, seesStatus: true, log: ajpDialog},
		answersPing:        {status: 504, log: ajpResponse},
		answersPingLate:    {status: 503, marksWorker: true, tryNext: true, seesStatus: true, log: ajpDialog},
	},
	rarely: map[backend.Kind]outcome{
		backend.WriteHead:  {status: 500, marksWorker: true, seesStatus: true, log: ajpRequest},
		backend.EarlyClose: {status: 500, marksWorker: true, seesStatus: true, log: ajpResponse},
		backend.BadFraming: {status: 500, marksWorker: true, seesStatus: true, log: ajpResponse},
		backend.BadHead:    {status: 500, marksWorker: true, seesStatus: true, log: ajpDialog},
		answersPingLate:    {status: 504, seesStatus: true, seesTimeout: true, log: ajpDialog},
	},
}

// The failures of AJP that depend on more than their kind.
const (
	answersPing     = kinds + iota // nothing came in time, though the member had answered a ping
	answersPingLate                // likewise, behind a head
)

// ajpKind finds the row of a failure: a timeout is a close, unless a ping was answered before.
func ajpKind(p *proxyState, e *backend.Failure) backend.Kind {
	var inPacket exchange.ModuleError // its beginning was here in time
	pinged := p.worker.Settings().Ping.Set && !errors.As(e.Err, &inPacket)
	switch {
	case e.Kind == backend.ReadTimeout && pinged:
		return answersPing
	case e.Kind == backend.ReadTimeout:
		return backend.EarlyClose
	case e.Kind == backend.BadHead && e.Timeout && pinged:
		return answersPingLate
	}
	return e.Kind
}

var (
	ajpRequest  = []logLine{{"proxy_ajp", exchange.Error, true, false, ajpFailed("AH00868: request failed to ")}}
	ajpResponse = []logLine{{"proxy_ajp", exchange.Error, true, false, ajpFailed("AH00878: read response failed from ")}}
	ajpDialog   = []logLine{{"proxy_ajp", exchange.Error, true, false, ajpBroken}}
)

func ajpNoConnection(_ *proxyState, e *backend.Failure) string {
	return "AH00896: failed to make connection to backend: " + e.Host
}

func ajpFailed(words string) func(*proxyState, *backend.Failure) string {
	return func(_ *proxyState, e *backend.Failure) string { return words + place(e) + " (" + place(e) + ")" }
}

func ajpBroken(_ *proxyState, e *backend.Failure) string {
	return "AH00893: dialog to " + place(e) + " (" + place(e) + ") failed"
}

func ajpClient(p *proxyState, _ *backend.Failure) string {
	return "AH02822: dialog with client " + p.x.Conn.RemoteText + " failed"
}

// withQuery is a URL with the query, which the member is told apart from it.
func withQuery(p *proxyState, url string) string {
	if !p.x.Req.HasQuery || p.asCame {
		return url
	}
	return p.x.Arena.Join(url, "?", p.x.Req.Query)
}

// encodeAJP (httpd: mod_proxy_ajp.c proxy_ajp_canon).
func encodeAJP(p *proxyState) error {
	x := p.x
	if x.Req.HasQuery && !p.asCame && !visible(x.Req.Query) {
		return refused(x, "proxy_ajp", "AH10406: To be forwarded query string contains control characters or spaces")
	}
	return p.encodePlain(p.asGiven(), refuseAJP)
}

var refuseAJP = unlessVisible("proxy_ajp", "AH10418: To be forwarded path contains control characters or spaces")
