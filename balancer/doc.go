// Package balancer is the model: balancers, their members, who serves the next request, and what
// becomes of a member that fails. It knows no HTTP, no log and no configuration language.
//
// A request:
//
//	        Claim(client, now)                      one lock for all members of a balancer:
//	               |                                  status, lbset, lbstatus, elected, errors
//	all in error?  |  recoverAll      failure.go    atomic, without it:
//	method new?    |  sync            balancer.go     busy, bytes sent and read, settings
//	session route? |  routed, accountSticky         never under it:
//	               |                  elect.go        I/O, the session id's search, Method.Data
//	many members?  |  pickIndexed     index.go
//	lbset 0, 1, …  |  gather: members, + a spare for
//	               |          each missing one, else standbys
//	               v
//	   Method.Best(Pick) -> Worker -> Claim ... Fail? Claim again ... Done
//
// A load, an edit, and what is kept:
//
//	Spec, WorkerSpec --Plan--> Plan --Commit--> Farm <--Apply-- Change       the manager
//	       (a load)     ^                      |    |
//	                 Record                    |    +--> Balancer, Worker: live on over reloads
//	                    |                      |
//	                  Store <-- SettingsRecord |  by Apply, which waits for it; a revision an edit
//	                        <-- StateRecord ---+  by Keep, every few seconds
//	                 Memory <-- rows, edits ---+  at once, for the process that takes over
//
// Farm.mu is held while a plan or an edit takes effect, never while a Store writes. Edits that come while a Store writes are
// written together. State is each node's own; settings may be shared through a Store that is a Watcher.
//
// Read status.go and settings.go (the nouns), param.go and its tables param_*.go (their words),
// worker.go, balancer.go, claim.go, elect.go, index.go, session.go, failure.go (one request), check.go (what health checks
// say), explain.go (why a member was not chosen), then farm.go, plan.go, planner.go, commit.go (one load), change.go (one edit), record.go, restore.go, save.go,
// store.go (what is kept), adopt.go (another node's edit), memory.go (a successor of this process);
// address.go and match.go are names of workers, method.go is what a policy may do, attach.go what lives
// as long as a worker, counter.go requests under way, opt.go and value.go values of parameters.
package balancer
