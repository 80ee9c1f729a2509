// Package upstream takes requests to members: which ProxyPass line maps a path, which worker serves the URL, what
// the member's request looks like, what follows a failure, and what becomes of the response. What the directives
// say comes from mod/proxy, once for each server (Upstreams) and for each chain of sections (SectionSettings).
//
//	load      NewLines, NewWorkers: tables, once for each server that has lines and workers of its own
//	          Upstreams.Compile: what serves the lines here       Upstreams.AddTo: steps and handler of a Plan
//
//	request   mapper -----------> handler
//	          path to URL         resolveTarget   URL to balancer or worker, and request target
//	                              pick <----.
//	                              buildRequest    | failed: its outcome lets another worker try
//	                              backend --'
//	                              finish          override, reverse, Via
//
// Reading order: upstreams.go (what there is for a server), line.go, route.go, lines.go and paths.go (the lines and
// how one is found), mapping.go (path to URL; match.go and servlet.go for prefixes), workers.go (which worker serves
// a URL), handler.go (the loop of attempts), state.go (what is remembered between phases),
// protocol.go (what member protocols do each in its own way) with ajp.go, fcgi.go, plaincgi.go (SCGI, uwsgi),
// target.go, url.go and canon.go, forwarded.go, forwards.go, plain.go and env.go (the member's request), outcome.go,
// failover.go and status.go (when an attempt fails), reverse.go and override.go (the response), observe.go (what an
// observer is told of lines and picks), block.go (ProxyBlock), remote.go (ProxyRemote), forward.go (a forward proxy, CONNECT), memo.go
// (small tables).
package upstream
