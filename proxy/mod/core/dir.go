package core

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/expr"
	"balancerd/proxy/site"
)

// dirSettings is what a section, or a server outside its sections, says (httpd: core_dir_config).
type dirSettings struct {
	levels        *exchange.Levels
	levelsPlain   bool // a level without a module was among them: what was inherited is forgotten
	canonical     directive.Opt[exchange.Canonical]
	canonicalPort directive.Opt[bool]
	signature     directive.Opt[exchange.Signature]
	limitBody     directive.Opt[int64]
	lookups       directive.Opt[bool]
	passAuth      directive.Opt[bool]
	currentURI    directive.Opt[bool]
	qualified     directive.Opt[bool]
	documents     []exchange.ErrorDocument
	handler       directive.Opt[string]
	handlerExpr   *expr.String
}

var dirs = directive.NewKey[dirSettings]("core-dir", mergeDirs)

func mergeDirs(outer, inner dirSettings) dirSettings {
	m := inner
	m.levels = mergeLevels(outer.levels, inner.levels, inner.levelsPlain)
	m.canonical = inner.canonical.Over(outer.canonical)
	m.canonicalPort = inner.canonicalPort.Over(outer.canonicalPort)
	m.signature = inner.signature.Over(outer.signature)
	m.limitBody = inner.limitBody.Over(outer.limitBody)
	m.lookups = inner.lookups.Over(outer.lookups)
	m.passAuth = inner.passAuth.Over(outer.passAuth)
	m.currentURI = inner.currentURI.Over(outer.currentURI)
	m.qualified = inner.qualified.Over(outer.qualified)
	m.documents = mergeDocuments(outer.documents, inner.documents)
	if _, set := inner.handler.Get(); !set && inner.handlerExpr == nil {
		m.handler, m.handlerExpr = outer.handler, outer.handlerExpr
	}
	return m
}

// build describes a chain: the exchange.Local that its exchanges share, and the handler it names.
func build(chain []*directive.Scope, p *site.Plan) error {
	m := dirs.Merged(chain...)
	p.Local = &exchange.Local{
		Levels: m.levels, CanonicalName: m.canonical.Or(exchange.CanonicalOff), CanonicalPort: m.canonicalPort.Or(false),
		Signature: m.signature.Or(exchange.SignatureOff), ErrorDocuments: m.documents,
		LimitRequestBody: m.limitBody.Or(1 << 30), HostnameLookups: m.lookups.Or(false),
		DecodedSlashes: slices.ContainsFunc(chain, resetsSlashes),
		PassAuth:       m.passAuth.Or(false), CurrentURI: m.currentURI.Or(false), QualifyRedirect: m.qualified.Or(false),
	}
	if p.Local.CanonicalName == exchange.CanonicalDNS {
		p.Local.LocalName = localName
	}
	if p.Local.Levels == nil {
		p.Local.Levels = &exchange.Levels{All: exchange.Warn}
	}
	if e := m.handlerExpr; e != nil {
		p.Add(site.Types, "SetHandler", handlerStep(e))
	} else if h := m.handler.Or(""); h != "" && h != "none" {
		p.Named = h
	}
	return nil
}

// resetsSlashes reports whether a scope undoes AllowEncodedSlashes, which is set for a server and kept with
// the sections' settings: each of these has the default, a <Proxy> once it holds a directive of the core
// (httpd: core.c merge_core_dir_configs).
func resetsSlashes(s *directive.Scope) bool {
	return s.Kind&directive.Server == 0 && (s.Kind != directive.Proxy || s.Core)
}

// handlerStep evaluates a SetHandler with variables for each request.
func handlerStep(e *expr.String) exchange.Step {
	return func(_ context.Context, x *exchange.Exchange) error {
		name, err := e.Eval(x)
		if err != nil {
			x.Log("core", exchange.Error, nil, "AH03154: Can't evaluate handler expression: "+err.Error())
			return exchange.Status(500)
		}
		if name = handlerOf(name); name != "none" && x.Handler == "" {
			x.Handler = name
		}
		return nil
	}
}

