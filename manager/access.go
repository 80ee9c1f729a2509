package manager

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"balancerd/balancer"
)

// nonceHeader lets a program edit without a Referer: its value is the balancer's nonce, which a page of
// another site can neither know nor send.
const nonceHeader = "X-Balancer-Nonce"

// trusted reports whether the request's parameters may count at all: it has none, or it comes from a
// page of this server, or it shows a nonce that no foreign page could send (httpd:
// mod_proxy_balancer.c safe_referer).
func (v *visit) trusted() bool {
	return len(v.form) == 0 || sameHost(v.r.Header.Get("Referer"), v.facts.ServerName) || v.knowsNonce()
}

// knowsNonce reports whether the header has the nonce of one of the balancers.
func (v *visit) knowsNonce() bool {
	token := v.r.Header.Get(nonceHeader)
	return token != "" && slices.ContainsFunc(v.all, func(b *balancer.Balancer) bool { return b.Accepts(token) })
}

// authorised reports whether the request may change the selected balancer.
func (v *visit) authorised() bool {
	if token := v.r.Header.Get(nonceHeader); token != "" {
		return v.selected.Accepts(token)
	}
	nonce, ok := v.form.get("nonce")
	return ok && v.selected.Accepts(nonce)
}

// referer is the header for the log.
func (v *visit) referer() string {
	if list := v.r.Header["Referer"]; len(list) > 0 {
		return list[0]
	}
	return "(null)"
}

// sameHost reports whether url has an authority that names host, whatever its scheme, port and path; it needs no scheme.
func sameHost(url, host string) bool {
	scheme, rest, ok := strings.Cut(url, "//")
	if !ok || strings.ContainsAny(scheme, "/?#") || scheme == ":" || scheme != "" && !strings.HasSuffix(scheme, ":") {
		return false
	}
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		rest = rest[:i]
	}
	rest = rest[strings.LastIndexByte(rest, '@')+1:]
	name := unbracket(hostName(rest))
	return name != "" && strings.EqualFold(name, unbracket(host))
}

func unbracket(host string) string {
	return strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
}

// refusal is why an edit was not made.
type refusal struct {
	status int
	reason string
}

func refused(status int, reason string) *refusal { return &refusal{status, reason} }

// json writes the refusal for a program.
func (f *refusal) json(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(f.status)
	json.NewEncoder(w).Encode(map[string]string{"error": f.reason})
}
