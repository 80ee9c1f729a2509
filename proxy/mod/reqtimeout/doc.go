// Package reqtimeout is mod_reqtimeout: how long a TLS handshake, and a request's head and body, may take, and at which rate they must come.
//
//	RequestReadTimeout handshake=5 header=20-40,MinRate=500 body=20,MinRate=500 --> Server.HandshakeRead, HeaderRead, BodyRead
//
// The connection's reader keeps to it (proxy/http1), and who shakes hands (proxy/mod/ssl). Reading order: module.go, settings.go.
package reqtimeout