func setHandler(s *directive.Scope, a directive.Args) error {
	d := dirs.In(s)
	e, err := expr.CompileString(a.Words[0], expr.Options{AccessFile: s.Config.InAccessFile()})
	if err != nil {
		return errors.New("Can't parse expression : " + err.Error())
	}
	d.handlerExpr = nil
	if name, ok := e.Const(); ok {
		d.handler.Set(handlerOf(name))
	} else {
		d.handlerExpr = e
	}
	return nil
}

// handlerOf is a handler's name as it counts: in lower case, unless the path of a socket is part of it (httpd: core.c
// core_override_type).
func handlerOf(name string) string {
	if strings.HasPrefix(name, "proxy:unix") {
		return name
	}
	return strings.ToLower(name)
}

func setCanonical(s *directive.Scope, a directive.Args) error {
	modes := map[string]exchange.Canonical{"on": exchange.CanonicalOn, "off": exchange.CanonicalOff, "dns": exchange.CanonicalDNS}
	m, ok := modes[strings.ToLower(a.Words[0])]
	if !ok {
		return errors.New("parameter must be 'on', 'off', or 'dns'")
	}
	dirs.In(s).canonical.Set(m)
	return nil
}

func setCanonicalPort(s *directive.Scope, a directive.Args) error {
	on, ok := onOff(a.Words[0])
	if !ok {
		return errors.New("parameter must be 'on' or 'off'")
	}
	dirs.In(s).canonicalPort.Set(on)
	return nil
}

func setLookups(s *directive.Scope, a directive.Args) error {
	on, ok := onOff(a.Words[0])
	if !ok && !strings.EqualFold(a.Words[0], "double") {
		return errors.New("parameter must be 'on', 'off', or 'double'")
	}
	dirs.In(s).lookups.Set(on || !ok)
	return nil
}

func setPassAuth(s *directive.Scope, a directive.Args) error {
	dirs.In(s).passAuth.Set(a.On)
	return nil
}

func setQualified(s *directive.Scope, a directive.Args) error {
	dirs.In(s).qualified.Set(a.On)
	return nil
}

// setVariable is CGIVar (httpd: core.c set_cgi_var).
func setVariable(s *directive.Scope, a directive.Args) error {
	if a.Words[0] != "REQUEST_URI" {
		return errors.New("Unrecognized CGI variable: \"" + a.Words[0] + "\"")
	}
	current := strings.EqualFold(a.Words[1], "current-uri")
	if !current && !strings.EqualFold(a.Words[1], "original-uri") {
		return errors.New("Valid rules for REQUEST_URI are 'current-uri' and 'original-uri'")
	}
	dirs.In(s).currentURI.Set(current)
	return nil
}

func setSignature(s *directive.Scope, a directive.Args) error {
	modes := map[string]exchange.Signature{"on": exchange.SignatureOn, "off": exchange.SignatureOff, "email": exchange.SignatureEMail}
	m, ok := modes[strings.ToLower(a.Words[0])]
	if !ok {
		return errors.New("ServerSignature: use one of: off | on | email")
	}
	dirs.In(s).signature.Set(m)
	return nil
}

func setLimitBody(s *directive.Scope, a directive.Args) error {
	n, err := strconv.ParseInt(a.Words[0], 10, 64)
	if errors.Is(err, strconv.ErrRange) {
		return errors.New("LimitRequestBody argument is not parsable.")
	}
	if err != nil || n < 0 {
		return errors.New("LimitRequestBody requires a non-negative integer.")
	}
	dirs.In(s).limitBody.Set(n)
	return nil
}

func onOff(word string) (on, ok bool) {
	on = strings.EqualFold(word, "on")
	return on, on || strings.EqualFold(word, "off")
}

// openIf compiles an <If>'s or <ElseIf>'s test; the section itself is an ordinary one.
func openIf(s *directive.Scope, a directive.Args) (*directive.Scope, error) {
	child, err := directive.OpenSection(s, a)
	if err != nil {
		return nil, err
	}
	e, err := expr.Compile(child.Arg, expr.Options{File: a.Pos.File, Line: a.Pos.Line, Module: "core", AccessFile: s.Config.InAccessFile()})
	if err != nil {
		return nil, errors.New("Cannot parse condition clause: " + err.Error())
	}
	site.SetCondition(child, e)
	return child, nil
}
