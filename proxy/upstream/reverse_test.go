package upstream_test

import (
	"testing"

	"balancerd/balancer"
	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
	"balancerd/proxy/mod/proxy/proxytest"
)

// answering is a backend whose answers carry one field.
func answering(name string, value *string) proxytest.Answerer {
	return func(_ *balancer.Worker, x *exchange.Exchange, _ *backend.Call) error {
		x.Res.Status = 302
		x.Res.Header.Add(name, *value)
		return nil
	}
}

const reverseConf = `
ProxyPass / http://b1:81/
ProxyPassReverse /fe/ http://b1:81/deep/
ProxyPassReverse /pathonly /abs
ProxyPassReverse / http://b1:81/
ProxyPassReverse /any HTTP://Catch.All
ProxyPassReverse /bal balancer://c/in
ProxyPassReverse / balancer://d
ProxyPassReverse http://public.example/ http://inside/
<Location /loc>
ProxyPassReverse http://in.location/
</Location>
<Proxy balancer://c>
BalancerMember http://b2
BalancerMember http://b3/ctx/
</Proxy>
<Proxy balancer://d>
BalancerMember http://b4
</Proxy>
`

func TestReverse(t *testing.T) {
	var url string
	r := proxytest.New(t, reverseConf, answering("Location", &url))
	for _, c := range []struct{ request, url, want string }{
		{"/", "http://b1:81/x?y#z", "http://front.example:99/x?y#z"},
		{"/", "http://b1:81/deep/x", "http://front.example:99/fe/x"},
		{"/", "http://b1:81/deeper", "http://front.example:99/deeper"},
		{"/", "http://b1:81", "http://b1:81"},
		{"/", "http://catch.all/p", "http://front.example:99/any/p"},
		{"/", "http://catch.allx/p", "http://front.example:99/anyx/p"},
		{"/", "/relative", "/relative"},
		{"/", "relative", "relative"},
		{"/", "/abs/x", "http://front.example:99/pathonly/x"},
		{"/", "http://other.example/abs/x", "http://front.example:99/pathonly/x"},
		{"/", "http://other.example/", "http://other.example/"},
		{"/", "HTTP://B1:81/X", "http://front.example:99/X"},
		{"/", "http://b2/in/q", "http://front.example:99/bal/q"},
		{"/", "http://b3/ctx/in/q", "http://front.example:99/bal/q"},
		{"/", "http://b4/p", "http://front.example:99/p"},
		{"/", "http://inside/p", "http://public.example/p"},
		{"/", "http://in.location/here", "http://in.location/here"},
		{"/loc/a", "http://in.location/here", "http://front.example:99/lochere"},
		{"/", "", ""},
		{"/", "//81", "//81"},
	} {
		url = c.url
		x := r.Get("GET " + c.request + " HTTP/1.1\nHost: front.example:99")
		if got := x.Res.Header.Get("Location"); got != c.want {
			t.Errorf("%s %s: %s, want %s", c.request, c.url, got, c.want)
		}
	}
	for _, c := range []struct {
		name string
		want bool
	}{{"Content-Location", true}, {"URI", true}, {"destination", true}, {"Refresh", false}, {"Link", false}} {
		u := "http://b1:81/x"
		r.To = answering(c.name, &u)
		x := r.Get("GET / HTTP/1.1\nHost: h")
		if got := x.Res.Header.Get(c.name) == "http://h/x"; got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestCookies(t *testing.T) {
	var cookie string
	r := proxytest.New(t, `
ProxyPass / http://b1/
ProxyPassReverseCookiePath /be/ /fe/
ProxyPassReverseCookiePath /b /second/
ProxyPassReverseCookieDomain be.test fe.test
ProxyPassReverseCookieDomain .dot.test fe.dot
`, answering("Set-Cookie", &cookie))
	for _, c := range []struct{ from, want string }{
		{"a=1; path=/be/", "a=1; path=/fe/"},
		{"a=1; Path=/be/x; HttpOnly", "a=1; Path=/fe/; HttpOnly"},
		{"a=1; PATH=/BE/", "a=1; PATH=/BE/"},
		{"a=1; path=/bex", "a=1; path=/second/"},
		{"a=1;path=/other", "a=1;path=/other"},
		{"a=1", "a=1"},
		{"a=1; Domain=be.test; path=/be/", "a=1; Domain=fe.test; path=/fe/"},
		{"a=1; path=/be/; domain=BE.TEST; Secure", "a=1; path=/fe/; domain=fe.test; Secure"},
		{"a=1; domain=be.test.evil", "a=1; domain=fe.test"},
		{"a=1; domain=sub.be.test", "a=1; domain=sub.be.test"},
		{"a=1; domain=.dot.test", "a=1; domain=fe.dot"},
		{"a=path=/be/", "a=path=/be/"},
		{"a=1; path=/be/; path=/b", "a=1; path=/be/; path=/second/"},
		{"a=1; path=/be/; path=/zz", "a=1; path=/be/; path=/zz"},
		{`a=1; path="/be/"`, `a=1; path="/be/"`},
		{"a=1; expires=Wed, 09 Jun 2027 10:18:14 GMT; path=/be", "a=1; expires=Wed, 09 Jun 2027 10:18:14 GMT; path=/second/"},
		{"; ;;path=/be/;", "; ;;path=/fe/;"},
		{"", ""},
	} {
		cookie = c.from
		if x := r.Get("GET / HTTP/1.1"); x.Res.Header.Get("Set-Cookie") != c.want {
			t.Errorf("%s: %s, want %s", c.from, x.Res.Header.Get("Set-Cookie"), c.want)
		}
	}
}

func TestInterpolated(t *testing.T) {
	location, asked := "http://b1/there", ""
	r := proxytest.New(t, `
ProxyPassInterpolateEnv On
ProxyPass /i http://${TARGET}/in/${WHICH}/${NOPE} interpolate
ProxyPass /plain http://b3/${WHICH}
ProxyPassReverse / http://${TARGET}/ interpolate
`, func(_ *balancer.Worker, x *exchange.Exchange, c *backend.Call) error {
		asked = c.Host + x.Out.Target
		x.Res.Header.Add("Location", location)
		return nil
	})
	for _, c := range []struct{ path, want, location string }{
		{"/i/x", "b1/in/w//x", "http://h/there"},
		{"/plain/x", "b3/$%7BWHICH%7D/x", "http://h/there"},
	} {
		x := proxytest.Request("GET " + c.path + " HTTP/1.1\nHost: h")
		x.Env.Set("TARGET", "b1")
		x.Env.Set("WHICH", "w")
		r.Site.Serve(t.Context(), x)
		if asked != c.want || x.Res.Header.Get("Location") != c.location {
			t.Errorf("%s: %s %s", c.path, asked, x.Res.Header.Get("Location"))
		}
		r.Finish(x)
	}
}
