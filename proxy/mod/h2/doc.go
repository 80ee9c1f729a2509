// Package h2 is what a configuration says of HTTP/2: mod_http2's directives. The protocol itself is
// spoken by proxy/http2.
//
//	H2MaxSessionStreams … ──Open──> exchange.Server.HTTP2 ──> http2/server, by virtual host
//	                                        later, behind who may still change a request:
//	H2EarlyHint         ──build──> fixup: 103 Early Hints before the handler
//	H2Upgrade           ──build──> fixup: 101, behind which the connection goes on in HTTP/2
//
// Reading order: module.go, settings.go, step.go, ignored.go.
package h2
