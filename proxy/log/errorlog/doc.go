// Package errorlog writes httpd's error log: ErrorLog, ErrorLogFormat, and the lines themselves.
//
//	x.Log(…) --LogEntry--> Log.Write --layout--> "[Sat Nov 21 05:07:55.688451 2026] [proxy:error] …" --> sink.Log
//	                                    |
//	                                    +-- default.go, or the items of format.go
//
// Whether LogLevel lets a message pass was decided before it comes here (exchange.Log). What comes
// from a client is escaped, so that a line of the log is always a line of ours.
//
// Read log.go, then default.go and format.go; item.go is the table of ErrorLogFormat's letters,
// module.go the directives, dropped.go tells of lines that are lost.
package errorlog
