// Package method has httpd's lbmethods: which of the candidates serves a request.
//
//	balancer: members -> candidates  --Pick-->  method: candidates -> one
//	  sets, states, spares, standbys              byrequests  the one that is owed most
//	  (balancer/elect.go)                         bytraffic   the one that moved least
//	                                              bybusyness  the one with fewest requests under way
//	                                              heartbeat   at random, by idle threads
//
// A policy is one file of forty lines; heartbeat.go picks by what the file of mod_heartmonitor says (storage.go), or by
// what beats.go keeps of the reports. Read method.go, the table, then any of them.
package method
