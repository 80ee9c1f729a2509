//go:build !linux

package server

import "balancerd/proxy/exchange"

// staysFor is false here: there are no event loops.
func (*stream) staysFor(exchange.Tunnel) bool { return false }
