package backend

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"time"

	"balancerd/balancer"
	"balancerd/proxy/exchange"
)

// defaultTimeout is httpd's Timeout.
const defaultTimeout = 60 * time.Second

// timeoutOf is how long one read or write may take: timeout=, else ProxyTimeout, else Timeout.
func timeoutOf(set *balancer.WorkerSettings, call *Call) time.Duration {
	switch {
	case set.Timeout.Set:
		return set.Timeout.V
	case call.Timeout > 0:
		return call.Timeout
	}
	return defaultTimeout
}

// IOTimeout is how long one read or write of a call may take.
func IOTimeout(w *balancer.Worker, call *Call) time.Duration { return timeoutOf(w.Settings(), call) }

// ConnectTimeout is how long connecting to one address may take, for a call.
func ConnectTimeout(w *balancer.Worker, call *Call) time.Duration {
	return connectTimeoutOf(w.Settings(), call)
}

// connectTimeoutOf is how long connecting to one address may take.
func connectTimeoutOf(set *balancer.WorkerSettings, call *Call) time.Duration {
	switch {
	case set.ConnectTimeout.Set:
		return set.ConnectTimeout.V
	case set.Timeout.Set:
		return set.Timeout.V
	case call.Connect > 0:
		return call.Connect
	}
	return timeoutOf(set, call)
}

// dial opens a connection to the target that begins with a PROXY header, unless that is "": to the unix socket, or to the first of the host's addresses
// that accepts one. When none does and the name may have moved, it is looked up once more
// (httpd: proxy_util.c ap_proxy_connect_backend).
func (p *pool) dial(ctx context.Context, x *exchange.Exchange, call *Call, to target, header string) (*Conn, error) {
	set := p.worker.Settings()
	d := dialer(set, call)
	fail := func(kind Kind, err error) error {
		switch {
		case ctx.Err() != nil: // who asks went away: the member is not to blame
			kind = Exhausted
		case localShortage(err):
			kind = Starved
		}
		return &Failure{Kind: kind, Err: err, Host: to.host, Port: to.port}
	}
	if to.socket != "" {
		nc, err := reach(ctx, d, "unix", to.socket)
		if err != nil {
			x.LogServer("proxy", call.failure(), err, x.Arena.Join("AH02454: ", call.function(to.scheme), ": attempt to connect to Unix domain socket ", to.socket,
				" (", to.host, ":", x.Arena.Int(int64(to.port)), ") failed"))
			return nil, fail(Refused, err)
		}
		return p.connected(ctx, x, nc, netip.Addr{}, call, to, header)
	}
	if to.remote != nil {
		nc, err := to.remote.connect(ctx, d, x, call, to)
		if err != nil {
			return nil, fail(Refused, err)
		}
		return p.connected(ctx, x, nc, netip.Addr{}, call, to, header)
	}
	list, err := p.lookup(ctx, d.Timeout, set, to)
	if err != nil {
		return nil, fail(NoName, err)
	}
	began := time.Now()
	nc, addr, err := dialAny(ctx, d, x, call, to, list)
	if err != nil && to.own && len(list) > 0 && !isLiteral(to.host) {
		patient, cancel := context.WithTimeout(ctx, d.Timeout)
		defer cancel()
		if again, changed := p.addrs.again(patient, to.host, set, list, began); changed {
			nc, addr, err = dialAny(ctx, d, x, call, to, again)
		}
	}
	if err != nil {
		return nil, fail(Refused, err)
	}
	return p.connected(ctx, x, nc, addr, call, to, header)
}

