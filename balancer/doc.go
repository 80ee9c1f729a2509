// Package balancer is the model: balancers, their members, who serves the next request, and what
// becomes of a member that fails. It knows no HTTP, no log and no configuration language.
//
//	            Claim(client, now)                      one lock for all members of a balancer:
//	                   |                                  status, lbset, lbstatus, elected, errors
//	    all in error?  |  recoverAll      failure.go    atomic, without it:
//	    method new?    |  sync            balancer.go     busy, bytes sent and read, settings
//	    session route? |  routed, charge  session.go    never under it:
//	                   |                  elect.go        I/O, the session id's search, News
//	    lbset 0, 1, …  |  gather: members, + a spare for
//	                   |          each missing one, else standbys
//	                   v
//	             Method.Best -> Worker -> Claim ... Fail? Claim again ... Done
//
//	Spec, WorkerSpec --Plan--> Plan --Commit--> Farm <--Apply-- Change     the manager
//	       (a load)              ^                 |  \
//	                          Record <---Store-----+   +--> Balancer, Worker: live on over reloads
//
// Counters are each process's own; settings may be shared through a Store that is a Watcher.
//
// Read status.go and settings.go (the nouns), param.go and its tables param_*.go (their words),
// worker.go, balancer.go, claim.go, elect.go, session.go, failure.go (one request), then farm.go,
// plan.go, commit.go (one load), change.go (one edit), record.go, store.go (what is kept);
// address.go and match.go are names of workers, method.go is what a policy may do.
package balancer
