package manager_test

import (
	"testing"

	"balancerd/balancer"
	"balancerd/balancer/method"
	pages "balancerd/manager"
	"balancerd/proxy/backend"
	"balancerd/proxy/mod/core"
	"balancerd/proxy/mod/manager"
	"balancerd/proxy/mod/proxy"
	"balancerd/proxy/mod/proxy/proxytest"
	"balancerd/proxy/site/sitetest"
)

// What httpd 2.4.71 tells of the methods that the manager takes, be the request's one known or not.
func TestMethods(t *testing.T) {
	for conf, want := range map[string]string{"": "GET,POST,OPTIONS,HEAD,TRACE", "TraceEnable off\n": "GET,POST,OPTIONS,HEAD"} {
		farm := balancer.NewFarm(method.Builtin(nil), nil)
		r := sitetest.New(t, proxytest.Preload, conf+"<Location /m>\nSetHandler balancer-manager\n</Location>\n",
			core.Module(), proxy.Module(farm, backend.Table{}), manager.Module(farm, pages.Options{}))
		for asked, status := range map[string]int{"OPTIONS": 200, "PUT": 405, "GNARF": 501} {
			x := r.Get(asked + " /m HTTP/1.1\nHost: a")
			if got := sitetest.Answered(x, "Allow"); x.Res.Status != status || got != want {
				t.Errorf("%s%s: %d, Allow: %s, want %d, %s", conf, asked, x.Res.Status, got, status, want)
			}
		}
	}
}
