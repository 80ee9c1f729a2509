package upstream

import (
	"slices"

	"balancerd/proxy/exchange"
)

// override is ProxyErrorOverride: which responses of members are replaced by our own error pages. Immutable.
type override struct {
	on    bool
	codes []int // none: 400 to 599
}

func (o *override) wants(status int) bool {
	switch {
	case !o.on:
		return false
	case len(o.codes) == 0:
		return status >= 400 && status < 600
	}
	return slices.Contains(o.codes, status)
}

// keep gives the response of a member that serves an ErrorDocument the status of the error; without
// ProxyErrorOverride the member's own status goes out (httpd: mod_proxy_http.c
// ap_proxy_http_process_response, original_status).
func (o *override) keep(x *exchange.Exchange) {
	if o.on && x.Prev != nil && x.Prev.Error >= 400 {
		x.Res.Status, x.Res.Reason = x.Prev.Error, exchange.ReasonOf(x.Prev.Error)
	}
}

// replace drops the member's response in favour of an error page, and with it the connection, as httpd does.
// Its reason stays in the status line, and with a 401 the challenge (httpd: mod_proxy_http.c ap_proxy_http_process_response).
func (o *override) replace(x *exchange.Exchange) error {
	status := exchange.Status(x.Res.Status)
	x.SpendBody()
	reason, wordless := x.Arena.Join(x.Res.Reason), x.Res.Wordless
	if wordless {
		reason = ""
	}
	if status == 401 {
		for i := range x.Res.Header.F {
			if f := &x.Res.Header.F[i]; f.Is("WWW-Authenticate") {
				x.Res.Always.Add(f.Name, x.Arena.Join(f.Value))
			}
		}
	}
	if status == 405 || status == 501 { // our page says what we allow
		x.Res.Header.Del("Allow")
		x.Res.Always.Del("Allow")
	}
	return &exchange.Problem{Status: status, Reason: reason, Wordless: wordless}
}
