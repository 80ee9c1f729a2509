// Package logfile is where log lines end: a file, a program's standard input, or the system's log.
//
//	request --Append--> [ buffer, bounded ] --flusher, once a batch--> file
//	                         |                                         | pipe -> program (started again when it dies)
//	                         +-- full: the line is dropped, counted,   | /dev/log
//	                             and the loss is reported
//
// A line is handed over under a short lock and written by somebody else a few milliseconds later,
// so that a slow disk or a stuck program costs lines and never a request. The targets of one load
// are shared by name in a Set; the next load opens its own, which is how logs are rotated.
//
// Read log.go, then set.go; file.go, program.go and syslog.go are the three targets; strftime.go
// writes times the C library's way.
package logfile
