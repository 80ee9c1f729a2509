// Package snapshot is one reading of a running server: its clients' connections, its totals, its balancers with their
// members and the pools of connections to them. Whatever shows the state of the server to somebody (server-status as a
// page and as ?auto; what else reads figures of a whole server) reads it here, so that the same figure is the same
// everywhere.
//
//	proxy/http1/server: each connection ----.
//	proxy/server: generations, totals ------+--> Source --> Server (server.go)
//	balancer.Farm, proxy/backend: pools ----'          '--> Balancer, Member (members.go)
//
// A reading costs one pass over the connections, or the members, that it tells of; nothing is counted for it in
// advance. Within a connection, and within a member, the figures belong together (each is read under its lock); between
// two of them time passes. The sums of a reading are made of what it lists.
//
// Reading order: server.go, members.go.
package snapshot
