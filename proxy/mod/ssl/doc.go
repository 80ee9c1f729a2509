// Package ssl is mod_ssl on crypto/tls: TLS in front, with a configuration for each virtual host, and
// TLS towards members.
//
//	SSL… lines ─set.go─> settings.go ─┬─ Open ─> host.go    one for each virtual host with SSLEngine
//	                                  │            material.go key.go    certificates and their keys
//	                                  │            authority.go crl.go   who may sign a certificate
//	                                  │            responder.go validate.go staple.go   OCSP: of clients' certificates, of ours
//	                                  │            cipher.go protocol.go OpenSSL's words, Go's numbers
//	                                  │            ticket.go cache.go    resumption, within one host
//	                                  ├─ Accept ──> sitetls.go handshake.go   ClientHello -> host -> handshake -> state
//	                                  ├─ plan ────> step.go    Early: SNI and Host; Access: SSLRequire…; Fixup: SSL_ variables
//	                                  └─ Secure ──> member.go  SSLProxy…: one backend.TLS for each set of settings
//
// Reading order: settings.go, module.go, set.go, protocol.go, cipher.go, authority.go, crl.go, responder.go, validate.go, staple.go, material.go,
// key.go, ticket.go, cache.go, host.go, alpn.go, sitetls.go, handshake.go, compatible.go, step.go, require.go, naming.go, export.go, member.go.
package ssl
