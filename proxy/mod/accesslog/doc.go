// Package accesslog is mod_log_config and mod_logio: what is written of each request, and where.
//
//	LogFormat, CustomLog --compile--> [ piece | piece | piece ]     once a load
//	                                      |       |       |
//	exchange over ----------------------> 127.0.0.1 - - "GET / HTTP/1.1" 200 5 --> sink.Log
//
// A format becomes a slice of small functions, each of which appends its part of the line; a line
// allocates nothing and does no I/O.
//
// Read format.go, then letter.go, the table of the format's letters; time.go, escape.go and hostname.go are
// parts of it. module.go has the directives, log.go says which logs a server writes.
package accesslog
