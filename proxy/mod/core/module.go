package core

import (
	"balancerd/apacheconf/directive"
	"balancerd/proxy/site"
	"strings"
)

// opener knows what is compiled into httpd.
type opener struct{ pidFile string }

// Module is httpd's core as the site needs it. It stands first in the modules' list: its builder
// describes each chain's exchange.Local.
//
// pidFile is DEFAULT_PIDLOG, the PidFile of a configuration that has none; without it, httpd.pid in the runtime
// directory.
func Module(pidFile ...string) site.Module {
	return site.Module{Name: "core", Open: opener{strings.Join(pidFile, "")}.open, Table: directive.Table{
		{Name: "Listen", Process: true, Set: setListen, Help: "an address and port to serve on"},
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
		{Name: "RequestReadTimeout", Set: setReadTimeout, Help: "how long a request's head and body may take"},

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
		{Name: "SetHandler", Set: setHandler, Help: "what answers: balancer-manager, server-status, proxy:URL, none"},
		{Name: "<VirtualHost", Open: openHost, Help: "a server by address, port and name"},
		{Name: "<If", Open: openIf, Help: "sections chosen by an expression"},
		{Name: "<ElseIf", Open: openIf},
		{Name: "Error", Set: setError, Help: "stop with a message"},
		{Name: "NameVirtualHost", Set: setNameVirtualHost, Help: "has no effect since 2.4"},
		{Name: "DefaultType", Set: setDefaultType, Help: "has no effect since 2.4"},
		{Name: "Port", Set: setPort, Help: "was replaced by Listen"},

		{Name: "PidFile", Process: true, Set: setPidFile, Help: "where the process id is written"},
		{Name: "User", Process: true, Set: setUser, Help: "who serves when started as root"},
		{Name: "Group", Process: true, Set: setGroup, Help: "which group serves when started as root"},
		{Name: "ListenBacklog", Process: true, Set: setBacklog, Help: "connections waiting to be accepted"},
		{Name: "SendBufferSize", Process: true, Set: setBuffer(func(p *processSettings) *int { return &p.sendBuffer }), Help: "bytes of a socket's send buffer"},
		{Name: "ReceiveBufferSize", Process: true, Set: setBuffer(func(p *processSettings) *int { return &p.receiveBuffer }), Help: "bytes of a socket's receive buffer"},
		{Name: "GracefulShutdownTimeout", Process: true, Set: setProcess(func(p *processSettings) *int { return &p.gracefulSeconds }), Help: "seconds a graceful stop may take"},
		{Name: "ThreadsPerChild", Set: setProcess(func(p *processSettings) *int { return &p.threadsPerChild }), Help: "what the status page calls workers; goroutines need no such bound"},
		{Name: "MaxRequestWorkers", Set: setProcess(func(p *processSettings) *int { return &p.maxWorkers }), Help: "shown by the status page", Partial: noLimit},
		{Name: "MaxClients", Set: setProcess(func(p *processSettings) *int { return &p.maxWorkers }), Help: "old name of MaxRequestWorkers", Partial: noLimit},
		{Name: "ExtendedStatus", Set: setExtended, Help: "count what the status page shows"},
	}}
}

const noLimit = "the number is only shown: connections are bounded by the descriptors of the process"
