package site

import (
	"context"
	"errors"
	"strings"

	"balancerd/proxy/exchange"
)

// Serve answers one exchange: x.Res is ready to be sent afterwards. It never fails; what goes wrong
// becomes an error page.
func (s *Site) Serve(ctx context.Context, x *exchange.Exchange) {
	err := s.choose(x)
	if err == nil {
		err = s.phases(ctx, x)
	}
	if x.Undecided { // perhaps in a lookup of the handler's
		err = exchange.Status(500)
	}
	if err != nil {
		s.fail(ctx, x, err)
	}
	s.reply(ctx, x)
}

// Refuse answers a request that could not be read: the connection's default host speaks.
func (s *Site) Refuse(ctx context.Context, x *exchange.Exchange, p *exchange.Problem) {
	if s.choose(x) != nil || x.Req.Host == "" {
		h := s.names.fallback(x.Conn.Local)
		s.enter(x, h)
		observe(x, h, false)
	}
	if x.Req.Path = x.Req.RawPath; x.Req.Path == "" {
		x.Req.Path = "/" // what httpd logs of a request without a usable target
	}
	s.fail(ctx, x, p)
	s.reply(ctx, x)
}

// Done writes the logs and releases what the exchange held.
func (s *Site) Done(ctx context.Context, x *exchange.Exchange) { Done(ctx, x) }

// Done is Site.Done without the site, which may be gone: of a tunnel.
func Done(ctx context.Context, x *exchange.Exchange) {
	if p := planOf(x); p != nil {
		lastFailed(x)
		if o := x.Observer; o != nil {
			o.Observe(x, exchange.Answered{})
		}
		for i := range p.steps[Log] {
			p.steps[Log][i].Do(ctx, x)
		}
	}
	x.Finish()
}

// lastFailed makes the ErrorDocument that failed the final request, as httpd has it: nothing of it was sent.
func lastFailed(x *exchange.Exchange) {
	if x.Prev == nil || x.Prev.Failed == nil {
		return
	}
	last := x.Prev.Failed
	x.Env.CopyFrom(&last.Env)
	x.Res.Header.CopyFrom(&last.Header)
	x.Res.Always.Reset()
	x.Res.Status, x.Res.Sent = last.Status, 0
}

// PlanOf is the plan in force for an exchange; nil before a virtual host is chosen.
func PlanOf(x *exchange.Exchange) *Plan { return planOf(x) }

func planOf(x *exchange.Exchange) *Plan {
	if p, ok := x.State[exchange.StatePlan].(*Plan); ok {
		return p
	}
	return nil
}

func hostOf(x *exchange.Exchange) *Host {
	h, _ := x.State[exchange.StateHost].(*Host)
	return h
}

// HostOf is the virtual host that serves an exchange.
func HostOf(x *exchange.Exchange) *Host { return hostOf(x) }

// choose finds the virtual host of the request.
func (s *Site) choose(x *exchange.Exchange) error {
	h, known := s.names.find(x.Conn.Local, x.Req.Host)
	s.enter(x, h)
	observe(x, h, known)
	if !known && h.Server.StrictHost && x.Req.Host != "" {
		x.Log("core", exchange.Error, nil, "AH10156: Requested hostname '"+x.Req.Host+"' did not match any ServerName/ServerAlias in the global server configuration ")
		return exchange.Status(400)
	}
	return nil
}

func (s *Site) enter(x *exchange.Exchange, h *Host) {
	x.Server = h.Server
	x.Local = h.early.Local
	x.State[exchange.StateHost] = h
	x.State[exchange.StatePlan] = h.early
	if x.ClientIP == "" {
		x.ClientIP = x.Conn.RemoteIP
	}
}

// phases walks the request through httpd's phases up to its handler
// (httpd: request.c ap_process_request_internal).
func (s *Site) phases(ctx context.Context, x *exchange.Exchange) error {
	h := hostOf(x)
	if err := h.early.run(ctx, x, Early); err != nil {
		return err
	}
	if t := x.Req.Target; t != "" && t[0] != '/' && !x.Req.Proxy && x.Req.Method != "CONNECT" && foreign(t) {
		x.Req.Path = x.Req.RawPath
		return exchange.Status(400)
	}
	return s.again(ctx, x, h)
}

