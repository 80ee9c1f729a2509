package hostname

import (
	"context"
	"strings"
	"sync"
	"time"

	"balancerd/proxy/exchange"
)

// Cache is the names of addresses, by what the caller has of an address. Safe for use by many.
type Cache[K comparable] struct {
	// Lookup asks for the name, which may take Limit: in lower case as First has it, or what stands for none.
	Lookup func(ctx context.Context, address K) string
	Age    time.Duration // how long a name holds, or that there is none
	Limit  time.Duration // how long a look-up may take

	mu    sync.Mutex
	known map[K]entry // under mu; at most maxNames
}

type entry struct {
	name  string
	until time.Time
}

// maxNames is how many addresses are remembered. One more, and all are forgotten.
const maxNames = 4096

// Known is the name that is remembered of an address.
func (c *Cache[K]) Known(address K) (name string, ok bool) {
	c.mu.Lock()
	e, ok := c.known[address]
	c.mu.Unlock()
	return e.name, ok && time.Now().Before(e.until)
}

// Of is the name of an address, which must not be a view into a request. When it has to be asked for, an event loop
// that serves x goes on without it. What a look-up says that ends with ctx is not remembered: others may ask again.
func (c *Cache[K]) Of(ctx context.Context, x *exchange.Exchange, address K) string {
	if name, ok := c.Known(address); ok {
		return name
	}
	x.Block()
	limited, cancel := context.WithTimeout(ctx, c.Limit)
	defer cancel()
	name := c.Lookup(limited, address)
	if ctx.Err() != nil {
		return name
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil || len(c.known) >= maxNames {
		c.known = map[K]entry{}
	}
	c.known[address] = entry{name, time.Now().Add(c.Age)}
	return name
}

// First is the first of the names that a name server gave, in lower case and without its final dot; "" for none.
func First(names []string, err error) string {
	if err != nil || len(names) == 0 {
		return ""
	}
	return strings.ToLower(strings.TrimSuffix(names[0], "."))
}
