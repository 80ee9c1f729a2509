// Package tunnel joins two connections: what comes in on one goes out on the other, until both have
// ended.
//
//	client ──> relay ──> member      two tasks of the event loop that serves both sides, else two goroutines;
//	client <── relay <── member      a buffer only while bytes are moving; splice where both ends are sockets
//
// Read tunnel.go, ending.go, relay.go, relay_linux.go (elsewhere relay_other.go), loop_linux.go, secure_linux.go.
package tunnel
