package loop

import (
	"net/netip"
	"sync"
	"syscall"
	"time"

	"balancerd/proxy/internal/sys"
	"balancerd/proxy/recovery"
)

// Accept says what becomes of the connections of a listener. Its functions are called by the loops.
type Accept struct {
	// Job makes the job of a connection; nil: there is nothing to do. One that computes for long at first
	// is offLoop: it begins beside the loop.
	Job func(conn uintptr, remote netip.AddrPort) (j Job, offLoop bool)
	// HasRoom reports whether there will be room for another connection beside that with this descriptor.
	// While there is none the listener is suspended.
	HasRoom func(conn uintptr) bool
	// Failed is told why nothing can be accepted, once until something is again.
	Failed func(syscall.Errno)
}

// listener is a listening socket that a loop watches.
type listener struct {
	Accept
	fd   *Fd
	loop *Loop

	pause time.Duration // the last one; owned by who runs the loop, and by reopen while it is suspended

	mu     sync.Mutex
	closed bool
}

// batchSize is how many connections are accepted at a time.
const batchSize = 16

// The pauses after a failed accept, when the system is out of descriptors or memory.
const (
	firstPause = 5 * time.Millisecond
	lastPause  = time.Second / 2
)

// Listen has the loops accept connections of listening sockets, each loop of one of fds. stop ends that and
// closes fds; after an error they are closed, too.
func (g *Group) Listen(fds []uintptr, a Accept) (stop func(), err error) {
	var listeners []*listener
	stop = func() {
		for _, d := range listeners {
			d.close()
		}
		for _, n := range fds[len(listeners):] {
			sys.Close(n)
		}
	}
	for i, n := range fds {
		d := &listener{fd: g.NewFd(n), loop: g.list[i%len(g.list)], Accept: a}
		d.fd.listener = d
		listeners = append(listeners, d)
		if err := d.watch(); err != nil {
			stop()
			return nil, err
		}
	}
	return stop, nil
}

// Len is how many loops there are.
func (g *Group) Len() int { return len(g.list) }

func (d *listener) watch() error { return d.loop.add(d.fd, epollIn|epollExclusive) }

// close closes the listener's descriptor.
func (d *listener) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	d.loop.group.fds.set(d.fd.n, nil)
	sys.Close(d.fd.N())
}

// acceptBatch accepts the connections that are there, up to batchSize, and begins their jobs. false: the loop
// is another goroutine's; the listener tells it of what is left.
func (l *Loop) acceptBatch(d *listener) bool {
	for range batchSize {
		conn, remote, e := d.accept()
		switch e {
		case 0:
			full := !d.HasRoom(conn)
			if full {
				d.suspend(syscall.EMFILE)
			} else {
				d.pause = 0
			}
			j, offLoop := d.Job(conn, remote)
			switch {
			case j == nil:
			case offLoop:
				l.runOffLoop(j)
			case !l.runJob(j):
				return false
			}
			if full {
				return true
			}
		case syscall.EAGAIN:
			return true
		case syscall.ECONNABORTED:
		default:
			d.suspend(e)
			return true
		}
	}
	return true
}

// accept is one connection; EAGAIN: none is there, or the listener is closed.
func (d *listener) accept() (conn uintptr, remote netip.AddrPort, e syscall.Errno) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return 0, remote, syscall.EAGAIN
	}
	return sys.Accept(d.fd.N())
}

// suspend has no loop watch the listener for a while: longer each time.
func (d *listener) suspend(e syscall.Errno) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return
	}
	if d.pause == 0 {
		d.Failed(e)
	}
	d.pause = min(max(2*d.pause, firstPause), lastPause)
	d.loop.unwatch(d.fd)
	recovery.AfterFunc(d.pause, reopening, d.reopen)
}

// reopening is what reopen does, as logs name it.
const reopening = "opening a listener again"

// reopen has the loop watch the listener again once there is room; else it tries later.
func (d *listener) reopen() {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.closed:
	case !d.canAccept():
		d.pause = min(2*d.pause, lastPause)
		recovery.AfterFunc(d.pause, reopening, d.reopen)
	case d.watch() != nil:
		recovery.AfterFunc(lastPause, reopening, d.reopen)
	}
}

// canAccept reports whether there is room for a connection: it makes a descriptor, asks, and closes it.
func (d *listener) canAccept() bool {
	n, e := sys.Dup(d.fd.N())
	if e != 0 {
		return false
	}
	defer sys.Close(n)
	return d.HasRoom(n)
}
