package method

import "balancerd/balancer"

// Builtin is the table of methods, in the order in which the manager's form lists them. Without a
// Heartbeat of its own the server has no use for that one's file; see Heartbeat.
func Builtin(h *Heartbeat) []balancer.Method {
	return []balancer.Method{h.Method(), ByRequests(), ByBusyness(), ByTraffic()}
}
