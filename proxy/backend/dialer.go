package backend

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"time"

	"balancerd/balancer"
	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/loop"
)

// dialer opens connections for one call.
type dialer struct {
	timeout time.Duration // of one connect
	alive   bool          // the system is to look whether the other side is still there
	receive int           // SO_RCVBUF; 0: the system's
	source  netip.Addr    // our end of TCP; invalid: the system chooses
	task    *loop.Task    // whose event loop waits for the connect; nil: the goroutine does
}

// endpoint is where a connection leads: a TCP address or a unix socket.
type endpoint struct {
	addr netip.AddrPort
	path string
}

func (p endpoint) network() string {
	if p.path != "" {
		return "unix"
	}
	return "tcp"
}

func (p endpoint) String() string {
	if p.path != "" {
		return p.path
	}
	return p.addr.String()
}

// socket is a connection that was just opened: of the net package, or fd if that is nil, an event loop's.
type socket struct {
	nc net.Conn
	fd own
}

// dialerOf is the dialer of an exchange. An event loop waits for a connect to a member in plain text; a handshake, or a
// proxy that is to be asked for a tunnel, are waited for beside it, and who goes away while nobody can be told of it.
func dialerOf(ctx context.Context, x *exchange.Exchange, set *balancer.WorkerSettings, call *Call, to target) *dialer {
	d := newDialer(set, call)
	if _, ok := ctx.(exchange.Abortable); !Secure(to.scheme) && to.remote == nil && (ok || ctx.Done() == nil) {
		d.task = taskOf(x)
	}
	if d.task == nil {
		x.Block()
	}
	return d
}

// newDialer is one that waits as a goroutine.
func newDialer(set *balancer.WorkerSettings, call *Call) *dialer {
	return &dialer{timeout: connectTimeoutOf(set, call), alive: set.KeepAlive.V, receive: set.ReceiveBufferSize.V, source: call.Source}
}

// reachAny tries the addresses in order. Each failure is logged; that of the last one is an error, the
// others are worth a debug line. Who asks may go away meanwhile: then no further one is tried.
func (d *dialer) reachAny(ctx context.Context, x *exchange.Exchange, call *Call, to target, list []netip.Addr) (s socket, at netip.Addr, err error) {
	for i, a := range list {
		there := endpoint{addr: netip.AddrPortFrom(a, to.port)}
		if s, err = d.reach(ctx, there); err == nil {
			return s, a, nil
		}
		level, gone := exchange.Debug, ctx.Err() != nil
		if i == len(list)-1 && !gone {
			level = call.failure()
		}
		x.LogServer("proxy", level, err, "AH00957: "+call.function(to.scheme)+": attempt to connect to "+there.String()+" ("+to.host+":"+strconv.Itoa(int(to.port))+") failed")
		if gone {
			break
		}
	}
	return socket{}, netip.Addr{}, err
}

// reach connects. When there is no descriptor for it, connections that idle make room; when as many wait for a unix
// socket's owner to accept them as may, it is tried again as long as a connect may take, where httpd holds the member for
// broken.
func (d *dialer) reach(ctx context.Context, to endpoint) (s socket, err error) {
	if s, err = d.reachOnce(ctx, to); !to.full(err) {
		return s, err
	}
	by := time.Now().Add(d.timeout)
	for pause := leastPause; to.full(err) && ctx.Err() == nil; pause = min(2*pause, mostPause) {
		left := time.Until(by)
		if left <= 0 {
			break
		}
		d.task.Sleep(min(pause, left))
		s, err = d.reachOnce(ctx, to)
	}
	return s, err
}

// How long to pause before a full socket is tried again.
const (
	leastPause = 5 * time.Millisecond
	mostPause  = 80 * time.Millisecond
)

// full reports whether an error of connect says that a unix socket takes no further connection at the moment.
func (p endpoint) full(err error) bool { return p.path != "" && errors.Is(err, syscall.EAGAIN) }

// reachOnce is reach without patience.
func (d *dialer) reachOnce(ctx context.Context, to endpoint) (s socket, err error) {
	err = makingRoom(func() (err error) {
		s, err = d.open(ctx, to)
		return err
	})
	if err == nil {
		s.makeRoom()
	}
	return s, err
}

// dialNet connects as any goroutine does.
func (d *dialer) dialNet(ctx context.Context, to endpoint) (socket, error) {
	n := net.Dialer{Timeout: d.timeout, KeepAlive: -1}
	if d.alive {
		n.KeepAlive, n.KeepAliveConfig = 0, net.KeepAliveConfig{Enable: true}
	}
	if d.source.IsValid() && to.path == "" {
		n.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(d.source, 0))
	}
	if d.receive > 0 {
		n.Control = receiveBuffer(d.receive)
	}
	nc, err := n.DialContext(ctx, to.network(), to.String())
	return socket{nc: nc}, err
}
