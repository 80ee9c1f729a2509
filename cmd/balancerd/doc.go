// Command balancerd serves an Apache httpd configuration, with three processes of one program:
//
//	            signals, systemd                                          clients, members
//	                  |                                                          |
//	main process: supervise.go, configuration.go            serving process: serve.go, load.go
//	  holds sockets, logs, the configuration,   --- link --->  bind, build, swap; serves as User,
//	  the pid file; nothing of the network      <-- link ---   replaced when it dies
//	                  |                            what the next one must know of balancers
//	                  | link
//	reader: reader.go, bundle.go
//	  parses, reads keys, opens logs, with all rights; ends with its work
//
//	main -> parseOptions -> -t, -S, -M, -L: check, print            check.go, load.go, dump.go
//	             |        `-- -k: ask the pid file                   control.go
//	             |        `-- start: the main process                daemon.go, supervise.go
//	             `-- demo, version                                   demo.go
//
// A link carries messages and open files (link.go lists them). With -X the three are parts of one process.
//
// Read supervise.go first, then load.go: the whole way from a configuration to what is served on one
// screen, which a check goes, too (check.go); then modules.go, the list of modules in order. partial.go
// completes what is only a part of a configuration; hints.go and doubt.go tell what is not obeyed, or will fail.
package main
