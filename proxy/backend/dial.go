package backend

import (
	"context"
	"errors"
	"net"
	"net/netip"
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

// dial opens a connection to the target, which begins with a PROXY header unless that is "": to the unix socket, or to the
// first of the host's addresses that accepts one. When none does and the name may have moved, it is looked up once more
// (httpd: proxy_util.c ap_proxy_connect_backend).
func (p *pool) dial(ctx context.Context, x *exchange.Exchange, call *Call, to target, header string) (*Conn, error) {
	set := p.worker.Settings()
	d := dialerOf(ctx, x, set, call, to)
	fail := func(kind Kind, err error) error { return unreached(ctx, kind, err, to) }
	if to.socket != "" {
		s, err := d.reach(ctx, endpoint{path: to.socket})
		if err != nil {
			x.LogServer("proxy", call.failure(), err, x.Arena.Join("AH02454: ", call.function(to.scheme), ": attempt to connect to Unix domain socket ", to.socket,
				" (", to.host, ":", x.Arena.Int(int64(to.port)), ") failed"))
			return nil, fail(Refused, err)
		}
		return p.connected(ctx, x, s, netip.Addr{}, call, to, header)
	}
	if to.remote != nil {
		nc, err := to.remote.connect(ctx, d, x, call, to)
		if err != nil {
			return nil, err
		}
		return p.connected(ctx, x, socket{nc: nc}, netip.Addr{}, call, to, header)
	}
	list, err := p.addresses(ctx, x, d, set, to)
	if err != nil {
		return nil, fail(NoName, err)
	}
	began := time.Now()
	s, addr, err := d.reachAny(ctx, x, call, to, list)
	if err != nil && ctx.Err() == nil && !localShortage(err) && to.named() && len(list) > 0 {
		x.Block()
		patient, cancel := context.WithTimeout(ctx, d.timeout)
		defer cancel()
		if again, changed := p.addrs.again(patient, to.host, set, list, began); changed {
			s, addr, err = d.reachAny(ctx, x, call, to, again)
		}
	}
	if err != nil {
		return nil, fail(Refused, err)
	}
	return p.connected(ctx, x, s, addr, call, to, header)
}

// addresses are those of the target's host: known, or looked up for no longer than a connect may take.
func (p *pool) addresses(ctx context.Context, x *exchange.Exchange, d *dialer, set *balancer.WorkerSettings, to target) ([]netip.Addr, error) {
	if list := p.addrs.known(to.host, set, to.own); list != nil {
		return list, nil
	}
	x.Block()
	return p.lookup(ctx, d.timeout, set, to)
}

// unreached is the failure of an attempt that came to no connection.
func unreached(ctx context.Context, kind Kind, err error, to target) error {
	switch {
	case ctx.Err() != nil: // who asks went away: the member is not to blame
		kind = Exhausted
	case localShortage(err):
		kind = Starved
	}
	return &Failure{Kind: kind, Err: err, Host: to.host, Port: to.port}
}

// Addresses is where a call would connect, in that order, as far as that is known by addresses: not of a unix socket, nor by another
// proxy. A name is looked up, and kept, as for the connection itself. It may take as long as a connect. The error is a *Failure.
func Addresses(ctx context.Context, w *balancer.Worker, call *Call) ([]netip.Addr, error) {
	to := targetOf(w, call)
	if to.socket != "" || to.remote != nil {
		return nil, nil
	}
	set := w.Settings()
	list, err := poolOf(w).lookup(ctx, connectTimeoutOf(set, call), set, to)
	if err != nil {
		return nil, unreached(ctx, NoName, err, to)
	}
	return list, nil
}

// lookup finds the addresses, in no longer time than a connect may take. A lookup that fails for want of a descriptor does not
// say so.
func (p *pool) lookup(ctx context.Context, patience time.Duration, set *balancer.WorkerSettings, to target) (list []netip.Addr, err error) {
	if list := p.addrs.known(to.host, set, to.own); list != nil {
		return list, nil
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

// named reports whether the target has a name that is looked up for the worker, and may come to lead elsewhere.
func (to target) named() bool {
	_, ok := literal(to.host, to.own)
	return to.own && !ok
}

// connected makes a Conn of a fresh connection, in TLS if the scheme wants that. Both begin behind the header.
func (p *pool) connected(ctx context.Context, x *exchange.Exchange, s socket, addr netip.Addr, call *Call, to target, header string) (*Conn, error) {
	c, err := p.wrapped(ctx, x, s, addr, call, to, header)
	if err != nil {
		return nil, err
	}
	c.announced = announcedBy(x, header)
	if header != "" && !Secure(to.scheme) {
		if err := c.announce(x, call); err != nil {
			c.close()
			return nil, unannounced(err, to)
		}
	}
	p.counted()
	return c, nil
}

// wrapped is connected, but for a header that is not in front of TLS.
func (p *pool) wrapped(ctx context.Context, x *exchange.Exchange, s socket, addr netip.Addr, call *Call, to target, header string) (*Conn, error) {
	if s.nc == nil {
		return p.own(s.fd, addr), nil
	}
	nc, base := s.nc, s.nc
	if Secure(to.scheme) {
		base = under(x, s.nc, call, to.scheme)
		timeout := timeoutOf(p.worker.Settings(), call)
		err := announce(base, header, timeout)
		if err != nil {
			s.nc.Close()
			return nil, unannounced(err, to)
		}
		if nc, err = shakeHands(ctx, s.nc, base, call, to, timeout); err != nil {
			return nil, err
		}
	}
	c := p.adopt(x, nc, s.nc, base, addr, call, to.scheme)
	if c == nil {
		c = newConn(p, nc, s.nc, addr)
	}
	if nc != s.nc {
		c.tls, c.name = call.TLS, strings.Clone(call.Name) // it outlives the exchange
	}
	return c, nil
}

// counted tells the worker of another connection.
func (p *pool) counted() {
	if !p.checks {
		p.worker.Connected()
	}
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
		return nil, &Failure{Kind: Handshake, Err: err, Host: to.host, Port: to.port, Detail: plain.RemoteAddr().String()}
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
