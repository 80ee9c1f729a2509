package server

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"

	"balancerd/proxy/internal/loop"
	"balancerd/proxy/recovery"
)

// goTransport is a connection that goroutines serve: one reads, one writes, and each stream has one. It is for
// connections that no event loop watches.
type goTransport struct {
	c       *conn
	nc      net.Conn
	kicked  chan struct{}
	written chan struct{} // closed when the one that writes is done

	mu       sync.Mutex
	lingers  bool // under mu: we have said our end
	lingerBy time.Time
}

func newGoTransport(c *conn, nc net.Conn) *goTransport {
	return &goTransport{c: c, nc: nc, kicked: make(chan struct{}, 1), written: make(chan struct{})}
}

func (l *goTransport) kick(*loop.Task) {
	select {
	case l.kicked <- struct{}{}:
	default:
	}
}

func (l *goTransport) begin(_ *loop.Task, st *stream) {
	recovery.Go("serving a stream of HTTP/2", func() { st.Run(nil) })
}

// serve serves the connection to its end, and waits for its exchanges.
func (l *goTransport) serve() {
	recovery.Go("writing to a client of HTTP/2", l.write)
	recovery.Do("reading from a client of HTTP/2", l.read)
	l.c.clientGone(nil)
	l.nc.SetDeadline(longAgo)
	l.kick(nil)
	<-l.written
}

// longAgo as a deadline ends a wait at once.
var longAgo = time.Unix(1, 0)

// read reads until the client is gone.
func (l *goTransport) read() {
	for {
		err := l.await()
		if err == nil {
			_, err = l.c.receive(nil, l.nc)
		}
		l.c.release()
		switch {
		case err == nil:
		case !errors.Is(err, os.ErrDeadlineExceeded), !l.wait():
			return
		}
	}
}

// await waits for the first byte of a frame, with nothing held meanwhile.
func (l *goTransport) await() error {
	if l.c.in != nil || !l.c.listens() {
		return nil
	}
	var one [1]byte
	n, err := l.nc.Read(one[:])
	if n > 0 {
		copy(l.c.room(), one[:])
		l.c.arrived(nil, n)
	}
	return err
}

// wait does what is due, and has the next read wait until something is again. false: nothing is read any more.
func (l *goTransport) wait() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	due := l.c.handleTimeouts(nil, now)
	if l.lingers {
		due = l.lingerBy.Sub(now)
	}
	if due <= 0 || l.c.isGone() {
		return false
	}
	l.nc.SetReadDeadline(now.Add(due))
	return true
}

// write writes what there is whenever the connection is kicked.
func (l *goTransport) write() {
	defer close(l.written)
	for !l.c.over() {
		<-l.kicked
		if !l.flush() {
			l.c.clientGone(nil)
			l.nc.SetDeadline(longAgo)
			continue
		}
		if l.c.isLast() {
			l.linger()
		}
		if !l.wait() {
			l.nc.SetDeadline(longAgo)
		}
	}
}

// flush writes all output. false: the client takes nothing.
func (l *goTransport) flush() bool {
	for !l.c.isGone() {
		w := l.c.take(nil)
		if len(w.b) == 0 {
			return true
		}
		l.nc.SetWriteDeadline(time.Now().Add(l.c.server.IOTimeout()))
		_, err := l.nc.Write(w.b)
		l.c.wrote(w)
		if err != nil {
			return false
		}
	}
	return true
}

// linger ends our direction: the client is to end its own, so that no reset destroys what is on its way.
func (l *goTransport) linger() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lingers {
		return
	}
	l.lingers, l.lingerBy = true, time.Now().Add(lingerTime)
	if c, ok := l.nc.(interface{ CloseWrite() error }); ok {
		l.nc.SetWriteDeadline(l.lingerBy)
		c.CloseWrite()
	}
}
