// Package method has httpd's lbmethods: which of the candidates serves a request.
//
//	balancer: members -> candidates          method: candidates -> one
//	  sets, states, spares, standbys           byrequests  the one that is owed most
//	  (balancer/elect.go)                      bytraffic   the one that moved least
//	                                           bybusyness  the one with least under way
//	                                           heartbeat   by lot, by idle threads
//
// A policy is one file of forty lines. Read method.go, the table, then any of them.
package method
