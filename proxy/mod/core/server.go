package core

import (
	"cmp"
	"errors"
	"strings"
	"time"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
)

// serverSettings is what the main server or a virtual host says (httpd: core_server_config,
// server_rec). Unset fields come from the main server, but for encodedSlashes.
type serverSettings struct {
	name, scheme string
	port         int
	aliases      []string
	admin        string
	documentRoot string

	timeout          directive.Opt[time.Duration]
	keepAlive        directive.Opt[bool]
	keepAliveTimeout directive.Opt[time.Duration]
	maxKeepAlive     directive.Opt[int]
	requestLimits

	unsafe         directive.Opt[bool]
	allow09        directive.Opt[bool]
	registered     directive.Opt[bool]
	encodedSlashes directive.Opt[exchange.SlashMode]
	mergeSlashes   directive.Opt[bool]
	mergeTrailers  directive.Opt[bool]
	strictHost     directive.Opt[bool]
	trace          directive.Opt[exchange.TraceMode]
	protocols      []string
	honorOrder     directive.Opt[bool]
}

// requestLimits bound the head of a request. A virtual host begins with those of the main server as they stand
// in front of its section; what comes later in the main server is not its own (httpd: config.c ap_init_virtual_host).
type requestLimits struct {
	limitLine      directive.Opt[int]
	limitFieldSize directive.Opt[int]
	limitFields    directive.Opt[int]
}

var servers = directive.NewKey[serverSettings]("core", mergeServers)

func mergeServers(outer, inner serverSettings) serverSettings {
	m := inner
	m.admin = cmp.Or(inner.admin, outer.admin)
	m.documentRoot = cmp.Or(inner.documentRoot, outer.documentRoot)
	m.timeout = unlessZero(inner.timeout).Over(outer.timeout)
	m.keepAlive = inner.keepAlive.Over(outer.keepAlive)
	m.keepAliveTimeout = unlessZero(inner.keepAliveTimeout).Over(outer.keepAliveTimeout)
	m.maxKeepAlive = inner.maxKeepAlive.Over(outer.maxKeepAlive)
	m.unsafe = inner.unsafe.Over(outer.unsafe)
	m.allow09 = inner.allow09.Over(outer.allow09)
	m.registered = inner.registered.Over(outer.registered)
	m.mergeSlashes = inner.mergeSlashes.Over(outer.mergeSlashes)
	m.mergeTrailers = inner.mergeTrailers.Over(outer.mergeTrailers)
	m.strictHost = inner.strictHost.Over(outer.strictHost)
	m.trace = inner.trace.Over(outer.trace)
	if len(m.protocols) == 0 {
		m.protocols = outer.protocols
	}
	m.honorOrder = inner.honorOrder.Over(outer.honorOrder)
	return m
}

// unlessZero is a virtual host's time, where 0 says nothing (httpd: config.c ap_fixup_virtual_hosts).
func unlessZero(d directive.Opt[time.Duration]) directive.Opt[time.Duration] {
	if d.Or(0) == 0 {
		return directive.Opt[time.Duration]{}
	}
	return d
}

// fill copies the merged settings into the server that the data plane reads.
func (m *serverSettings) fill(s *exchange.Server) {
	s.Admin = m.admin
	s.DocumentRoot = m.documentRoot
	s.Timeout = m.timeout.Or(60 * time.Second)
	s.KeepAlive = m.keepAlive.Or(true)
	s.KeepAliveTimeout = m.keepAliveTimeout.Or(5 * time.Second)
	s.MaxKeepAlive = m.maxKeepAlive.Or(100)
	s.LimitLine = m.limitLine.Or(8190)
	s.LimitFieldSize = m.limitFieldSize.Or(8190)
	s.LimitFields = m.limitFields.Or(100)
	s.Unsafe = m.unsafe.Or(false)
	s.Allow09 = m.allow09.Or(true)
	s.RegisteredMethods = m.registered.Or(false)
	s.EncodedSlashes = m.encodedSlashes.Or(exchange.SlashesOff)
	s.MergeSlashes = m.mergeSlashes.Or(true)
	s.MergeTrailers = m.mergeTrailers.Or(false)
	s.StrictHost = m.strictHost.Or(false)
	s.Trace = m.trace.Or(exchange.TraceOn)
	s.Protocols, s.ClientsOrder = m.protocols, !m.honorOrder.Or(true)
}

// Setters of a kind.

func text(field func(*serverSettings) *string) func(*directive.Scope, directive.Args) error {
	return func(s *directive.Scope, a directive.Args) error {
		*field(servers.In(s)) = a.Words[0]
		return nil
	}
}

