package status

import (
	"strings"

	"balancerd/proxy/snapshot"
)

// letters are how httpd's scoreboard shows what a connection does, in the order of the line, and what ?notable prints
// (httpd: mod_status.c status_flags). A worker of httpd's is a connection here; one that carries another protocol
// sends.
var letters = [snapshot.States]struct {
	letter byte
	word   string
}{
	snapshot.Reading:   {'R', "Read"},
	snapshot.Serving:   {'W', "Write"},
	snapshot.Tunneling: {'W', "Write"},
	snapshot.Closing:   {'C', "Closing"},
	snapshot.KeepAlive: {'K', "Keepalive"},
}

// idleLetter is a worker that waits for a connection.
const idleLetter = '_'

// scoreboard is one letter a worker: those that serve a connection, then those that are idle.
func (v *view) scoreboard() string {
	var b strings.Builder
	b.Grow(v.BusyWorkers() + v.IdleWorkers())
	for _, s := range [...]snapshot.State{snapshot.Reading, snapshot.Serving, snapshot.Tunneling, snapshot.Closing, snapshot.KeepAlive} {
		for range v.Connections[s] {
			b.WriteByte(letters[s].letter)
		}
	}
	for range v.IdleWorkers() {
		b.WriteByte(idleLetter)
	}
	return b.String()
}

// BusyWorkers is how many workers in httpd's sense serve somebody: one a connection.
func (v *view) BusyWorkers() (n int) {
	for _, count := range v.Connections {
		n += count
	}
	return n
}

// IdleWorkers is what the connections leave of MaxRequestWorkers.
func (v *view) IdleWorkers() int { return max(v.MaxWorkers-v.BusyWorkers(), 0) }

// process is the work of one configuration: where httpd has a child process.
type process struct {
	Stopping    bool
	Connections int
	Busy        int // requests under way, and tunnels
	Graceful    int // requests of a configuration that is stopping
	Idle        int // how many more connections may come
	WaitIO      int // connections whose first request is awaited, or arriving
	Writing     int // connections that still write a response after its request ended: none here
	KeepAlive   int // connections that wait for the next request
	Closing     int // connections in lingering close
}

// Processes are one a configuration: the one in force has all connections but those whose request an older one still
// serves.
func (v *view) Processes() []process {
	n := &v.Connections
	now := process{
		Connections: v.BusyWorkers(), Busy: n[snapshot.Serving] + n[snapshot.Tunneling], Idle: v.IdleWorkers(),
		WaitIO: n[snapshot.Reading], KeepAlive: n[snapshot.KeepAlive], Closing: n[snapshot.Closing],
	}
	list := []process{now}
	for _, g := range v.Generations {
		if !g.Stopping {
			continue
		}
		list = append(list, process{Stopping: true, Connections: g.Requests, Graceful: g.Requests})
		list[0].Connections -= min(g.Requests, list[0].Connections)
		list[0].Busy -= min(g.Requests, list[0].Busy)
	}
	return list
}

// Stopping is how many processes take no new connections.
func (v *view) Stopping() (n int) {
	for _, g := range v.Generations {
		if g.Stopping {
			n++
		}
	}
	return n
}

// Total is the line of sums below the processes.
func (v *view) Total() (t process) {
	for _, p := range v.Processes() {
		t.Connections += p.Connections
		t.WaitIO += p.WaitIO
		t.Writing += p.Writing
		t.KeepAlive += p.KeepAlive
		t.Closing += p.Closing
	}
	t.Busy, t.Idle = v.BusyWorkers(), v.IdleWorkers()
	return t
}
