package upstream_test

import (
	"context"
	"testing"

	"balancerd/balancer"
	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/poison"
	"balancerd/proxy/mod/proxy/proxytest"
)

// loop serves one request again and again on one exchange, as a kept connection does.
func loop(t testing.TB, conf, text string) (step func()) {
	r := proxytest.New(t, conf, func(_ *balancer.Worker, x *exchange.Exchange, _ *backend.Call) error {
		x.Res.Status = 200
		return nil
	})
	x := proxytest.Request(text)
	first := x.Req
	fields := append([]exchange.Field(nil), x.Req.Header.F...)
	ctx := context.Background()
	return func() {
		x.Reset()
		h := x.Req.Header
		x.Req = first
		x.Req.Header = h
		x.Req.Header.F = append(x.Req.Header.F[:0], fields...)
		r.Site.Serve(ctx, x)
		r.Site.Done(ctx, x)
	}
}

const clientHead = "GET /app/page.html?id=1 HTTP/1.1\nHost: www.example.com\nUser-Agent: Mozilla/5.0\nAccept: text/html\nAccept-Encoding: gzip\nAccept-Language: en\nConnection: keep-alive\nCookie: a=b; ROUTEID=.r2"

var benches = []struct{ name, conf string }{
	{"plain", "ProxyPass /app http://127.0.0.1:8080/ctx\nProxyPassReverse /app http://127.0.0.1:8080/ctx\n"},
	{"balancer", "<Proxy balancer://c>\nBalancerMember http://127.0.0.1:8080\nBalancerMember http://127.0.0.1:8081 loadfactor=2\n</Proxy>\nProxyPass /app balancer://c/ctx\n"},
	{"sticky", "<Proxy balancer://c>\nBalancerMember http://127.0.0.1:8080/own route=r1\nBalancerMember http://127.0.0.1:8081 route=r2\nProxySet stickysession=ROUTEID\n</Proxy>\nProxyPass /app balancer://c/ctx\nProxyVia On\n"},
}

// A plain proxied request costs no allocation.
func TestNoAllocation(t *testing.T) {
	if poison.On {
		t.Skip("pools keep nothing")
	}
	for _, b := range benches {
		step := loop(t, b.conf, clientHead)
		for range 10 {
			step()
		}
		if n := testing.AllocsPerRun(200, step); n != 0 {
			t.Errorf("%s: %v allocations a request", b.name, n)
		}
	}
}

func BenchmarkHandler(b *testing.B) {
	for _, c := range benches {
		b.Run(c.name, func(b *testing.B) {
			step := loop(b, c.conf, clientHead)
			b.ReportAllocs()
			for b.Loop() {
				step()
			}
		})
	}
}
