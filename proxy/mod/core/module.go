package core

import (
	"balancerd/apacheconf/directive"
	"balancerd/proxy/site"
	"slices"
)

// Module is httpd's core as the site needs it. It stands first in the modules' list: its builder
// describes each chain's exchange.Local.
func Module() site.Module {
	return site.Module{Name: "core", Open: open, Table: slices.Concat(directive.Table{
		{Name: "ServerName", Process: true, Set: setServerName, Help: "the name, and port, of this server"},
		{Name: "ServerAlias", Set: setServerAlias, Help: "other names of a virtual host"},
		{Name: "ServerAdmin", Set: text(func(s *serverSettings) *string { return &s.admin }), Help: "the address on error pages"},
		{Name: "ServerTokens", Set: setTokens, Help: "how much the Server header tells"},
		{Name: "ServerSignature", Set: setSignature, Help: "a footer on own pages"},
		{Name: "DocumentRoot", File: directive.LooksAt, Set: setDocumentRoot, Help: "where files are served from"},

		{Name: "Timeout", Set: setTimeout, Help: "seconds to wait for the other side"},
		{Name: "KeepAlive", Set: flag(func(s *serverSettings) *directive.Opt[bool] { return &s.keepAlive }), Help: "serve several requests a connection"},
		{Name: "KeepAliveTimeout", Set: setKeepAliveTimeout, Help: "how long a kept connection may idle"},
		{Name: "MaxKeepAliveRequests", Set: number(func(s *serverSettings) *directive.Opt[int] { return &s.maxKeepAlive }), Help: "requests a connection, 0 unlimited"},

		{Name: "LimitRequestLine", Set: limit("", func(s *serverSettings) *directive.Opt[int] { return &s.limitLine }), Help: "bytes of a request line"},
		{Name: "LimitRequestFieldsize", Set: limit("", func(s *serverSettings) *directive.Opt[int] { return &s.limitFieldSize }), Help: "bytes of a header field"},
		{Name: "LimitRequestFields", Set: limit(" (0 = no limit)", func(s *serverSettings) *directive.Opt[int] { return &s.limitFields }), Help: "header fields a request"},
		{Name: "LimitRequestBody", Set: setLimitBody, Help: "bytes of a request body that is served here; proxied bodies are not limited, as in httpd"},
		{Name: "LimitInternalRecursion", Set: setRecursion, Help: "internal redirects a request"},

		{Name: "Protocols", Set: setProtocol, Help: "what is spoken: h2, h2c, http/1.1"},
		{Name: "ProtocolsHonorOrder", Set: setHonorOrder, Help: "choose by our order of protocols, not the client's"},
		{Name: "HttpProtocolOptions", Set: setProtocolOptions, Help: "how strict requests are read"},
		{Name: "AllowEncodedSlashes", Set: setEncodedSlashes, Help: "what %2F in a path means"},
		{Name: "MergeSlashes", Set: flag(func(s *serverSettings) *directive.Opt[bool] { return &s.mergeSlashes }), Help: "treat // as / when matching"},
		{Name: "MergeTrailers", Set: flag(func(s *serverSettings) *directive.Opt[bool] { return &s.mergeTrailers }), Help: "add request trailers to the header"},
		{Name: "StrictHostCheck", Set: flag(func(s *serverSettings) *directive.Opt[bool] { return &s.strictHost }), Help: "refuse names that no host has"},
		{Name: "TraceEnable", Set: setTrace, Help: "whether TRACE is answered"},
		{Name: "UseCanonicalName", Set: setCanonical, Help: "whose name self-made URLs carry"},
		{Name: "UseCanonicalPhysicalPort", Set: setCanonicalPort, Help: "whose port self-made URLs carry"},
		{Name: "HostnameLookups", Set: setLookups, Help: "log names in place of addresses"},

		{Name: "LogLevel", Process: true, Set: setLogLevel, Help: "how much is logged, by module"},
		{Name: "ErrorDocument", Set: setErrorDocument, Help: "what replaces an error's own page"},
		{Name: "CGIPassAuth", Set: setPassAuth, Help: "programs get the client's Authorization"},
		{Name: "CGIVar", Set: setVariable, Help: "what REQUEST_URI is to programs after an internal redirect"},
		{Name: "QualifyRedirectURL", Set: setQualified, Help: "REDIRECT_URL has scheme and host"},
		{Name: "SetHandler", Set: setHandler, Help: "what answers: balancer-manager, server-status, proxy:URL, none"},
		{Name: "<VirtualHost", Open: openHost, Help: "a server by address, port and name"},
		{Name: "<If", Open: openIf, Help: "sections chosen by an expression"},
		{Name: "<ElseIf", Open: openIf},
		{Name: "Error", Set: setError, Help: "stop with a message"},
		{Name: "NameVirtualHost", Set: setNameVirtualHost, Help: "has no effect since 2.4"},
		{Name: "DefaultType", Set: setDefaultType, Help: "has no effect since 2.4"},
		{Name: "Port", Set: setPort, Help: "was replaced by Listen"},

		{Name: "ExtendedStatus", Set: setExtended, Help: "count what the status page shows"},
	}, ignored)}
}
