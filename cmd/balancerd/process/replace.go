package process

import (
	"errors"
	"fmt"
	"time"

	"balancerd/proxy/exchange"
)

// died is the serving process's end that nobody asked for. Connections wait in the sockets until the next
// one serves; one that dies soon after its start is replaced more slowly each time.
func (s *supervisor) died() {
	s.child.end()
	s.forget()
	s.log("core", exchange.Notice, s.child.exitMessage())
	wait := s.deaths.next(s.child.lived())
	s.child = nil
	if wait > 0 {
		s.log("core", exchange.Error, fmt.Sprintf("balancerd: the serving process ended %d times soon after its start; the next is started in %v", s.deaths.fast, wait))
	}
	s.again = time.After(wait)
}

// replace starts the next serving process, with what the one before has left.
func (s *supervisor) replace() {
	s.again = nil
	err := s.spawn()
	if err == nil {
		err = s.child.send(s.remembered())
	}
	if err == nil {
		err = s.load(s.conf)
	}
	if err == nil {
		err = s.child.send(&message{Kind: msgServe})
	}
	switch {
	case err == nil:
		s.log("core", exchange.Notice, fmt.Sprintf("balancerd: process %d serves now", s.child.pid()))
	case errors.Is(err, errInterrupted):
	default:
		s.log("core", exchange.Crit, "balancerd: no process serves: "+s.Words(err))
		if s.child != nil {
			s.died()
			return
		}
		s.again = time.After(s.deaths.next(0))
	}
}

// remembered is what the serving process before has left, with its files.
func (s *supervisor) remembered() (*message, []int) {
	m := &message{Kind: msgBefore}
	var fds []int
	for k, fd := range s.state {
		m.Names, fds = append(m.Names, string(k)), append(fds, fd)
	}
	return m, fds
}

// deaths slows the replacement of processes that do not live.
type deaths struct{ fast int } // deaths in a row, each soon after its start

const (
	shortLife = 10 * time.Second // so long a process lives at least when all is well
	firstWait = 100 * time.Millisecond
	mostWait  = 10 * time.Second
)

// next is how long to wait after the death of a process that lived for a time.
func (d *deaths) next(lived time.Duration) time.Duration {
	if lived >= shortLife {
		d.fast = 0
	}
	d.fast++
	if d.fast == 1 {
		return 0
	}
	return min(firstWait<<min(d.fast-2, 10), mostWait)
}
