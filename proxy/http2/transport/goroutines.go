package transport

import (
	"bytes"
	"errors"
	"net"
	"os"
	"sync"
	"time"

	"balancerd/proxy/internal/loop"
	"balancerd/proxy/recovery"
)

// Goroutines is a connection that goroutines serve: one reads, one writes. It is for connections that no event loop watches.
type Goroutines struct {
	e       Endpoint
	nc      net.Conn
	kicked  chan struct{}
	written chan struct{} // closed when the one that writes is done

	mu       sync.Mutex
	lingers  bool // under mu: we have said our end
	lingerBy time.Time
}

var _ Transport = (*Goroutines)(nil)

// NewGoroutines is the transport of an endpoint on a connection; Serve runs it.
func NewGoroutines(e Endpoint, nc net.Conn) *Goroutines {
	return &Goroutines{e: e, nc: nc, kicked: make(chan struct{}, 1), written: make(chan struct{})}
}

// Kick is Transport's.
func (l *Goroutines) Kick(*loop.Task) {
	select {
	case l.kicked <- struct{}{}:
	default:
	}
}

// Serve serves the connection to its end, and waits until nobody uses it any more.
func (l *Goroutines) Serve() {
	l.e.Hello(nil)
	recovery.Go("writing on a connection of HTTP/2", l.write)
	recovery.Do("reading from a connection of HTTP/2", l.read)
	l.e.Lost(nil)
	l.nc.SetDeadline(longAgo)
	l.Kick(nil)
	<-l.written
}

// longAgo as a deadline ends a wait at once.
var longAgo = time.Unix(1, 0)

// read reads until the other side is gone.
func (l *Goroutines) read() {
	for {
		err := l.await()
		if err == nil {
			_, err = l.e.Receive(nil, l.nc)
		}
		l.e.Release()
		switch {
		case err == nil:
		case !errors.Is(err, os.ErrDeadlineExceeded), !l.wait():
			return
		}
	}
}

// await waits for the first byte of a frame, with nothing held meanwhile.
func (l *Goroutines) await() error {
	if l.e.Holds() {
		return nil
	}
	var one [1]byte
	n, err := l.nc.Read(one[:])
	if n > 0 {
		l.e.Receive(nil, bytes.NewReader(one[:]))
	}
	return err
}

// wait does what is due, and has the next read wait until something is again. false: nothing is read any more.
func (l *Goroutines) wait() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.e.HandleTimeouts(nil, now)
	due := l.e.Due(now)
	if l.lingers {
		due = l.lingerBy.Sub(now)
	}
	if due <= 0 || l.e.Gone() {
		return false
	}
	l.nc.SetReadDeadline(now.Add(due))
	return true
}

// write writes what there is whenever the connection is kicked.
func (l *Goroutines) write() {
	defer close(l.written)
	for !l.e.Over() {
		<-l.kicked
		if !l.flush() {
			l.e.Lost(nil)
			l.nc.SetDeadline(longAgo)
			continue
		}
		if l.e.Last() {
			l.linger()
		}
		if !l.wait() {
			l.nc.SetDeadline(longAgo)
		}
	}
}

// flush writes all output. false: the other side takes nothing.
func (l *Goroutines) flush() bool {
	for !l.e.Gone() {
		w := l.e.Take(nil)
		if len(w.B) == 0 {
			return true
		}
		l.nc.SetWriteDeadline(time.Now().Add(l.e.Timeout()))
		_, err := l.nc.Write(w.B)
		l.e.Wrote(w)
		if err != nil {
			return false
		}
	}
	return true
}

// linger ends our direction: the other side is to end its own, so that no reset destroys what is on its way.
func (l *Goroutines) linger() {
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
