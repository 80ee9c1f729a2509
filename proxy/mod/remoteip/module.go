package remoteip

import (
	"fmt"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// Module is mod_remoteip. It stands in front of all that goes by the client's address, and behind mod_headers' early
// edits, which put themselves in front.
func Module() site.Module {
	return site.Module{Name: "remoteip", Open: open, Reads: []string{"remoteip"}, Table: directive.Table{
		{Name: "RemoteIPHeader", Set: setHeader, Help: "the request field that names the client"},
		{Name: "RemoteIPProxiesHeader", Set: setProxiesHeader, Help: "the request field that gets the proxies' addresses"},
		{Name: "RemoteIPInternalProxy", Set: addProxy(true), Help: "proxies that may name any client"},
		{Name: "RemoteIPTrustedProxy", Set: addProxy(false), Help: "proxies that may name clients of the internet"},
		{Name: "RemoteIPInternalProxyList", File: directive.ReadsFile, Set: readProxies(true), Help: "a file of such proxies"},
		{Name: "RemoteIPTrustedProxyList", File: directive.ReadsFile, Set: readProxies(false), Help: "a file of such proxies"},
		{Name: "RemoteIPProxyProtocol", Set: setProtocol, Help: "connections begin with a PROXY header"},
		{Name: "RemoteIPProxyProtocolExceptions", Set: setExceptions, Help: "peers that send none"},
	}}
}

func open(c *directive.Config, s *site.Site) (site.Builder, error) {
	main := servers.Merged(c.Main)
	for _, h := range s.Hosts[1:] {
		if own := servers.Merged(h.Scope); len(main.trusted) > 0 && len(own.trusted) > 0 {
			s.Warn("remoteip", exchange.Warn, fmt.Sprintf("AH10633: RemoteIP proxy entries are configured in both the main server and the virtual host defined at %s:%d, they are merged",
				h.Scope.Pos.File, h.Scope.Pos.Line))
		}
	}
	protocol := newProtocol(protocols.Merged(c.Main), s)
	if protocol != nil {
		s.ProxyProtocol = protocol.expects
	}
	return func(chain []*directive.Scope, p *site.Plan) error {
		build(chain, p, protocol != nil)
		return nil
	}, nil
}

func build(chain []*directive.Scope, p *site.Plan, announced bool) {
	s := servers.Merged(chain...)
	var walk exchange.Step
	if s.header != "" {
		walk = (&walker{header: s.header, proxies: s.proxiesHeader, trusted: s.trusted}).step
	}
	if announced {
		p.Add(site.Early, "RemoteIPProxyProtocol", announce(walk))
	} else if walk != nil {
		p.Add(site.Early, "RemoteIPHeader", walk)
	}
}
