package proxy

import (
	"context"
	"slices"
	"strings"
	"time"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/upstream"
)

// lookupAtLoad bounds the time that an unknown word of ProxyBlock may cost a load.
const lookupAtLoad = 3 * time.Second

func setBlock(s *directive.Scope, a directive.Args) error {
	c := servers.In(s)
	word := a.Words[0]
	if slices.ContainsFunc(c.blocked, func(b upstream.BlockedHost) bool { return strings.EqualFold(b.Name, word) }) {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookupAtLoad)
	defer cancel()
	c.blocked = append(c.blocked, upstream.BlockedHost{Name: word, Addrs: upstream.AddressesOf(ctx, word)})
	return nil
}