// lookup finds the addresses, in no longer time than a connect may take. A lookup that fails for want of a descriptor does not
// say so.
func (p *pool) lookup(ctx context.Context, patience time.Duration, set *balancer.WorkerSettings, to target) (list []netip.Addr, err error) {
	if a, err := netip.ParseAddr(to.host); err == nil {
		return []netip.Addr{a}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err = makingRoom(func() (err error) {
		list, err = p.addrs.find(ctx, to.host, set, to.own)
		if err != nil && starved() {
			return syscall.EMFILE
		}
		return err
	})
	return list, err
}

// reach connects. When there is no descriptor for it, connections that idle make room.
func reach(ctx context.Context, d *net.Dialer, network, place string) (nc net.Conn, err error) {
	err = makingRoom(func() (err error) {
		nc, err = d.DialContext(ctx, network, place)
		return err
	})
	if err == nil {
		makeRoomFor(nc)
	}
	return nc, err
}

// localShortage reports a want of our own: no descriptor, port or memory was left to connect with. No member is
// to blame for it; httpd blames, so that a crowd of clients takes all members out.
func localShortage(err error) bool {
	for _, e := range [...]error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.EADDRNOTAVAIL} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func isLiteral(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

func dialer(set *balancer.WorkerSettings, call *Call) *net.Dialer {
	d := &net.Dialer{Timeout: connectTimeoutOf(set, call), KeepAlive: -1}
	if set.KeepAlive.V {
		d.KeepAlive = 0
		d.KeepAliveConfig = net.KeepAliveConfig{Enable: true}
	}
	if call.Source.IsValid() {
		d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(call.Source, 0))
	}
	if n := set.ReceiveBufferSize.V; n > 0 {
		d.Control = receiveBuffer(n)
	}
	return d
}

// dialAny tries the addresses in order. Each failure is logged; that of the last one is an error, the
// others are worth a debug line.
func dialAny(ctx context.Context, d *net.Dialer, x *exchange.Exchange, call *Call, to target, list []netip.Addr) (nc net.Conn, at netip.Addr, err error) {
	for i, a := range list {
		place := netip.AddrPortFrom(a, to.port).String()
		if nc, err = reach(ctx, d, "tcp", place); err == nil {
			return nc, a, nil
		}
		level := exchange.Debug
		if i == len(list)-1 && ctx.Err() == nil {
			level = call.failure()
		}
		x.LogServer("proxy", level, err, "AH00957: "+call.function(to.scheme)+": attempt to connect to "+place+" ("+to.host+":"+strconv.Itoa(int(to.port))+") failed")
	}
	return nil, netip.Addr{}, err
}

// connected makes a Conn of a fresh connection, in TLS if the scheme wants that, behind the header.
func (p *pool) connected(ctx context.Context, x *exchange.Exchange, nc net.Conn, addr netip.Addr, call *Call, to target, header string) (*Conn, error) {
	plain, base := nc, nc
	if secure(to.scheme) {
		base = under(x, plain, call, to.scheme)
	}
	if header != "" {
		if err := announce(base, header, timeoutOf(p.worker.Settings(), call)); err != nil {
			plain.Close()
			return nil, &Failure{Kind: WriteHead, Err: err, Host: to.host, Port: to.port, Timeout: IsTimeout(err)}
		}
	}
	if secure(to.scheme) {
		var err error
		if nc, err = shakeHands(ctx, plain, base, call, to, timeoutOf(p.worker.Settings(), call)); err != nil {
			return nil, err
		}
	}
	if !p.checks {
		p.worker.Connected()
	}
	a := announcedBy(x, header)
	c := p.adopt(x, nc, plain, base, addr, call, to.scheme, len(header))
	if c == nil {
		c = newConn(p, nc, plain, addr, len(header))
	}
	c.announced = a
	if nc != plain {
		c.tls, c.name = call.TLS, strings.Clone(call.Name) // it outlives the exchange
	}
	return c, nil
}

// shakeHands makes a connection secure, beside the event loops: plain does it, below base.
func shakeHands(ctx context.Context, plain, base net.Conn, call *Call, to target, timeout time.Duration) (net.Conn, error) {
	if call.TLS == nil {
		plain.Close()
		return nil, &Failure{Kind: NoTLS, Host: to.host, Port: to.port, Detail: plain.RemoteAddr().String()}
	}
	name := call.Name
	if name == "" {
		name = to.host
	}
	plain.SetDeadline(time.Now().Add(timeout))
	nc, err := call.TLS.Client(ctx, base, name, protocols(to.scheme)...)
	if err != nil {
		plain.Close()
		return nil, &Failure{Kind: Handshake, Err: err, Host: to.host, Port: to.port}
	}
	plain.SetDeadline(time.Time{})
	return nc, nil
}

// protocols are what a member is asked to speak, by ALPN.
func protocols(scheme string) []string {
	if scheme == exchange.H2 {
		return []string{exchange.H2}
	}
	return nil
}
