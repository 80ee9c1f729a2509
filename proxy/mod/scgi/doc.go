// Package scgi is what mod_proxy_scgi's directives say of SCGI members; the members are proxy/scgi's.
//
//	ProxySCGISendfile ─────────.
//	ProxySCGIInternalRedirect ─┴─ merged for a chain of sections ──> scgi.Settings, which a step leaves with the exchange
//	proxy-scgi-pathinfo, as SetEnvIf has set it, is read by that step, too: SetEnv comes later
//
// Reading order: module.go.
package scgi
