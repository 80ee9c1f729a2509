// Package remoteip is mod_remoteip: whose address a request has when proxies that are trusted stand in front.
//
//	connection's peer 127.0.0.1          X-Forwarded-For: 9.9.9.9, 198.51.100.4, 10.0.0.1
//	      |                                                 <----------------------------
//	      |  is it in the lists?  RemoteIPInternalProxy, RemoteIPTrustedProxy    network.go
//	      v
//	the last element that is left is the client, is it in the lists? …           walk.go
//	      |
//	      v
//	x.SetClient: logs (%a), Require ip, expressions (REMOTE_ADDR), X-Forwarded-For to members
//	x.Conn stays: %{c}a, CONN_REMOTE_ADDR
//
// The PROXY protocol says it for a connection: where it is spoken protocol.go decides, http1/server reads its header in
// front of TLS, wire.ParseProxyHeader takes it apart.
//
// Reading order: module.go, settings.go, network.go, walk.go, protocol.go.
package remoteip
