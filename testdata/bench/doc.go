// Command bench measures balancerd beside nginx, haproxy and httpd on this machine: CPU time per
// request, requests per second, latency, memory, and what configured features cost.
//
//	            wrk --> nginx     --+
//	(load.go)   wrk --> haproxy   --+--> two backends: one nginx, or this program   (backend.go)
//	            wrk --> httpd     --+    one member of other protocols              (member.go)
//	            wrk --> balancerd --+    built from this checkout
//	                      |
//	  /proc: CPU, memory  |  cases in turn, servers in turn within a round           (run.go)
//	                      v
//	               samples.tsv --medians--> table.md, chart.svg, README.md           (report.go, chart.go, readme.go)
//
// Every server balances over the same two backends, or asks the same member, with settings that mean the same; conf/ has
// them.
// CPU time is utime+stime of a server's whole process tree over the requests that it completed.
//
// Read main.go, cases.go (what is measured), servers.go (who), check.go (that each does what is asked), run.go,
// samples.go, then the tools: process.go, cert.go, load.go, idle.go, pick.go, profile.go.
package main
