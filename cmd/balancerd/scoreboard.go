package main

import (
	"strconv"
	"strings"

	"balancerd/proxy/exchange"
	"balancerd/proxy/http1"
	"balancerd/proxy/mod/status"
)

// scoreboard is the server as mod_status shows it: connections where httpd has workers, loads of the
// configuration where it has processes.
type scoreboard struct{ p *program }

var _ status.Scoreboard = scoreboard{}

// states translates a connection's.
var states = map[http1.State]status.State{
	http1.Reading: status.Reading, http1.Serving: status.Sending, http1.KeepAlive: status.KeepingAlive,
	http1.Closing: status.Closing, http1.Tunneling: status.Sending,
}

// Snapshot is how things stand now.
func (b scoreboard) Snapshot() status.Snapshot {
	srv := b.p.server
	s := status.Snapshot{Started: srv.Started()}
	if now := srv.Site(); now != nil {
		s.Config, s.Generation = now.Generation+1, now.Generation
	}
	t := srv.Front().Totals()
	s.Accesses, s.Bytes, s.Duration = t.Requests, t.Bytes, t.Busy
	var now status.Load
	srv.Front().Each(func(i *http1.Info) {
		s.Slots = append(s.Slots, slot(i, s.Generation))
		s.States[states[i.State]]++
		count(&now, i.State)
	})
	b.loads(&s, now)
	return s
}

// count sorts a connection in. A worker in httpd's sense is at work only while there is an exchange.
func count(l *status.Load, state http1.State) {
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

// loads puts the configurations in: the one in force has all connections but those whose exchange an
// older one still serves.
func (b scoreboard) loads(s *status.Snapshot, now status.Load) {
	now.Accepting = true
	list := []status.Load{now}
	for _, l := range b.p.server.Loads() {
		if !l.Stopping {
			continue
		}
		n := int(l.Exchanges)
		list = append(list, status.Load{Stopping: true, Old: true, Connections: n, Graceful: n})
		list[0].Connections -= min(n, list[0].Connections)
		list[0].Busy -= min(n, list[0].Busy)
	}
	most := b.p.server.Site().Settings.MaxWorkers
	list[0].Idle = max(most-len(s.Slots), 0)
	s.States[status.Idle] = list[0].Idle
	s.Loads = list
}

func slot(i *http1.Info, generation int) status.Slot {
	return status.Slot{
		State: states[i.State], Generation: generation, Kept: i.Requests, Accesses: int64(i.Requests), Since: i.Since, Took: i.Took, Duration: i.Spent,
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
