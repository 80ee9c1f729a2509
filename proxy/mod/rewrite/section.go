package rewrite

import (
	"context"
	"strings"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// section is the rules that hold for the files of a section. Immutable.
type section struct {
	rules   *ruleSet
	maps    map[string]*rewriteMap
	prefix  string
	base    directive.Opt[string]
	options option // of the section
	server  option
	proxied bool // mod_proxy is loaded
}

// step applies a section's rules, once access was granted (httpd: mod_rewrite.c hook_fixup).
func (s *section) step(_ context.Context, x *exchange.Exchange) error {
	forwarded := x.Forwarded()
	if !forwarded && s.options&allowNoSlash == 0 && len(x.Filename) == len(s.prefix)-1 && s.prefix[:len(x.Filename)] == x.Filename {
		return nil // the folder without its slash: mod_dir sends the client on
	}
	if x.State[exchange.StateRewriteEnd] != nil {
		s.trace(x, 8, "Declining, no further rewriting due to END flag")
		return nil
	}
	if site.PlanOf(x).NoLinks {
		x.Log("rewrite", exchange.Error, nil, x.Arena.Join("AH00670: Options FollowSymLinks and SymLinksIfOwnerMatch are both off, so the RewriteRule directive is also forbidden due to its similar ability to circumvent directory restrictions : ", x.Filename))
		return exchange.Status(403)
	}
	p := newPass(x, s.maps)
	defer p.end()
	p.dir, p.perDir, p.options = s, true, s.server
	name, query, has := x.Filename, x.Req.Query, x.Req.HasQuery
	if name == "" {
		x.Filename = x.Req.Path
		if p.traced {
			p.traceDir(2, "init rewrite engine with requested uri ", x.Filename)
		}
	}
	res := p.run(s.rules)
	if res.outcome == unchanged {
		if p.traced {
			p.traceDir(1, "pass through ", x.Filename)
		}
		x.Filename = name
		return nil
	}
	if err := p.checkQuery(&res, "AH10411"); err != nil {
		return err
	}
	return s.settle(p, &res, name, query, has)
}

// settle makes of what the rules have come to a member's URL, a redirect or an internal redirect. name is the
// file's name before them.
func (s *section) settle(p *pass, res *result, name, query string, hadQuery bool) error {
	x := p.x
	n, _ := absoluteURL(x.Filename)
	switch {
	case len(x.Filename) > len(proxyPrefix) && strings.HasPrefix(x.Filename, proxyPrefix) && !res.pass:
		return p.toMember(res, s.proxied, "AH10160")
	case n > 0 && !res.pass:
		p.baseInURL(n)
		return p.redirect(res, n, query, hadQuery)
	case !strings.HasPrefix(x.Filename, "/"):
		return exchange.Status(400)
	case x.Filename == name:
		keepStatus(x, res)
		if p.traced {
			p.traceDir(1, "initial URL equal rewritten URL: ", x.Filename, " [IGNORING REWRITE]")
		}
		return nil
	}
	url := p.urlOf(x.Filename)
	if p.traced {
		p.traceDir(1, "internal redirect with ", url, " [INTERNAL REDIRECT]")
	}
	keepStatus(x, res)
	x.Filename, x.Handler = x.Arena.Join(redirectPrefix, url), exchange.RedirectHandler
	return nil
}

// baseInURL puts RewriteBase in the place of the section's folder behind the host of a URL.
func (p *pass) baseInURL(scheme int) {
	base, ok := p.dir.base.Get()
	if !ok {
		return
	}
	x := p.x
	i := strings.IndexByte(x.Filename[scheme:], '/')
	if i < 0 || scheme+i+1 == len(x.Filename) {
		return
	}
	at := scheme + i + 1
	if p.traced {
		p.traceDir(2, "trying to replace prefix ", p.dir.prefix, " with ", base)
	}
	if rest, done := p.replacePrefix(x.Filename[at:], strings.TrimPrefix(p.dir.prefix, "/"), base[1:]); done {
		x.Filename = x.Arena.Join(x.Filename[:at], rest)
	}
}

// urlOf is the path that a file's name is asked for by: RewriteBase stands for the section's folder, nothing for the
// document root, the path of an Alias for its folder.
func (p *pass) urlOf(name string) string {
	x := p.x
	url, done := name, false
	if base, ok := p.dir.base.Get(); ok {
		if p.traced {
			p.traceDir(2, "trying to replace prefix ", p.dir.prefix, " with ", base)
		}
		url, done = p.replacePrefix(name, p.dir.prefix, base)
	} else if rest, ok := strings.CutPrefix(name, strings.TrimSuffix(x.Server.DocumentRoot, "/")); ok && strings.HasPrefix(rest, "/") {
		if p.traced {
			p.traceDir(2, "strip document_root prefix: ", name, " -> ", rest)
		}
		url, done = rest, true
	}
	if done || p.dir.options&ignoreContext != 0 {
		return url
	}
	root, prefix := x.ContextRoot(), x.Context.Prefix
	if p.traced {
		p.traceDir(2, "trying to replace context docroot ", root, " with context prefix ", prefix)
	}
	url, _ = p.replacePrefix(name, root, prefix)
	return url
}

// redirectPrefix marks a path in the place of a file's name.
const redirectPrefix = "redirect:"

// follow is the handler of exchange.RedirectHandler.
func follow(_ context.Context, x *exchange.Exchange) error {
	to, ok := strings.CutPrefix(x.Filename, redirectPrefix)
	if !ok {
		return exchange.Declined
	}
	if x.Req.HasQuery {
		to = x.Arena.Join(to, "?", x.Req.Query)
	}
	return &exchange.Redirect{Path: to, KeepVary: true, Status: keptStatus(x)}
}

// statusStep gives the answer the status of a redirect that a later rule took back.
func statusStep(_ context.Context, x *exchange.Exchange) error {
	if status := keptStatus(x); status != 0 && x.Res.Status == 200 && !x.Res.Proxied {
		x.Res.Status = status
	}
	return nil
}

// forceStep has the file sent with the type, and by the handler, that T and H name (httpd: mod_rewrite.c hook_mimetype). It
// is a step of two phases: an index that stands in a folder's place has not been through the first of them.
func forceStep(_ context.Context, x *exchange.Exchange) error {
	m := memoryIn(x)
	if m == nil || m.redirects != redirectsOf(x) {
		return nil
	}
	if m.mediaType != "" && m.mediaType != x.Type {
		traceOf(x, "", 1, "force filename ", x.Filename, " to have MIME-type '", m.mediaType, "'")
		x.Type = m.mediaType
	}
	if m.handler != "" && m.handler != x.Handler && !x.Forwarded() { // whose handler asks for no name (httpd: mod_proxy.c proxy_handler)
		traceOf(x, "", 1, "force filename ", x.Filename, " to have the Content-handler '", m.handler, "'")
		x.Handler = m.handler
	}
	return nil
}
