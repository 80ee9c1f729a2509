package accesslog

import (
	"context"
	"net"
	"time"

	"balancerd/proxy/hostname"
)

// names finds the host names of clients, for %h with HostnameLookups: an address without one stands for itself
// (httpd: core.c ap_get_useragent_host). The response is out already when a line is written; only the connection's next
// request waits.
var names = &hostname.Cache[string]{Lookup: nameOrAddress, Age: 10 * time.Minute, Limit: 2 * time.Second}

func nameOrAddress(ctx context.Context, ip string) string {
	if name := hostname.First(net.DefaultResolver.LookupAddr(ctx, ip)); name != "" {
		return name
	}
	return ip
}
