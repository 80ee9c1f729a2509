// Package demo is `balancerd demo`: three small members, and a balancer in front of them on the quickstart
// configuration.
//
//	quickstart.conf --> demo.go: Run --> process.Supervise
//	                       `--> members.go: three servers, one page (demo.html)
package demo
