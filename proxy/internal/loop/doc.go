// Package loop is event loops for Linux: each waits for its sockets by epoll, and serves them by coroutines. On
// other systems each connection has a goroutine, and only Stream's texts and Task's empty methods are here.
//
//	        epoll_wait
//	Loop ────────────────> Fd: who waits for this direction (pollDesc)?
//	  ^                     ├─ a Task: a coroutine, resumed inside the loop's goroutine
//	  │                     ├─ parked: its Job begins in an idle Task
//	  └────── yield ────────┘─ nobody: the event is marked for who waits next
//
// A task's job may touch what its loop owns only while it holds the loop; the watchdog takes the loop from a job
// that does not come back within milliseconds, and a job that knows that it may block says so (Task.Block;
// exchange.Exchange.Block above this package). owner_linux.go has the states, and the table of all transitions.
// A job that panics is over, and its loop goes on (package recovery).
//
// Little work is done by few loops: a socket that may move is passed on, between two jobs, to one of those in use
// (spread_linux.go).
//
// A Stream is reads and writes with timeouts: an FdStream waits as a task of a loop, a PollStream by the runtime's
// poller. A Conn is an Fd as crypto/tls wants one: below TLS with clients, and with members once they have shaken
// hands.
//
// Whatever may block and is no read or write of such a socket is announced by Block: blocking_test.go holds the
// sources below proxy/ against that, and ReportBlocking has the watchdog fail tests in which a job blocks.
//
// Reading order: owner_linux.go, task_linux.go, loop_linux.go, pollerwait_linux.go, polldesc_linux.go, fd_linux.go, fdtable_linux.go,
// wheel_linux.go, queue_linux.go, spread_linux.go, sleep_linux.go, runqueue_linux.go, event_linux.go, watchdog_linux.go, audit_linux.go, offloop_linux.go, listener_linux.go;
// stream.go, splicing_linux.go, connect_linux.go, fdstream_linux.go, pollstream_linux.go, conn_linux.go, tlsrecord.go; other.go, event_other.go.
package loop