// foreign tells of a target with a scheme of which this is no server (httpd: protocol.c ap_post_read_request).
func foreign(target string) bool {
	scheme, _ := exchange.CutScheme(target)
	return scheme != "" && !exchange.EqualFold(scheme, "http") && !exchange.EqualFold(scheme, "https")
}

// again is the part that an internal redirect repeats.
func (s *Site) again(ctx context.Context, x *exchange.Exchange, h *Host) error {
	if err := s.mapRequest(ctx, x, h); err != nil {
		if err == errOwn {
			return s.own(x, h)
		}
		return err
	}
	p, err := s.finalPlan(x, h)
	if err != nil {
		return err
	}
	for _, phase := range [...]Phase{Parse, Access, Types, Fixup} {
		if err := p.run(ctx, x, phase); err != nil {
			return ignoreMade(err)
		}
	}
	return s.handle(ctx, x, p)
}

// mapRequest finds out what the request leads to: a file or a member's URL.
func (s *Site) mapRequest(ctx context.Context, x *exchange.Exchange, h *Host) error {
	if x.Req.Proxy {
		return passOn(x, h)
	}
	if err := s.normalizePath(ctx, x, h); err != nil {
		return err
	}
	return s.translate(ctx, x, h)
}

// passOn is for a request to a forward proxy, which maps itself: its path is the whole target, for no section of this
// server's own paths. What goes on is the target as it came; its path must not lead above the root, nor have a broken %XX.
func passOn(x *exchange.Exchange, h *Host) error {
	if path := x.Req.RawPath; x.Req.Method != "CONNECT" && path != "*" { // which OPTIONS has for no path
		var ok bool
		if x.Req.RawPath, ok = normalize(&x.Arena, path, flagsOf(h.Server)); !ok {
			x.Log("core", exchange.Error, nil, x.Arena.Join("AH10244: invalid URI path (", x.Req.Target, ")"))
			return exchange.Status(400)
		}
	}
	x.Req.Path = x.Req.Target
	p, err := h.located(x)
	if err != nil {
		return err
	}
	x.Local, x.State[exchange.StatePlan] = p.Local, p
	return nil
}

// normalizePath makes x.Req.Path of the path as received. It stays undecoded where a PreTranslate step has settled the
// mapping.
func (s *Site) normalizePath(ctx context.Context, x *exchange.Exchange, h *Host) error {
	r := &x.Req
	if r.RawPath == "*" {
		r.Path = "*"
		return nil
	}
	flags := flagsOf(h.Server)
	path, ok := normalize(&x.Arena, r.RawPath, flags)
	r.Path = path
	if !ok {
		x.Log("core", exchange.Error, nil, x.Arena.Join("AH10244: invalid URI path (", unparsed(x), ")"))
		return exchange.Status(400)
	}
	if mapped, err := s.preTranslate(ctx, x, h); mapped || err != nil {
		return err
	}
	return decodePath(x, h.Server, flags)
}

// unparsed is the target as it came: the client's, or that of an internal redirect or a lookup.
func unparsed(x *exchange.Exchange) string {
	switch {
	case x.Prev == nil && x.Asker == nil:
		return x.Req.Target
	case x.Req.HasQuery:
		return x.Arena.Join(x.Req.RawPath, "?", x.Req.Query)
	}
	return x.Req.RawPath
}

func (s *Site) preTranslate(ctx context.Context, x *exchange.Exchange, h *Host) (bool, error) {
	p, err := h.located(x)
	if err != nil || len(p.steps[PreTranslate]) == 0 {
		return false, err
	}
	err = p.decide(ctx, x, PreTranslate)
	return err == exchange.Stop, ignoreStop(err)
}

func decodePath(x *exchange.Exchange, srv *exchange.Server, flags pathFlags) error {
	path, how := decode(&x.Arena, x.Req.Path, srv.EncodedSlashes)
	x.Req.Path = path
	switch how {
	case badHex:
		return exchange.Status(400)
	case slashes:
		x.Log("core", exchange.Info, nil, x.Arena.Join("AH00026: found %2f (encoded '/') in URI path (", unparsed(x), "), returning 404"))
		return exchange.Status(404)
	case nulFound:
		return exchange.Status(404)
	}
	if srv.EncodedSlashes == exchange.SlashesOn {
		flags &^= decodeUnreserved
		path, _ = normalize(&x.Arena, path, flags)
	}
	x.Req.Path = path
	return nil
}

