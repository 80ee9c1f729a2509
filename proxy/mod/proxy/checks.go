package proxy

import (
	"balancerd/proxy/backend"
	"balancerd/proxy/site"
)

// CallsOf is how what nobody asked for goes to a URL: health checks. It goes as the traffic of that server does, with the TLS that
// the <Proxy> sections of the URL ask for, but straight to the member whatever ProxyRemote says (httpd: mod_proxy_hcheck.c
// hc_determine_connection). The function is to be called while the server's configuration is in force.
func CallsOf(secure Secure) func(h *site.Host, url string) (backend.Call, error) {
	return func(h *site.Host, url string) (call backend.Call, err error) {
		b := specBuilder{config: h.Scope.Config}
		set := b.settings(h)
		r := set.requests(h)
		call = backend.Call{Timeout: r.Timeout, Source: r.Source}
		if secure != nil {
			call.TLS, err = secure(h.TargetScopes(url))
		}
		return call, err
	}
}
