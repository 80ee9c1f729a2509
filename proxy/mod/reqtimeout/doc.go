// Package reqtimeout is mod_reqtimeout: how long a request's head and body may take, and at which rate they must come.
//
//	RequestReadTimeout header=20-40,MinRate=500 body=20,MinRate=500 --> Server.HeaderRead, Server.BodyRead
//
// The connection's reader keeps to it (proxy/http1). Reading order: module.go, settings.go.
package reqtimeout
