package backend

import (
	"context"

	"balancerd/balancer"
	"balancerd/proxy/exchange"
)

// Scheme is one line of the table of schemes.
type Scheme struct {
	Name    string // lower case
	TLS     bool   // members are spoken to through Call.TLS
	Backend Backend
}

// Table is the schemes that members may have; the first of a name counts. It is a Backend itself, by
// the scheme of the Call or, when that has none, of the worker.
type Table []Scheme

// Find is a scheme's line, nil for none.
func (t Table) Find(name string) *Scheme {
	for i := range t {
		if t[i].Name == name {
			return &t[i]
		}
	}
	return nil
}

// RoundTrip hands the exchange to the scheme's backend.
func (t Table) RoundTrip(ctx context.Context, w *balancer.Worker, x *exchange.Exchange, call *Call) error {
	to := targetOf(w, call)
	s := t.Find(to.scheme)
	if s == nil {
		return &Failure{Kind: BadScheme, Host: to.host, Port: to.port, Detail: to.scheme}
	}
	return s.Backend.RoundTrip(ctx, w, x, call)
}

var _ Backend = Table(nil)

// target is where a call goes.
type target struct {
	scheme string
	host   string
	port   uint16
	socket string
	own    bool    // the worker's own address, or a socket: it can be kept, and connections to it
	aside  bool    // a socket that is not the worker's: connections to it are kept apart
	remote *Remote // another proxy, by which the host is reached; nil: directly
}

func targetOf(w *balancer.Worker, call *Call) target {
	a := w.Address()
	to := target{scheme: a.Scheme, host: a.Host, port: a.Port, socket: a.Socket, own: !a.Varies, remote: call.Remote}
	if call.Scheme != "" {
		to.scheme = call.Scheme
	}
	if call.Host != "" || call.Socket != "" {
		to.aside = call.Socket != "" && call.Socket != a.Socket
		to.own = to.own && (to.aside || call.Host == a.Host && call.Port == a.Port && call.Socket == a.Socket)
		to.host, to.port, to.socket = call.Host, call.Port, call.Socket
	}
	return to
}

// Secure reports whether the scheme's members are spoken to in TLS.
func Secure(scheme string) bool { return scheme == "https" || scheme == "wss" || scheme == "h2" }
