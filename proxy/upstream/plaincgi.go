package upstream

import (
	neturl "net/url"

	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
)

// scgiProtocol is mod_proxy_scgi. A member that was reached is never blamed: what its program says, or a client that
// leaves, would take it out for all.
var scgiProtocol = protocol{
	encode:       encodeSCGI,
	counted:      true,
	hidesTimeout: true,
	override:     overridesNone,
	rows: map[backend.Kind]outcome{
		backend.Refused:     {status: 503, marksWorker: true, tryNext: true, seesStatus: true, log: []logLine{{"proxy_scgi", exchange.Error, false, false, followedByPlace("AH00866: failed to make connection to backend: ")}}},
		backend.ClientBody:  {status: 400, log: []logLine{{"proxy_scgi", exchange.Error, false, false, fixed("AH00859: receiving request body failed")}}}, // or what its BodyError says
		backend.WriteHead:   {status: 503, log: scgiSend},
		backend.WriteBody:   {status: 503, log: scgiSend},
		backend.EarlyClose:  {status: 500, seesStatus: true, log: scgiRead},
		backend.BadHead:     {status: 500, seesStatus: true, log: scgiRead},
		backend.BadFraming:  {status: 502, seesStatus: true, log: scgiRead},
		backend.ReadTimeout: {status: 504, seesStatus: true, log: scgiRead},
	},
}

var (
	scgiSend = []logLine{{"proxy_scgi", exchange.Error, true, false, sending("AH00858: sending data to ")}}
	scgiRead = []logLine{{"proxy_scgi", exchange.Error, false, false, followedByPlace("AH00860: error reading response headers from ")}}
)

func followedByPlace(words string) func(*proxyState, *backend.Failure) string {
	return func(_ *proxyState, e *backend.Failure) string { return words + place(e) }
}

func sending(words string) func(*proxyState, *backend.Failure) string {
	return func(_ *proxyState, e *backend.Failure) string { return words + place(e) + " failed" }
}

// encodeSCGI encodes whatever came, even what nocanon let pass (httpd: mod_proxy_scgi.c scgi_canon).
func encodeSCGI(p *proxyState) error { return p.encodePlain(false, nil) }

// uwsgiProtocol is mod_proxy_uwsgi. A member that was reached is not blamed, as with SCGI.
var uwsgiProtocol = protocol{
	encode:   encodeUWSGI,
	counted:  true,
	asOne:    true,
	shown:    decoded,
	ownWords: true,
	rows: map[backend.Kind]outcome{
		backend.Refused:       {status: 503, marksWorker: true, tryNext: true, seesStatus: true, log: []logLine{{"proxy_uwsgi", exchange.Error, false, false, followedByPlace("AH10101: failed to make connection to backend: ")}}},
		backend.ClientBody:    {status: 400, log: []logLine{{"proxy_uwsgi", exchange.Error, false, false, fixed("AH10099: receiving request body failed")}}}, // or what its BodyError says
		backend.WriteHead:     {status: 503, log: uwsgiSend},
		backend.WriteBody:     {status: 503, log: uwsgiSend},
		backend.EarlyClose:    {status: 500, seesStatus: true},
		backend.ReadTimeout:   {status: 500, seesStatus: true, seesTimeout: true},
		backend.BadStatusLine: {status: 502, seesStatus: true},
		backend.BadHead:       {status: 502, seesStatus: true},
	},
}

var uwsgiSend = []logLine{{"proxy_uwsgi", exchange.Error, true, false, sending("AH10098: sending data to ")}}

// decoded is a URL as the member is told its path. That of a balancer's member is a copy.
func decoded(p *proxyState, url string) string {
	if p.balancer != nil {
		return url
	}
	if plain, err := neturl.PathUnescape(url); err == nil {
		return p.x.Arena.Join(plain)
	}
	return url
}

// encodeUWSGI (httpd: mod_proxy_uwsgi.c uwsgi_canon).
func encodeUWSGI(p *proxyState) error { return p.encodePlain(p.asGiven(), refuseUWSGI) }

var refuseUWSGI = unlessVisible("proxy_uwsgi", "AH10417: To be forwarded path contains control characters or spaces")
