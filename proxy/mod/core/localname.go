package core

import (
	"context"
	"net"
	"net/netip"
	"time"

	"balancerd/proxy/exchange"
	"balancerd/proxy/hostname"
)

// localNames finds the host names of this machine's addresses, for UseCanonicalName DNS: an address without one stands for
// itself (httpd: core.c ap_get_server_name, getnameinfo).
var localNames = &hostname.Cache[netip.Addr]{Lookup: nameOrAddress, Age: 10 * time.Minute, Limit: 2 * time.Second}

func nameOrAddress(ctx context.Context, a netip.Addr) string {
	if name := hostname.First(net.DefaultResolver.LookupAddr(ctx, a.String())); name != "" {
		return name
	}
	return a.String()
}

// localName is the name of this end of the client's connection; "" where it has no address.
func localName(x *exchange.Exchange) string {
	a := x.Conn.Local.Addr().Unmap()
	if !a.IsValid() {
		return ""
	}
	return localNames.Of(context.Background(), x, a)
}
