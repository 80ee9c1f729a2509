package status

import (
	"strconv"
	"strings"

	"balancerd/proxy/exchange"
	http1 "balancerd/proxy/http1/server"
	"balancerd/proxy/server"
)

// Connections is the scoreboard of a server: it shows connections where httpd has workers, and loads of the
// configuration where httpd has processes.
func Connections(srv *server.Server) Scoreboard { return connections{srv} }

type connections struct{ server *server.Server }

var _ Scoreboard = connections{}

// stateOf is the letter of a connection's state.
var stateOf = map[http1.State]State{
	http1.Reading: Reading, http1.Serving: Sending, http1.KeepAlive: KeepingAlive,
	http1.Closing: Closing, http1.Tunneling: Sending,
}

// Snapshot reads the connections and the totals as they are now.
func (c connections) Snapshot() Snapshot {
	srv := c.server
	s := Snapshot{Started: srv.Started()}
	if now := srv.Site(); now != nil {
		s.Config, s.Generation = now.Generation+1, now.Generation
	}
	t := srv.Front().Totals()
	s.Accesses, s.Bytes, s.Duration = t.Requests, t.Bytes, t.Busy
	var now Load
	srv.Front().Each(func(i *http1.Info) {
		s.Slots = append(s.Slots, slot(i, s.Generation))
		s.States[stateOf[i.State]]++
		count(&now, i.State)
	})
	c.loads(&s, now)
	return s
}

// count adds a connection to l. A worker in httpd's sense is at work only while there is an exchange.
func count(l *Load, state http1.State) {
	l.Connections++
	switch state {
	case http1.KeepAlive:
		l.KeepAlive++
	case http1.Closing:
		l.Closing++
	case http1.Reading:
		l.WaitIO++
	default:
		l.Busy++
	}
}

// loads lists the configurations: the one in force has all connections but those whose exchange an
// older one still serves.
func (c connections) loads(s *Snapshot, now Load) {
	now.Accepting = true
	list := []Load{now}
	for _, l := range c.server.Loads() {
		if !l.Stopping {
			continue
		}
		n := int(l.Exchanges)
		list = append(list, Load{Stopping: true, Old: true, Connections: n, Graceful: n})
		list[0].Connections -= min(n, list[0].Connections)
		list[0].Busy -= min(n, list[0].Busy)
	}
	most := c.server.Site().Settings.MaxWorkers
	list[0].Idle = max(most-len(s.Slots), 0)
	s.States[Idle] = list[0].Idle
	s.Loads = list
}

func slot(i *http1.Info, generation int) Slot {
	return Slot{
		State: stateOf[i.State], Generation: generation, Kept: i.Requests, Accesses: int64(i.Requests), Since: i.Since, Took: i.Took, Duration: i.Spent,
		ConnBytes: i.Bytes, Bytes: i.Bytes, Client: i.Client, Protocol: strings.ToLower(i.Protocol), VHost: hostText(i.Server, i.Port), Request: i.Line,
	}
}

// hostText is a virtual host as the status page names it: with the port that the client reached, whatever
// ServerName says (httpd: scoreboard.c update_child_status_internal).
func hostText(s *exchange.Server, port int) string {
	if s == nil {
		return ""
	}
	return s.Name + ":" + strconv.Itoa(port)
}
