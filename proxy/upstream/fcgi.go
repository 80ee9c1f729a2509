package upstream

import (
	"strings"

	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
	"balancerd/proxy/fcgi"
)

// fcgiProtocol is mod_proxy_fcgi. The status of a failure, and what the member suffers for it, are httpd's; a request
// that can't be repeated is sent to no other member, which would get it without its body there.
var fcgiProtocol = protocol{
	encode:       encodeFCGI,
	given:        refuseFCGI,
	keepsIfSaid:  true,
	hidesTimeout: true,
	override:     overridesFirst,
	rows: map[backend.Kind]outcome{
		backend.Refused:     {status: 503, marksWorker: true, tryNext: true, seesStatus: true, log: []logLine{{"proxy_fcgi", exchange.Error, false, false, fcgiNoConnection}}},
		backend.NotTaken:    {status: 503, tryNext: true, notTaken: true, log: fcgiDispatch},
		backend.ClientBody:  {status: 400, log: fcgiClient}, // or what its BodyError says
		backend.WriteHead:   {status: 503, marksWorker: true, tryNext: true, seesStatus: true, log: fcgiDispatch},
		backend.WriteBody:   {status: 503, marksWorker: true, seesStatus: true, log: fcgiDispatch},
		backend.EarlyClose:  {status: 503, marksWorker: true, tryNext: true, seesStatus: true, log: fcgiCut},
		backend.BadFraming:  {status: 503, marksWorker: true, tryNext: true, seesStatus: true, log: fcgiDispatch},
		backend.BadHead:     {status: 502, seesStatus: true, log: fcgiDispatch},
		backend.ReadTimeout: {status: 504, seesStatus: true, log: fcgiPolling},
	},
	rarely: map[backend.Kind]outcome{
		backend.WriteHead:  {status: 503, marksWorker: true, seesStatus: true, log: fcgiDispatch},
		backend.EarlyClose: {status: 503, marksWorker: true, seesStatus: true, log: fcgiCut},
		backend.BadFraming: {status: 503, marksWorker: true, seesStatus: true, log: fcgiDispatch},
	},
}

var (
	fcgiDispatch = []logLine{{"proxy_fcgi", exchange.Error, true, false, dispatching(": ")}}
	fcgiPolling  = []logLine{{"proxy_fcgi", exchange.Error, true, false, dispatching(": (polling)")}}
	fcgiCut      = []logLine{{"proxy_fcgi", exchange.Error, false, false, fixed("AH01067: Failed to read FastCGI header")}, fcgiDispatch[0]}
)

// fcgiClient is for a client that is gone or slow; what of its body is malformed is seen before mostly.
var fcgiClient = []logLine{
	{"proxy", exchange.Error, true, false, func(p *proxyState, e *backend.Failure) string {
		if exchange.ErrnoText(e.Err) != "" {
			return ""
		}
		return bodyNotRead(p, e)
	}},
	{"proxy_fcgi", exchange.Error, true, false, func(p *proxyState, e *backend.Failure) string {
		if exchange.ErrnoText(e.Err) == "" {
			return ""
		}
		return dispatching(": (reading input brigade)")(p, e)
	}},
}

func fcgiNoConnection(_ *proxyState, e *backend.Failure) string {
	return "AH01079: failed to make connection to backend: " + e.Host
}

// dispatching is the line that ends each failure.
func dispatching(why string) func(*proxyState, *backend.Failure) string {
	return func(p *proxyState, e *backend.Failure) string {
		text := "AH01075: Error dispatching request to "
		if port := p.x.ServerPort(); port != p.x.DefaultPort() {
			text += ":" + decimal(uint16(port))
		}
		if e.Detail != "" {
			return text + ": (" + e.Detail + ")"
		}
		return text + why
	}
}

// encodeFCGI (httpd: mod_proxy_fcgi.c proxy_fcgi_canon).
func encodeFCGI(p *proxyState) error {
	return p.encodePlain(p.byHandler || p.asGiven(), refuseFCGI)
}

// refuseFCGI refuses a path that PHP-FPM, or whoever it is, would understand in another way.
func refuseFCGI(x *exchange.Exchange, path string) error {
	set, _ := fcgi.Of(x)
	or := " or '?'"
	if set.Generic {
		or = ""
	}
	if control(path) || !set.Generic && strings.IndexByte(path, '?') >= 0 {
		return refused(x, "proxy_fcgi", x.Arena.Join("AH10414: To be forwarded path contains control characters", or, " (", path, ")"))
	}
	return nil
}
