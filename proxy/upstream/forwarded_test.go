package upstream_test

import (
	"strings"
	"testing"

	"balancerd/balancer"
	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
	"balancerd/proxy/mod/proxy/proxytest"
)

// flags is what of an Outgoing is not in its head.
func flags(o *exchange.Outgoing) string {
	var b strings.Builder
	for _, f := range []struct {
		name string
		on   bool
	}{{"close", o.Close}, {"bare", o.Bare}, {"body", o.HasBody}, {"spool", o.Spool}, {"ping", o.Ping}, {"expect", o.Expect}, {"nopool", o.NoPool}, {"1.0", o.Minor == 0},
		{"chunked", o.Length < 0}, {"upgrade=" + o.Upgrade, o.Upgrade != ""}} {
		if f.on {
			b.WriteString(" " + f.name)
		}
	}
	return strings.TrimSpace(b.String())
}

func TestForwarded(t *testing.T) {
	front := "ProxyPass / http://m:8080/\n"
	for _, c := range []struct{ name, conf, request, want, flags string }{
		{"plain", front, "GET /x HTTP/1.1\nHost: Front.Example:99\nAccept: a/b", "GET /x\nHost: m:8080\nAccept: a/b\nX-Forwarded-For: 127.0.0.1\nX-Forwarded-Host: Front.Example:99\nX-Forwarded-Server: localhost\n", ""},
		{"no host", front, "GET /x HTTP/1.0\nA: b", "GET /x\nHost: m:8080\nA: b\nX-Forwarded-For: 127.0.0.1\nX-Forwarded-Server: localhost\n", ""},
		{"merged in place", front, "GET /x HTTP/1.1\nX-Forwarded-For: 9.9.9.9\nX-Forwarded-Host: before\nHost: h\nX-Forwarded-Server: one, two\nZ: z",
			"GET /x\nHost: m:8080\nX-Forwarded-For: 9.9.9.9, 127.0.0.1\nX-Forwarded-Host: before, h\nX-Forwarded-Server: one, two, localhost\nZ: z\n", ""},
		{"hop by hop", front, "GET /x HTTP/1.1\nHost: h\nProxy-Connection: x\nKeep-Alive: 300\nTE: trailers\nTrailer: T\nUpgrade: foo\nConnection: close, X-Named, Upgrade, X-Forwarded-For\nX-Named: 1\nX-Forwarded-For: 6.6.6.6\nProxy-Authorization: a\nAuthorization: b\nExpect: x",
			"GET /x\nHost: m:8080\nProxy-Authorization: a\nAuthorization: b\nX-Forwarded-For: 127.0.0.1\nX-Forwarded-Host: h\nX-Forwarded-Server: localhost\n", ""},
		{"off", "ProxyAddHeaders Off\n" + front, "GET /x HTTP/1.1\nHost: h\nX-Forwarded-For: 9.9.9.9", "GET /x\nHost: m:8080\nX-Forwarded-For: 9.9.9.9\n", ""},
		{"preserved", "ProxyAddHeaders Off\nProxyPreserveHost On\n" + front, "GET /x HTTP/1.1\nHost: Front:99", "GET /x\nHost: Front:99\n", ""},
		{"preserved, none", "ProxyAddHeaders Off\nProxyPreserveHost On\n" + front, "GET /x HTTP/1.0", "GET /x\nHost: localhost\n", ""},
		{"via on", "ProxyAddHeaders Off\nProxyVia On\n" + front, "GET /x HTTP/1.1\nHost: h:99\nVia: 1.0 first", "GET /x\nHost: m:8080\nVia: 1.0 first, 1.1 localhost:99\n", ""},
		{"via full", "ProxyAddHeaders Off\nProxyVia Full\n" + front, "GET /x HTTP/1.0", "GET /x\nHost: m:8080\nVia: 1.0 localhost (Apache/2.4.71)\n", ""},
		{"via block", "ProxyAddHeaders Off\nProxyVia Block\n" + front, "GET /x HTTP/1.1\nVia: 1.0 first", "GET /x\nHost: m:8080\n", ""},
		{"via off", "ProxyAddHeaders Off\n" + front, "GET /x HTTP/1.1\nVia: 1.0 first", "GET /x\nHost: m:8080\nVia: 1.0 first\n", ""},
		{"forwards", "ProxyAddHeaders Off\nProxyMaxForwards 5\n" + front, "GET /x HTTP/1.1\nA: b", "GET /x\nHost: m:8080\nA: b\nMax-Forwards: 5\n", ""},
		{"forwards, counted", "ProxyAddHeaders Off\n" + front, "GET /x HTTP/1.1\nMax-Forwards: 3\nA: b", "GET /x\nHost: m:8080\nMax-Forwards: 2\nA: b\n", ""},
		{"body", "ProxyAddHeaders Off\n" + front, "POST /x HTTP/1.1\nContent-Length: 3", "POST /x\nHost: m:8080\n", "body"},
		{"empty body", "ProxyAddHeaders Off\n" + front, "POST /x HTTP/1.1\nContent-Length: 0", "POST /x\nHost: m:8080\n", "body"},
		{"chunked", "ProxyAddHeaders Off\n" + front, "POST /x HTTP/1.1\nTransfer-Encoding: chunked", "POST /x\nHost: m:8080\n", "body chunked"},
		{"chunked and length", "ProxyAddHeaders Off\n" + front, "POST /x HTTP/1.1\nTransfer-Encoding: chunked\nContent-Length: 3", "POST /x\nHost: m:8080\n", "close body chunked"},
		{"no reuse", "ProxyAddHeaders Off\nProxyPass / http://m:8080/ disablereuse=On\n", "GET /x HTTP/1.1", "GET /x\nHost: m:8080\n", "close"},
		{"generic", "ProxyAddHeaders Off\nProxyPass / http://m:8080\n", "GET /1 HTTP/1.1", "", ""},
		{"expect", "ProxyAddHeaders Off\n" + front, "POST /x HTTP/1.1\nContent-Length: 3\nExpect: 100-continue", "POST /x\nHost: m:8080\n", "body expect"},
		{"expect off", "ProxyAddHeaders Off\nProxy100Continue Off\n" + front, "POST /x HTTP/1.1\nContent-Length: 3\nExpect: 100-continue", "POST /x\nHost: m:8080\n", "body"},
		{"ping", "ProxyAddHeaders Off\nProxyPass / http://m:8080/ ping=1\n", "POST /x HTTP/1.1\nContent-Length: 3", "POST /x\nHost: m:8080\n", "body ping"},
		{"ping without body", "ProxyAddHeaders Off\nProxyPass / http://m:8080/ ping=1\n", "GET /x HTTP/1.1", "GET /x\nHost: m:8080\n", ""},
		{"upgrade", "ProxyAddHeaders Off\nProxyPass / http://m:8080/ upgrade=foo,WebSocket\n", "GET /x HTTP/1.1\nConnection: Upgrade\nUpgrade: websocket", "GET /x\nHost: m:8080\n", "upgrade=websocket"},
		{"upgrade, any", "ProxyAddHeaders Off\nProxyPass / http://m:8080/ upgrade=ANY\n", "GET /x HTTP/1.1\nConnection: Upgrade, close\nUpgrade: Foo", "GET /x\nHost: m:8080\n", "upgrade=Foo"},
		{"upgrade, other", "ProxyAddHeaders Off\nProxyPass / http://m:8080/ upgrade=foo\n", "GET /x HTTP/1.1\nConnection: Upgrade\nUpgrade: websocket", "GET /x\nHost: m:8080\n", ""},
		{"upgrade, several", "ProxyAddHeaders Off\nProxyPass / http://m:8080/ upgrade=websocket\n", "GET /x HTTP/1.1\nConnection: Upgrade\nUpgrade: WebSocket, foo", "GET /x\nHost: m:8080\n", "upgrade=WebSocket, foo"},
		{"upgrade, a version", "ProxyAddHeaders Off\nProxyPass / http://m:8080/ upgrade=websocket\n", "GET /x HTTP/1.1\nConnection: Upgrade\nUpgrade: websocket/13", "GET /x\nHost: m:8080\n", "upgrade=websocket/13"},
		{"upgrade, several, another first", "ProxyAddHeaders Off\nProxyPass / http://m:8080/ upgrade=websocket\n", "GET /x HTTP/1.1\nConnection: Upgrade\nUpgrade: foo, websocket", "GET /x\nHost: m:8080\n", ""},
		{"ws, several", "ProxyAddHeaders Off\nProxyPass / ws://m:8080/\n", "GET /x HTTP/1.1\nConnection: Upgrade\nUpgrade: websocket, foo", "GET /x\nHost: m:8080\n", ""},
		{"upgrade, not named", "ProxyAddHeaders Off\nProxyPass / http://m:8080/ upgrade=ANY\n", "GET /x HTTP/1.1\nUpgrade: websocket", "GET /x\nHost: m:8080\n", "upgrade=websocket"},
		{"ws", "ProxyAddHeaders Off\nProxyPass / ws://m:8080/\n", "GET /x HTTP/1.1\nConnection: Upgrade\nUpgrade: websocket", "GET /x\nHost: m:8080\n", "upgrade=websocket"},
		{"ws, 1.0", "ProxyAddHeaders Off\nProxyPass / ws://m:8080/\n", "GET /x HTTP/1.0\nConnection: Upgrade\nUpgrade: websocket", "GET /x\nHost: m:8080\n", ""},
		{"port 80", "ProxyAddHeaders Off\nProxyPass / http://m:80/\n", "GET /x HTTP/1.1", "GET /x\nHost: m\n", ""},
		{"six", "ProxyAddHeaders Off\nProxyPass / http://[::1]:8080/\n", "GET /x HTTP/1.1", "GET /x\nHost: [::1]:8080\n", ""},
		{"member", "ProxyAddHeaders Off\nProxyPass / balancer://b/\nBalancerMember balancer://b ws://m:8080/p\n", "GET /x HTTP/1.1\nConnection: Upgrade\nUpgrade: websocket", "GET /p/x\nHost: m:8080\n", "upgrade=websocket"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, marks := "", ""
			r := proxytest.New(t, c.conf, func(_ *balancer.Worker, x *exchange.Exchange, _ *backend.Call) error {
				got, marks = proxytest.Head(&x.Out), flags(&x.Out)
				return nil
			})
			r.Get(c.request)
			if got != c.want || marks != c.flags {
				t.Errorf("got\n%s[%s]\nwant\n%s[%s]", got, marks, c.want, c.flags)
			}
		})
	}
}

