// Package sink is where log lines end: a file, a program's standard input, or the system's log.
//
//	request --Append--> [ buffer, bounded ] --whoever finds nobody writing--> file, pipe that is not full
//	                         |         |
//	                         |         +------flusher, once a batch---------> full pipe, /dev/log, FIFO; all with BufferedLogs
//	                         |
//	                         +-- full: the line is dropped, counted, and the loss is reported
//
// A line is handed over under a short lock. As in httpd it is written at once: by its request, or by
// one that is writing already; nobody waits for the other. Of more than 4 in a millisecond the rest
// are written with the first line of the next, at the latest after 10 ms. What may have to wait (a
// program that does not read) is the flusher's, so that a stuck target costs lines and never a
// request. The targets of one load are shared by name in a Set; the next load opens its own, which is
// how logs are rotated. A program that died is started again.
//
// Read log.go, dropped.go, then set.go; file.go, program.go (with pipe.go) and syslog.go are the three targets; folder.go
// makes files where others may write, too, look.go asks whether one could be made; strftime.go writes times the C library's way, id.go ids.
package sink
