package proxy

import (
	"balancerd/apacheconf/directive"
	"balancerd/balancer"
	"balancerd/proxy/backend"
	"balancerd/proxy/site"
	"balancerd/proxy/upstream"
)

// Secure is the TLS towards members that a chain of scopes asks for (SSLProxyEngine and the like); nil
// for none.
type Secure func(chain []*directive.Scope) (*backend.TLS, error)

// Module is httpd's mod_proxy with the request side of mod_proxy_http and mod_proxy_balancer: farm
// holds the balancers and workers, and b carries requests to them. secure may be left out: then https
// members fail.
func Module(farm *balancer.Farm, b backend.Backend, secure ...Secure) site.Module {
	o := opener{farm: farm, backend: b}
	if len(secure) > 0 {
		o.secure = secure[0]
	}
	return site.Module{Name: "proxy", Open: o.open, Reads: []string{"mod_proxy-dir", "ssl proxy"}, PerHost: true, Loads: []string{"ssl proxy"}, Table: directive.Table{
		{Name: "ProxyPass", Set: setPass, Help: "a path and the URL that serves what is below it"},
		{Name: "ProxyPassMatch", Set: setPassMatch, Help: "a regular expression and the URL that serves what it matches"},
		{Name: "ProxyPassReverse", Set: setReverse, Help: "turns a member's URL in Location and its kin into a path of this server"},
		{Name: "ProxyPassReverseCookiePath", Set: setCookiePath, Help: "turns the path of a member's cookies into one of this server"},
		{Name: "ProxyPassReverseCookieDomain", Set: setCookieDomain, Help: "turns the domain of a member's cookies into one of this server"},
		{Name: "ProxyPassInterpolateEnv", Set: dirFlag(func(d *dirSettings) *directive.Opt[bool] { return &d.interpolate }), Help: "replace ${VAR} in lines marked interpolate"},

		{Name: "<Proxy", Open: openProxy, Close: closeProxy, Help: "settings of what is proxied to URLs that begin so; parameters of a balancer or worker"},
		{Name: "<ProxyMatch", Open: openProxy, Close: closeProxy, Help: "settings of what is proxied to URLs that match"},
		{Name: "BalancerMember", Set: setMember, Help: "adds a member to a balancer"},
		{Name: "ProxySet", Set: setParameters, Help: "sets parameters of a balancer or worker"},

		{Name: "ProxyPreserveHost", Set: dirFlag(func(d *dirSettings) *directive.Opt[bool] { return &d.preserveHost }), Help: "members get the client's Host"},
		{Name: "ProxyAddHeaders", Set: dirFlag(func(d *dirSettings) *directive.Opt[bool] { return &d.addHeaders }), Help: "members get X-Forwarded-For, -Host and -Server"},
		{Name: "Proxy100Continue", Set: dirFlag(func(d *dirSettings) *directive.Opt[bool] { return &d.continue100 }), Help: "members are asked whether they want a body"},
		{Name: "ProxyErrorOverride", Set: setOverride, Help: "own error pages in place of members' answers"},

		{Name: "ProxyVia", Set: serverWord("ProxyVia", viaModes, func(s *serverSettings) *directive.Opt[upstream.ViaMode] { return &s.via }), Help: "what becomes of Via"},
		{Name: "ProxyMaxForwards", Set: setMaxForwards, Help: "Max-Forwards of requests that have none"},
		{Name: "ProxyTimeout", Set: setTimeout, Help: "seconds to wait for each read from and write to members"},
		{Name: "ProxyIOBufferSize", Set: setIOBuffer, Help: "bytes of a copy buffer"},
		{Name: "ProxyReceiveBufferSize", Set: setReceiveBuffer, Help: "bytes of the receive buffer of members' sockets"},
		{Name: "ProxyBadHeader", Set: serverWord("ProxyBadHeader", headerModes, func(s *serverSettings) *directive.Opt[backend.BadHeader] { return &s.badHeader }), Help: "what becomes of an answer with a malformed header line"},
		{Name: "ProxySourceAddress", Set: setSourceAddress, Help: "local address of connections to members"},
		{Name: "ProxyStatus", Set: serverWord("ProxyStatus", statusModes, func(s *serverSettings) *directive.Opt[statusMode] { return &s.status }), Help: "show the balancers on the status page"},

		{Name: "BalancerGrowth", Set: setGrowth, Help: "room for balancers added at run time; none can be, as in httpd"},
		{Name: "BalancerPersist", File: directive.KeepsState, Set: setPersist, Help: "keep the manager's edits and the counters over restarts"},
		{Name: "BalancerInherit", Set: serverFlag(func(s *serverSettings) *directive.Opt[bool] { return &s.inherit }), Help: "virtual hosts have the main server's balancers and workers"},
		{Name: "ProxyPassInherit", Set: serverFlag(func(s *serverSettings) *directive.Opt[bool] { return &s.inheritPass }), Help: "with BalancerInherit Off too, virtual hosts have balancers and workers of their own only"},

		{Name: "ProxyBlock", Set: setBlock, Help: "hosts that no request is sent to"},
		{Name: "ProxyRequests", Set: setRequests, Help: "forward proxy"},
		{Name: "AllowCONNECT", Set: setPorts, Help: "ports that CONNECT may ask for"},
		{Name: "ProxyRemote", Set: setRemote, Help: "another proxy on the way to members"},
		{Name: "ProxyRemoteMatch", Set: setRemoteMatch, Help: "another proxy on the way to members that match"},
		{Name: "NoProxy", Set: setDirect, Help: "members that ProxyRemote is not for"},
		{Name: "ProxyDomain", Set: setDomain, Help: "the domain of hosts without one, for a forward proxy"},
	}}
}
