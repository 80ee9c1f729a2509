package exchange

import (
	"sync"
	"sync/atomic"
)

// A request comes from two addresses: that of the connection's peer (Conn.Remote, Conn.RemoteIP), and that of the
// client, for whom the peer may stand (Exchange.ClientIP, ClientPort): the same unless mod_remoteip knows better.

// SetClient notes for whom the connection's peer stands. port is 0 when it is not known.
func (x *Exchange) SetClient(ip string, port uint16) {
	x.ClientIP, x.Port, x.Relayed = ip, port, true
	x.Conn.last.set(ip)
}

// SetClientHost notes the client's host name, which was looked up and leads back to its address: others need not look it
// up again, and logs have it (httpd: conn_rec.remote_host, request_rec.useragent_host). name is not of a request's buffers.
func (x *Exchange) SetClientHost(name string) {
	if x.Relayed {
		x.HostName = name
	} else {
		x.Conn.host.Store(&name)
	}
}

// ClientHost is the client's host name, if one is known; "" for none.
func (x *Exchange) ClientHost() string {
	if x.Relayed {
		return x.HostName
	}
	return x.Conn.Host()
}

// Host is the peer's host name, if one is known; "" for none.
func (c *Conn) Host() string {
	if h := c.host.Load(); h != nil {
		return *h
	}
	return ""
}

// ClientPort is the client's port; 0 when it is not known.
func (x *Exchange) ClientPort() uint16 {
	if x.Relayed {
		return x.Port
	}
	return x.Conn.Remote.Port()
}

// Announced is the client that a connection's PROXY header names: the peer, when it names none.
type Announced struct {
	IP   string
	Port uint16
}

// lastClient is the client's address of a connection's latest request, where it is not the peer's: what others than
// the connection's own goroutine may see.
type lastClient struct {
	told atomic.Bool
	mu   sync.Mutex
	n    int      // under mu
	text [46]byte // under mu
}

func (l *lastClient) set(ip string) {
	l.mu.Lock()
	l.n = copy(l.text[:], ip)
	l.mu.Unlock()
	l.told.Store(true)
}

// NextClient forgets whom the peer stood for in the request before.
func (c *Conn) NextClient() {
	if c.last.told.Load() {
		c.last.told.Store(false)
	}
}

// LastClient is the client's address of the latest request. Any goroutine may ask.
func (c *Conn) LastClient() string {
	if !c.last.told.Load() {
		return c.RemoteIP
	}
	c.last.mu.Lock()
	defer c.last.mu.Unlock()
	return string(c.last.text[:c.last.n])
}