func TestSwitches(t *testing.T) {
	for _, c := range []struct{ vars, request, want string }{
		{"force-proxy-request-1.0", "GET /x HTTP/1.1\nExpect: 100-continue", "close bare 1.0"},
		{"force-proxy-request-1.0", "POST /x HTTP/1.1\nTransfer-Encoding: chunked", "close bare body spool 1.0 chunked"},
		{"proxy-nokeepalive", "GET /x HTTP/1.1", "close"},
		{"proxy-initial-not-pooled", "GET /x HTTP/1.1", "nopool"},
		{"proxy-initial-not-pooled", "GET /x HTTP/2.0", ""},
		{"proxy-sendcl", "POST /x HTTP/1.1\nTransfer-Encoding: chunked", "body spool chunked"},
		{"proxy-sendcl proxy-sendchunks", "POST /x HTTP/1.1\nTransfer-Encoding: chunked", "body chunked"},
		{"proxy-sendcl", "POST /x HTTP/1.1\nContent-Length: 3", "body"},
		{"PROXY-NOKEEPALIVE proxy-nonsense", "GET /x HTTP/1.1", ""},
	} {
		got := ""
		r := proxytest.New(t, "ProxyPass / http://m/\n", func(_ *balancer.Worker, x *exchange.Exchange, _ *backend.Call) error {
			got = flags(&x.Out)
			return nil
		})
		x := proxytest.Request(c.request)
		for _, v := range strings.Fields(c.vars) {
			x.Env.Set(v, "1")
		}
		r.Site.Serve(t.Context(), x)
		r.Finish(x)
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.vars, got, c.want)
		}
	}
}

