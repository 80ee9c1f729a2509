// Package looptest is for the tests of packages whose code runs in event loops.
//
//	TestMain --> Main: run the tests; a blocking call in a loop, which its watchdog sees, fails them
//	a test   --> Do: code that is to run as a task of a loop
package looptest
