package upstream_test

import (
	"fmt"
	"strings"
	"syscall"
	"testing"

	"balancerd/balancer"
	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
	"balancerd/proxy/mod/proxy/proxytest"
)

// recorder writes down what it is told of proxying.
type recorder struct{ told []string }

func (r *recorder) Observe(x *exchange.Exchange, e exchange.Event) {
	switch e := e.(type) {
	case exchange.Decision:
		if strings.HasPrefix(e.Module, "proxy") {
			r.told = append(r.told, fmt.Sprintf("%s %s: %s:%d", e.Name, e.Subject, e.Outcome, e.Line))
		}
	case exchange.Picked:
		text := fmt.Sprintf("picked %s by %s of %s, session %v, err %v:", e.Member, e.Why, e.Balancer, e.Session, e.Err)
		for _, c := range e.Candidates {
			text += " " + c.Member + "=" + c.WhyNot
		}
		r.told = append(r.told, text)
	}
}

// observed is what is told of a request.
func observed(t *testing.T, r *proxytest.Rig, request string) string {
	x := proxytest.Request(request)
	rec := &recorder{}
	x.Observer = rec
	r.Site.Serve(t.Context(), x)
	r.Finish(x)
	return strings.Join(rec.told, "\n")
}

func TestObserved(t *testing.T) {
	conf := "ProxyPass /none !\nProxyPassMatch ^/re http://re/\nProxyPass /plain http://plain/x\nProxyPass /app balancer://c/\n<Proxy balancer://c>\nBalancerMember http://b1 route=r1 retry=600\nBalancerMember http://b2 route=r2 lbset=1\nBalancerMember http://b3 status=+H\nBalancerMember http://b4 status=+D\nProxySet stickysession=S|s failonstatus=418\n</Proxy>\n"
	r := proxytest.New(t, conf, func(w *balancer.Worker, x *exchange.Exchange, _ *backend.Call) error {
		switch {
		case w.Address().Host == "b1" && x.Req.Header.Has("X-Refused"):
			return &backend.Failure{Kind: backend.Refused, Err: syscall.ECONNREFUSED, Host: "b1", Port: 80}
		case x.Req.Header.Has("X-Teapot"):
			x.Res.Status = 418
		default:
			x.Res.Status = 200
		}
		return nil
	})
	line := func(n int) int { return n + proxytest.LinesInFront }
	front := fmt.Sprintf("ProxyPass /none !: passed over:%d\nProxyPassMatch ^/re http://re/: passed over:%d\n", line(1), line(2))
	for _, c := range []struct{ request, want string }{
		{"GET /none/x HTTP/1.1", fmt.Sprintf("ProxyPass /none !: taken: not proxied:%d", line(1))},
		{"GET /plain HTTP/1.1", front + fmt.Sprintf("ProxyPass /plain http://plain/x: taken: proxy:http://plain/x:%d\nworker http://plain/x: http://plain/x:0", line(3))},
		{"GET /app/x HTTP/1.1", "picked http://b1 by method of c, session { false }, err <nil>: http://b1= http://b2=other set http://b3=standby http://b4=disabled"},
		{"GET /app/x HTTP/1.1\nCookie: S=1.r2", "picked http://b2 by session of c, session {S false r2}, err <nil>: http://b1=route http://b2= http://b3=route http://b4=disabled"},
		{"GET /app/x?s=1.r2 HTTP/1.1", "picked http://b2 by session of c, session {s true r2}, err <nil>: http://b1=route http://b2= http://b3=route http://b4=disabled"},
		{"GET /app/x HTTP/1.1\nX-Refused: 1", "picked http://b1 by method of c, session { false }, err <nil>: http://b1= http://b2=other set http://b3=standby http://b4=disabled\nfailover http://b1: another attempt; the worker is in error:0\n" +
			"picked http://b3 by method of c, session { false }, err <nil>: http://b1=error http://b2=other set http://b3= http://b4=disabled"},
		{"GET /app/x HTTP/1.1\nCookie: S=1.r2\nX-Teapot: 1", "picked http://b2 by session of c, session {S false r2}, err <nil>: http://b1=error http://b2= http://b3=route http://b4=disabled\nfailonstatus http://b2: in error: 418 :0"},
	} {
		got := observed(t, r, c.request)
		if strings.HasPrefix(c.want, "picked") {
			_, got, _ = strings.Cut(got, "ProxyPass /app balancer://c/: taken: proxy:balancer://c/")
			_, got, _ = strings.Cut(got, "\n")
		}
		if got != c.want {
			t.Errorf("%s\ngot\n%s\nwant\n%s", c.request, got, c.want)
		}
	}
}

// Of many lines those nearest to the one that decided are told of.
func TestObservedLinesAreBounded(t *testing.T) {
	r := proxytest.New(t, strings.Repeat("ProxyPass /other http://h/\n", 200)+"ProxyPass /x http://h/\n", proxytest.OK)
	got := strings.Split(observed(t, r, "GET /x HTTP/1.1"), "\n")
	if len(got) != 53 || got[0] != "ProxyPass /x: 150 lines passed over:0" || !strings.Contains(got[51], "taken") {
		t.Errorf("%d: %v", len(got), got)
	}
}
