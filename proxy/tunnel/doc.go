// Package tunnel joins two connections: what comes in on one goes out on the other, until both have
// ended.
//
//	client ──> relay ──> member      two goroutines; a buffer only while bytes are moving,
//	client <── relay <── member      splice where both ends are sockets
//
// Read tunnel.go, then relay_linux.go.
package tunnel
