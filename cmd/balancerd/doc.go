// Command balancerd serves an Apache httpd configuration.
//
//	main -> parseOptions -> check: parse, bind, build          load.go
//	             |             |-- -t, -S, -M, -L: print       dump.go
//	             |             |-- -k: ask the pid file        control.go
//	             |             `-- serve                       serve.go, signals.go, pace.go
//	             `-- demo, version                             demo.go
//
// Read load.go first: the whole way on one screen; then modules.go, the list of modules in order.
package main
