package socket

import (
	"net/netip"
	"sync"
	"syscall"
	"time"

	"balancerd/proxy/recovery"
)

// door is a listener that a loop takes connections off.
type door struct {
	fd    *Fd
	loop  *Loop
	job   func(conn uintptr, remote netip.AddrPort) (j Job, long bool)
	room  func(conn uintptr) bool
	fault func(syscall.Errno)

	pause time.Duration // owned by who runs the loop, or by again while the door rests

	mu     sync.Mutex
	closed bool
}

// batch is how many connections are taken at a time.
const batch = 16

// The waits after a failed accept, when the system is out of descriptors or memory.
const (
	firstPause = 5 * time.Millisecond
	lastPause  = time.Second / 2
)

// Listen has one loop after the other take connections off listening sockets, of which each gets one
// of fds, and do the job that is made of each; nil: there is none. A long job computes for long at
// first: that is done beside the loop. room tells whether there is room for more after a connection with
// this descriptor; without it, and when the system has none, the listener rests. fault is told why nothing
// could be accepted, once. The result ends that, and closes fds.
func (g *Loops) Listen(fds []uintptr, job func(conn uintptr, remote netip.AddrPort) (j Job, long bool), room func(conn uintptr) bool,
	fault func(syscall.Errno)) (stop func(), err error) {
	var doors []*door
	stop = func() {
		for _, d := range doors {
			d.close()
		}
		for _, n := range fds[len(doors):] {
			Close(n)
		}
	}
	for i, n := range fds {
		d := &door{fd: g.NewFd(n), loop: g.list[i%len(g.list)], job: job, room: room, fault: fault}
		d.fd.door = d
		doors = append(doors, d)
		if err := d.open(); err != nil {
			stop()
			return nil, err
		}
	}
	return stop, nil
}

// Len is how many loops there are.
func (g *Loops) Len() int { return len(g.list) }

func (d *door) open() error { return d.loop.add(d.fd, epollIn|epollExclusive) }

// close closes the listener's descriptor.
func (d *door) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	d.loop.group.fds.set(d.fd.n, nil)
	Close(d.fd.N())
}

// admit takes connections off a listener, as many as are there and can be served at once.
func (l *Loop) admit(d *door) bool {
	for range batch {
		conn, remote, e := d.accept()
		switch e {
		case 0:
			full := !d.room(conn)
			if full {
				d.rest(syscall.EMFILE)
			} else {
				d.pause = 0
			}
			j, long := d.job(conn, remote)
			switch {
			case j == nil:
			case long:
				l.beside(j)
			case !l.start(j):
				return false
			}
			if full {
				return true
			}
		case syscall.EAGAIN:
			return true
		case syscall.ECONNABORTED:
		default:
			d.rest(e)
			return true
		}
	}
	return true
}

// accept takes one.
func (d *door) accept() (conn uintptr, remote netip.AddrPort, e syscall.Errno) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return 0, remote, syscall.EAGAIN
	}
	return Accept(d.fd.N())
}

// rest leaves the listener alone for a while: longer each time.
func (d *door) rest(e syscall.Errno) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return
	}
	if d.pause == 0 {
		d.fault(e)
	}
	d.pause = min(max(2*d.pause, firstPause), lastPause)
	d.loop.forget(d.fd)
	recovery.AfterFunc(d.pause, reopening, d.again)
}

// reopening is what again does.
const reopening = "opening a listener again"

// again opens the door after a rest; what keeps it from that now may not do so later.
func (d *door) again() {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.closed:
	case !d.roomy():
		d.pause = min(2*d.pause, lastPause)
		recovery.AfterFunc(d.pause, reopening, d.again)
	case d.open() != nil:
		recovery.AfterFunc(lastPause, reopening, d.again)
	}
}

// roomy tells whether there is room for a connection: it asks for its descriptor, and gives it back.
func (d *door) roomy() bool {
	n, e := Dup(d.fd.N())
	if e != 0 {
		return false
	}
	defer Close(n)
	return d.room(n)
}