// located is the plan of the host and of the <Location>s that match the path, and of the <If>s where what stands in
// one counts so early.
func (h *Host) located(x *exchange.Exchange) (*Plan, error) {
	w := walk{x: x, host: h, end: h.root}
	w.locations()
	x.Located, x.State[exchange.StateLocated] = x.Req.Path, w.end
	if h.mapsByIf {
		w.conditions()
	}
	if x.Undecided {
		return nil, exchange.Status(500)
	}
	return w.end.compiled()
}

// mergedPath is the path with runs of slashes taken as one: what <Location> without a regular
// expression matches even with MergeSlashes Off (httpd: request.c ap_location_walk).
func mergedPath(x *exchange.Exchange) string {
	if x.Server.MergeSlashes || x.Req.Proxy || !strings.Contains(x.Req.Path, "//") {
		return x.Req.Path
	}
	path, _ := normalize(&x.Arena, x.Req.Path, mergeSlashes)
	return path
}

// path is what a <Location> is compared with.
func (s *section) path(x *exchange.Exchange, merged string) string {
	if s.scope.Regex {
		return x.Req.Path
	}
	return merged
}

// translate maps the path to a member's URL or a file. It runs as well for what is mapped: rewriting has its say.
func (s *Site) translate(ctx context.Context, x *exchange.Exchange, h *Host) error {
	p, err := h.located(x)
	if err != nil {
		return err
	}
	x.Local = p.Local
	x.State[exchange.StatePlan] = p
	if err := p.run(ctx, x, Translate); err != nil {
		return err
	}
	return s.store(ctx, x, h)
}

// errOwn: the server answers for itself (TRACE, OPTIONS *). No rule of access is asked, no field is set.
var errOwn = errors.New("TRACE or OPTIONS *")

// store finds the file. Until the sections of its folders are known, the server's own settings hold
// (httpd: request.c ap_run_map_to_storage).
func (s *Site) store(ctx context.Context, x *exchange.Exchange, h *Host) error {
	if x.Forwarded() {
		return nil
	}
	x.Local = h.early.Local
	x.State[exchange.StatePlan] = h.early
	switch {
	case x.Req.Method == "TRACE", x.Req.Method == "OPTIONS" && x.Req.Path == "*":
		return errOwn
	case x.Filename == "":
		return nil
	}
	return h.early.run(ctx, x, Storage)
}

// finalPlan is the plan of everything that holds for the mapped request.
func (s *Site) finalPlan(x *exchange.Exchange, h *Host) (*Plan, error) {
	w := walk{x: x, host: h, end: h.root}
	if url, ok := strings.CutPrefix(x.Filename, "proxy:"); ok {
		w.targets(url)
	} else if x.Filename != "" {
		if w.directories(); w.err != nil {
			return nil, w.err
		}
		w.files()
	}
	w.locations()
	w.conditions()
	if x.Undecided {
		return nil, exchange.Status(500)
	}
	p, err := w.end.compiled()
	if err != nil {
		x.Log("core", exchange.Error, nil, "AH00025: configuration error: "+err.Error())
		return nil, exchange.Status(500)
	}
	x.Local = p.Local
	x.State[exchange.StatePlan] = p
	if p.Handles() && !x.Forwarded() { // it goes before ScriptAlias (httpd: core.c core_override_type)
		x.Handler = ""
	}
	w.end.tell(x)
	return p, nil
}

// handle runs the handler that SetHandler, the mapping or nobody named. A proxied request goes to its
// member whatever SetHandler says.
func (s *Site) handle(ctx context.Context, x *exchange.Exchange, p *Plan) error {
	if x.Handler == "" && p.Named != "" {
		x.Handler = p.Named
	}
	if err := p.run(ctx, x, Insert); err != nil {
		return ignoreMade(err)
	}
	name := x.Handler
	if strings.HasPrefix(name, "proxy:") { // SetHandler "proxy:URL"
		name = "proxy-server"
	}
	if err := input(ctx, x, p); err != nil {
		return err
	}
	if h, ok := p.HandlerNamed(name); ok {
		if err := h.serve(ctx, x, name); !errors.Is(err, exchange.Declined) {
			return err
		}
	}
	if p.Handler == nil {
		return exchange.Status(404)
	}
	return Handler{"core", p.Handler}.serve(ctx, x, "default-handler")
}