func flag(field func(*serverSettings) *directive.Opt[bool]) func(*directive.Scope, directive.Args) error {
	return func(s *directive.Scope, a directive.Args) error {
		field(servers.In(s)).Set(a.On)
		return nil
	}
}

func number(field func(*serverSettings) *directive.Opt[int]) func(*directive.Scope, directive.Args) error {
	return func(s *directive.Scope, a directive.Args) error {
		field(servers.In(s)).Set(directive.Atoi(a.Words[0]))
		return nil
	}
}

func limit(more string, field func(*serverSettings) *directive.Opt[int]) func(*directive.Scope, directive.Args) error {
	return func(s *directive.Scope, a directive.Args) error {
		n := directive.Atoi(a.Words[0])
		if n < 0 {
			return errors.New(a.Name + " \"" + a.Words[0] + "\" must be a non-negative integer" + more)
		}
		field(servers.In(s)).Set(n)
		return nil
	}
}

func setTimeout(s *directive.Scope, a directive.Args) error {
	servers.In(s).timeout.Set(time.Duration(directive.Atoi(a.Words[0])) * time.Second)
	return nil
}

func setKeepAliveTimeout(s *directive.Scope, a directive.Args) error {
	d, err := directive.Duration(a.Words[0], time.Second)
	if err != nil {
		return errors.New("KeepAliveTimeout has wrong format")
	}
	servers.In(s).keepAliveTimeout.Set(d)
	return nil
}

func setProtocol(s *directive.Scope, a directive.Args) error {
	m := servers.In(s)
	m.protocols = append(m.protocols, a.Words[0])
	return nil
}

func setHonorOrder(s *directive.Scope, a directive.Args) error {
	switch strings.ToLower(a.Words[0]) {
	case "on":
		servers.In(s).honorOrder.Set(true)
	case "off":
		servers.In(s).honorOrder.Set(false)
	default:
		return errors.New("ProtocolsHonorOrder must be 'on' or 'off'")
	}
	return nil
}

func setEncodedSlashes(s *directive.Scope, a directive.Args) error {
	modes := map[string]exchange.SlashMode{"on": exchange.SlashesOn, "off": exchange.SlashesOff, "nodecode": exchange.SlashesNoDecode}
	m, ok := modes[strings.ToLower(a.Words[0])]
	if !ok {
		return errors.New(a.Name + " must be On, Off, or NoDecode")
	}
	servers.In(s).encodedSlashes.Set(m)
	return nil
}

func setTrace(s *directive.Scope, a directive.Args) error {
	modes := map[string]exchange.TraceMode{"on": exchange.TraceOn, "off": exchange.TraceOff, "extended": exchange.TraceExtended}
	m, ok := modes[strings.ToLower(a.Words[0])]
	if !ok {
		return errors.New("TraceEnable must be one of 'on', 'off', or 'extended'")
	}
	servers.In(s).trace.Set(m)
	return nil
}

// setProtocolOptions: each word switches one of three matters; Strict and Unsafe exclude each other
// (httpd: core.c set_http_protocol_options).
func setProtocolOptions(s *directive.Scope, a directive.Args) error {
	c := servers.In(s)
	switch strings.ToLower(a.Words[0]) {
	case "strict", "unsafe":
		want := exchange.EqualFold(a.Words[0], "unsafe")
		if have, set := c.unsafe.Get(); set && have != want {
			return errors.New("HttpProtocolOptions 'Strict' and 'Unsafe' are mutually exclusive")
		}
		c.unsafe.Set(want)
	case "allow0.9":
		c.allow09.Set(true)
	case "require1.0":
		c.allow09.Set(false)
	case "registeredmethods":
		c.registered.Set(true)
	case "lenientmethods":
		c.registered.Set(false)
	default:
		return errors.New("HttpProtocolOptions accepts 'Unsafe' or 'Strict' (default), 'RegisteredMethods' or 'LenientMethods' (default), and 'Require1.0' or 'Allow0.9' (default)")
	}
	return nil
}

// setDocumentRoot: a folder that is missing is fatal for the main server and only a warning in a
// virtual host; -T leaves the check out (httpd: core.c set_document_root).
func setDocumentRoot(s *directive.Scope, a directive.Args) error {
	path := s.Config.Tree.Path(a.Words[0])
	servers.In(s).documentRoot = path
	if s.Config.SkipDocumentRoot {
		return nil
	}
	if st, err := s.Config.Files.Stat(path); err == nil && st.IsDir() {
		return nil
	}
	if s.Kind == directive.VHost {
		s.Config.Warn(a.Pos, "", "AH00112: Warning: DocumentRoot ["+path+"] does not exist")
		return nil
	}
	return errors.New("DocumentRoot '" + path + "' is not a directory, or is not readable")
}
