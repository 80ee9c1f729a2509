// Package server owns the sockets and says which site serves: it is what stays when a configuration
// is loaded anew.
//
//	Swap(next) ── open new sockets ── next.Commit ── one pointer ── close the sockets that nobody names
//	               may fail: nothing                    |
//	               has happened yet                     v
//	http1.Server ──> App: Serve, Done ──────────> generation ──> site.Site
//	                                                 |
//	the old generation closes its site (its logs) when the last of its exchanges is over;
//	what the site holds besides is given up as soon as these are tunnels alone, which may last for days
//
// Connections outlive a reload, the clients' and the members': an exchange is served by the site that
// was in force when it began.
//
// Read server.go, then generation.go; listen.go and sockets.go (as the main process holds them) are
// the sockets, other_linux.go brings HTTP/2 to the event loops.
package server
