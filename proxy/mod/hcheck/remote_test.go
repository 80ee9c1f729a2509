package hcheck_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
)

// forwarder is a proxy that takes requests in absolute form, and counts them.
func forwarder(t testing.TB) (authority string, passed *atomic.Int64) {
	passed = new(atomic.Int64)
	onward := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.Out.Host = r.Out.URL.Host }}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		passed.Add(1)
		onward.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	at, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	return at.Host, passed
}

// Checks go straight to the members, also where the traffic goes by another proxy, as httpd's do: a member that only the
// proxy could reach fails, and one that the proxy can't reach any longer is let in.
func TestChecksGoStraight(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"ProxyRemote * http://{} ann:secret\n", "ProxyRemoteMatch . http://{}\n", "ProxyRemote http://127.0.0.1 http://{}\nNoProxy .nowhere.test\n"} {
		remote, passed := forwarder(t)
		m := newMember(t)
		s := start(t, strings.ReplaceAll(way, "{}", remote)+balancerOf("BalancerMember http://"+m.Addr+" hcmethod=GET hcuri=/h hcinterval=100ms",
			"BalancerMember http://only-the-proxy.invalid hcmethod=TCP hcinterval=100ms"))
		s.until("Init Ok", "Init HcFl")
		before := m.asked.Load()
		wait(t, func() string {
			if m.asked.Load() < before+3 {
				return "the member is not checked"
			}
			return ""
		})
		if n := passed.Load(); n > 0 {
			t.Errorf("%s: %d checks went by the proxy", way, n)
		}
		if status := s.get("/x"); status != 200 || passed.Load() != 1 {
			t.Errorf("%s: answered %d, %d requests went by the proxy", way, status, passed.Load())
		}
		m.ill.Store(true)
		s.until("Init HcFl", "Init HcFl")
		m.ill.Store(false)
		s.until("Init Ok", "Init HcFl")
	}
}
