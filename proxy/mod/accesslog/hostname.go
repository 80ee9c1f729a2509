package accesslog

import (
	"context"
	"net"
	"strings"
	"sync"
	"time"

	"balancerd/proxy/exchange"
)

// names finds the host names of clients, for %h with HostnameLookups, and remembers them. The response
// is out already when a line is written; only the connection's next request waits.
type names struct {
	lookup func(ctx context.Context, ip string) ([]string, error)

	mu    sync.Mutex
	known map[string]hostname // by address; bounded
}

type hostname struct {
	name  string // the address when it has no name
	until time.Time
}

const (
	maxNames   = 4096
	nameAge    = 10 * time.Minute
	lookupTime = 2 * time.Second
)

func newNames() *names {
	return &names{lookup: net.DefaultResolver.LookupAddr, known: map[string]hostname{}}
}

// of is the name of an address in lower case, or the address (httpd: core.c ap_get_useragent_host).
func (n *names) of(x *exchange.Exchange, ip string) string {
	n.mu.Lock()
	h, ok := n.known[ip]
	n.mu.Unlock()
	if ok && time.Now().Before(h.until) {
		return h.name
	}
	x.Block()
	h = hostname{n.ask(ip), time.Now().Add(nameAge)}
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.known) >= maxNames {
		clear(n.known)
	}
	n.known[strings.Clone(ip)] = h
	return h.name
}

func (n *names) ask(ip string) string {
	ctx, cancel := context.WithTimeout(context.Background(), lookupTime)
	defer cancel()
	found, err := n.lookup(ctx, strings.Clone(ip))
	if err != nil || len(found) == 0 {
		return strings.Clone(ip)
	}
	return strings.ToLower(strings.TrimSuffix(found[0], "."))
}
