package backend

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"balancerd/proxy/exchange"
)

// Call is what a Backend must know of an attempt beyond the worker's settings and x.Out. Package
// upstream fills one for each exchange (it may live in a pooled value); it must stay as it is until the
// exchange ends. The zero value is good: it means the worker's own address and 60 seconds.
type Call struct {
	// Where to connect, for workers without an address of their own (generic, ProxyPassMatch with $1 in
	// the host). An empty Host means the worker's address.
	Scheme string // lower case
	Host   string // without the brackets of IPv6
	Port   uint16
	Socket string // path of a unix socket; goes before Host

	Timeout   time.Duration                   // of each read and write when the worker has no timeout=: ProxyTimeout, else Timeout; 0: 60 s
	Connect   time.Duration                   // of connecting when the worker has neither connectiontimeout= nor timeout=; 0: Timeout
	Source    netip.Addr                      // ProxySourceAddress; invalid: the system chooses
	BadHeader BadHeader                       // ProxyBadHeader
	Interim   Interim                         // proxy-interim-response
	HalfClose bool                            // no proxy-nohalfclose: a tunnel's half-close is passed on
	Idle      time.Duration                   // how long a tunnel may be silent: the larger of the client's Timeout and the worker's; 0: none
	Later     bool                            // time has passed since x.Start: another attempt failed, or a member was waited for
	GivesUp   func(status int) bool           // answers whose body nobody will read: their connection ends (ProxyErrorOverride); nil: none
	TLS       *TLS                            // of SSLProxyEngine; nil: https members fail with NoTLS
	Via       func(*exchange.Exchange) string // the Via field of an interim answer that is passed on; nil for none
	Name      string                          // the server name for TLS; "" for Host. With ProxyPreserveHost the client's Host
	Check     *Check                          // of a health check; nil: traffic
	Remote    *Remote                         // another proxy on the way (ProxyRemote); nil: none
}

// Check says that a call is a health check's: its connection is one of its own, beside those that max= counts, and
// what comes of it changes neither the member's error nor its figures.
type Check struct {
	Name  string // what lines of the log call it: "HCOH", "HCTCP", "HCCPING"
	Known bool   // it is known that the member can't be reached: a line about that is worth debug
}

// function is who connects, as lines of the log call it (httpd: proxy_function).
func (c *Call) function(scheme string) string {
	switch {
	case c.Check != nil:
		return c.Check.Name
	case scheme == exchange.H2:
		return "H2"
	case scheme == exchange.H2C:
		return "H2C"
	case scheme == "ajp", scheme == "fcgi", scheme == "scgi":
		return strings.ToUpper(scheme)
	}
	return scheme
}

// failure is how grave it is that a member can't be reached.
func (c *Call) failure() exchange.Level {
	if c.Check != nil && c.Check.Known {
		return exchange.Debug
	}
	return exchange.Error
}

// BadHeader is ProxyBadHeader: what to do with an invalid header line of a member.
type BadHeader uint8

// Settings of ProxyBadHeader.
const (
	BadHeaderIsError BadHeader = iota
	BadHeaderIgnore
	BadHeaderStartBody
)

// Interim is what becomes of a member's 1xx answers (httpd: mod_proxy_http.c, the variable
// proxy-interim-response).
type Interim uint8

// Settings of proxy-interim-response.
const (
	InterimRelay    Interim = iota // default: passed on, 100 only if the client asked for it
	InterimRFC                     // every one is passed on
	InterimSuppress                // none is passed on
)

// TLS makes a connection to a member secure. One value stands for one set of SSLProxy* settings:
// pooled connections are kept apart by its identity. Immutable but for Retire.
type TLS struct {
	// Client wraps a fresh TCP connection and shakes hands, with name as the server's, and offers these
	// protocols (ALPN). It must not read beyond what TLS needs.
	Client func(ctx context.Context, c net.Conn, name string, protocols ...string) (net.Conn, error)

	// Renegotiates says that the member may begin another handshake in between (TLS 1.2, to ask for a
	// certificate): such connections are read and written beside the event loops.
	Renegotiates bool

	retired atomic.Bool
}

// offLoop reports whether the connections of a call to such a member are no event loop's, whoever serves the
// exchange.
func (c *Call) offLoop(scheme string) bool {
	return c.TLS != nil && c.TLS.Renegotiates && Secure(scheme)
}

// Retire says that the configuration it is of is no longer in force: its connections are not kept any
// more, and those that idle are closed.
func (t *TLS) Retire() {
	t.retired.Store(true)
	idles.soon()
}

// Retired reports whether Retire was called; false for none.
func (t *TLS) Retired() bool { return t != nil && t.retired.Load() }
