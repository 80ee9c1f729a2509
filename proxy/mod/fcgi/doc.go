// Package fcgi is what mod_proxy_fcgi's directives say of FastCGI members; the members are proxy/fcgi's.
//
//	ProxyFCGIBackendType ──.
//	ProxyFCGISetEnvIf ─────┴─ merged for a chain of sections ──> fcgi.Settings, which a step leaves with the exchange
//	proxy-fcgi-pathinfo, as SetEnvIf has set it, is read by that step, too: SetEnv comes later
//
// Reading order: module.go, settings.go, edit.go.
package fcgi