func TestInterim(t *testing.T) {
	for value, want := range map[string]backend.Interim{"": backend.InterimRelay, "RFC": backend.InterimRFC, "suppress": backend.InterimSuppress, "what": backend.InterimSuppress} {
		var got backend.Interim
		r := proxytest.New(t, "ProxyPass / http://m/\n", func(_ *balancer.Worker, _ *exchange.Exchange, c *backend.Call) error {
			got = c.Interim
			return nil
		})
		x := proxytest.Request("GET / HTTP/1.1")
		if value != "" {
			x.Env.Set("proxy-interim-response", value)
		}
		r.Site.Serve(t.Context(), x)
		if got != want {
			t.Errorf("%q: %d, want %d", value, got, want)
		}
	}
}

func TestMaxForwards(t *testing.T) {
	r := proxytest.New(t, "ProxyPass / http://m/\n", proxytest.OK)
	for _, c := range []struct {
		request string
		status  int
		log     string
	}{
		{"GET / HTTP/1.1\nMax-Forwards: 0", 400, "[proxy:error client] AH00898: Max-Forwards has reached zero - proxy loop? returned by /"},
		{"GET / HTTP/1.1\nMax-Forwards: -1", 400, "[proxy:warn client] AH10188: Max-Forwards value '-1' could not be parsed\n[proxy:error client] AH00898: Max-Forwards request header could not be parsed returned by /"},
		{"GET / HTTP/1.1\nMax-Forwards: x", 400, "[proxy:warn client] AH10188: Max-Forwards value 'x' could not be parsed\n[proxy:error client] AH00898: Max-Forwards request header could not be parsed returned by /"},
		{"OPTIONS / HTTP/1.1\nMax-Forwards: 0", 200, ""},
		{"TRACE / HTTP/1.1\nMax-Forwards: 0", 200, ""},
		{"CONNECT / HTTP/1.1", 405, ""},
	} {
		r.Log.Take()
		x := r.Get(c.request)
		if log := r.Log.Take(); x.Res.Status != c.status || log != c.log {
			t.Errorf("%s: %d %s", c.request, x.Res.Status, log)
		}
	}
	x := r.Get("OPTIONS / HTTP/1.1\nMax-Forwards: 0")
	if x.Res.Header.Get("Allow") != "TRACE" {
		t.Errorf("OPTIONS: %v", x.Res.Header)
	}
	if x = r.Get("TRACE /x HTTP/1.1\nMax-Forwards: 0"); proxytest.Body(x) != "TRACE /x HTTP/1.1\r\nHost: localhost\r\nMax-Forwards: 0\r\n\r\n" {
		t.Errorf("TRACE: %q", proxytest.Body(x))
	}
	if r = proxytest.New(t, "TraceEnable Off\nProxyPass / http://m/\n", proxytest.OK); r.Get("TRACE / HTTP/1.1").Res.Status != 405 {
		t.Error("TRACE was not refused")
	}
}

func TestVersionOfVia(t *testing.T) {
	r := proxytest.New(t, "ProxyVia On\nProxyPass / http://m/\n", func(_ *balancer.Worker, x *exchange.Exchange, _ *backend.Call) error {
		x.Res.Status = 200
		x.Res.Header.Add("Via", "1.1 member")
		return nil
	})
	x := r.Get("GET / HTTP/1.0\nHost: h:81")
	if f := x.Res.Header.F; len(f) != 2 || f[0].Value != "1.1 member" || f[1].Value != "1.0 localhost:81" {
		t.Errorf("%v", f)
	}
}
