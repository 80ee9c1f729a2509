// Package cli is the command line of balancerd, which is httpd's, and what is printed there.
//
//	argv --> options.go --> Options --> command.go --> Command --> failure.go   why nothing is served
//	   `---> subcommand.go                                |------> dump.go      -L, -V, -S, -M, -t -D DUMP_…
//	                                                      `------> usage.go, version.go
//
// Read options.go, then command.go. layout.go has the folders that distributions compile in; envvars.go does
// what Debian's apachectl does before it calls httpd.
package cli
