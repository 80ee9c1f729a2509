// Package process is the server's three processes, and what goes between them.
//
//	main process: supervise.go, replace.go      starts the others, obeys signals, replaces the serving process
//	   |          configuration.go              one load of the configuration as it holds it
//	   |
//	   |  child.go: roles, how a process is started; link.go: messages with open files
//	   |
//	   +--> reader: reader.go, bundle.go        reads the configuration and keys, opens logs; ends with its work
//	   |
//	   `--> serving process: serve.go           serves as User (credentials.go), loads by Program.Load (program.go)
//	                         handover.go        what the main process hands over for a load
//
// Read supervise.go first, then configuration.go and serve.go side by side: each message of link.go has one sender
// and one receiver. With -X the three are parts of one process.
//
// Around them: launcher.go is a start in the background, control.go, pidfile.go and alive.go are -k, notify.go speaks to
// systemd, announce.go and log.go write the server's own lines, holders.go and listen.go say who has a port,
// gctuner.go and trim_linux.go (elsewhere trim_other.go) mind memory.
package process
