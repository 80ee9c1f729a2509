// Command balancerd serves an Apache httpd configuration, with three processes of one program:
//
//	            signals, systemd                                          clients, members
//	                  |                                                          |
//	main process: process/supervise.go                       serving process: process/serve.go, load.go
//	  holds sockets, logs, the configuration,   --- link --->  bind, build, swap; serves as User,
//	  the pid file; nothing of the network      <-- link ---   replaced when it dies
//	                  |                            what the next one must know of balancers
//	                  | link
//	reader: process/reader.go
//	  parses, reads keys, opens logs, with all rights; ends with its work
//
//	main.go -> cli.Parse -> -t, -S, -M, -L: check, print         check.go, load.go, cli/dump.go
//	              |     `-- -k: ask the pid file                  process/control.go
//	              |     `-- start: the main process               process/launcher.go, process/supervise.go
//	              `-- demo, version                               cli/subcommand.go, demo/demo.go
//
// Read main.go first, then load.go: the whole way from a configuration to what is served on one screen, which a
// check goes, too (check.go); then modules.go, the list of modules in order. Packages below: cli is the command line
// and what is printed there, process the server's processes, hints what is said of a configuration, fragment what a
// part of a configuration is completed with, demo the demonstration.
package main
