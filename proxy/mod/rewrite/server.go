package rewrite

import (
	"context"
	"os"
	"os/user"
	"path"
	"strings"

	"balancerd/proxy/exchange"
)

// engine is the rules of a server. Immutable.
type engine struct {
	rules   *ruleSet
	maps    map[string]*rewriteMap
	options option // RewriteOptions of the server
	anyURI  bool   // AllowAnyURI, where the request is
	proxied bool   // mod_proxy is loaded
	main    bool   // no virtual host has a say here: others than the main server have no rules
}

// step applies a server's rules, in front of ProxyPass, Alias and Redirect (httpd: mod_rewrite.c hook_uri2file).
func (e *engine) step(_ context.Context, x *exchange.Exchange) error {
	if e.main && !x.Server.Main {
		return nil
	}
	if x.State[exchange.StateRewriteEnd] != nil {
		traceOf(x, "", 8, "Declining, no further rewriting due to END flag")
		return nil
	}
	if !e.anyURI && (x.Req.Target == "*" || x.Req.Path == "" || x.Req.Path[0] != '/') {
		traceOf(x, "", 8, "Declining, request-URI '", x.Req.Path, "' is not a URL-path. Consult the manual entry for the RewriteOptions directive for options and caveats about matching other strings.")
		return nil
	}
	setScriptURL(x)
	p := newPass(x, e.maps)
	defer p.end()
	p.options = e.options
	query, has := x.Req.Query, x.Req.HasQuery
	mapped := p.begin()
	res := p.run(e.rules)
	if res.outcome == unchanged {
		if p.traced {
			p.trace(1, "pass through ", x.Filename)
		}
		x.Filename = mapped
		return nil
	}
	if err := p.checkQuery(&res, "AH10410"); err != nil {
		return err
	}
	return e.settle(p, &res, query, has)
}

// begin makes x.Filename what the rules of a server look at first: the path, or the member's URL that a ProxyPass with
// mapping=encoded or mapping=servlet has made of it already, which is mapped.
func (p *pass) begin() (mapped string) {
	x := p.x
	if x.Forwarded() {
		if p.traced {
			p.trace(2, "init rewrite engine with passed filename ", x.Filename, ". Original uri = ", x.Req.Path)
		}
		return x.Filename
	}
	x.Notes.Unset(noCanon)
	x.Filename = x.Req.Path
	if p.traced {
		p.trace(2, "init rewrite engine with requested uri ", x.Filename)
	}
	return ""
}

// noCanon is the note that has a member's path sent as it is (httpd: mod_proxy.c).
const noCanon = "proxy-nocanon"

// setScriptURL sets SCRIPT_URL and SCRIPT_URI: the path that the client asked for, whatever becomes of it.
func setScriptURL(x *exchange.Exchange) {
	url := x.Req.Path
	if first, ok := x.Env.Get("REDIRECT_SCRIPT_URL"); ok {
		url = first
	}
	if x.Asker != nil {
		url = x.Env.Value("SCRIPT_URL")
	}
	x.Env.Set("SCRIPT_URL", url)
	x.Env.Set("SCRIPT_URI", ownURL(x, url))
}

// checkQuery refuses a query that could not stand in a request line, unless it is going to be escaped. What the rules
// answer with comes behind it.
func (p *pass) checkQuery(res *result, code string) error {
	x := p.x
	n, _ := absoluteURL(x.Filename)
	if x.Req.HasQuery && (n == 0 || res.pass || res.outcome == changedBare) && !allVisible(x.Req.Query) {
		x.Log("rewrite", exchange.Error, nil, code+": Rewritten query string contains control characters or spaces")
		return exchange.Status(403)
	}
	return res.err
}

// settle makes of what the rules have come to a member's URL, a redirect, a path for other modules or a file.
func (e *engine) settle(p *pass, res *result, query string, hadQuery bool) error {
	x := p.x
	switch n, _ := absoluteURL(x.Filename); {
	case len(x.Filename) > len(proxyPrefix) && strings.HasPrefix(x.Filename, proxyPrefix) && !res.pass:
		if err := p.toMember(res, e.proxied, "AH00669"); err != nil {
			return err
		}
		return exchange.Stop
	case n > 0 && !res.pass:
		return p.redirect(res, n, query, hadQuery)
	case res.pass:
		keepStatus(x, res)
		x.Req.Path, x.Filename = x.Filename, ""
		return nil
	}
	keepStatus(x, res)
	return p.toFile()
}

// toMember sends the request to a member, or whatever the URL leads to.
func (p *pass) toMember(res *result, proxied bool, code string) error {
	x := p.x
	if !proxied {
		x.Log("rewrite", exchange.Error, nil, code+": attempt to make remote request from mod_rewrite without proxy enabled: "+x.Filename)
		return exchange.Status(403)
	}
	if res.outcome == changedBare {
		x.Notes.Set(noCanon, "1")
		if x.Req.HasQuery {
			x.Filename = x.Arena.Join(x.Filename, "?", x.Req.Query)
		}
	}
	x.Handler = "proxy-server"
	if p.traced {
		p.traceDir(1, "go-ahead with proxy request ", x.Filename, " [OK]")
	}
	return nil
}

// redirect sends the client to a URL. A query that no rule has touched goes as it is.
func (p *pass) redirect(res *result, scheme int, query string, hadQuery bool) error {
	x := p.x
	url := x.Filename
	if res.outcome != changedBare {
		if p.traced {
			p.traceDir(1, "escaping ", url, " for redirect")
		}
		url = escapeURL(url, scheme)
	}
	if x.Req.HasQuery {
		args, verb, escaped := x.Req.Query, "copying", ""
		if res.outcome != changedBare && !(hadQuery && query == args) {
			args = exchange.EscapePath(args)
			verb, escaped = "escaping", args
		}
		url = x.Arena.Join(url, "?", args)
		if p.traced {
			p.traceDir(1, verb, " ", x.Req.Query, " to query string for redirect ", escaped)
		}
	}
	status := p.redirectStatus(res)
	told(x)
	x.Filename = url
	x.Res.Header.Set("Location", url)
	if p.traced {
		p.traceDir(1, "redirect to ", url, " [REDIRECT/", x.Arena.Int(int64(status)), "]")
	}
	return exchange.Status(status)
}

// redirectStatus is a redirect's: as the last rule that named one has it, of this list, of that of the server, or of the
// request that this one has replaced.
func (p *pass) redirectStatus(res *result) int {
	for _, status := range [...]int{res.status, keptStatus(p.x), carried(p.x)} {
		if isRedirect(status) {
			return status
		}
	}
	return 302
}

// carried is the status that the request began with; 0 for none.
func carried(x *exchange.Exchange) int {
	if x.Prev == nil {
		return 0
	}
	return x.Prev.Error
}

// toFile takes the path for a file's name, if its beginning says so, or for one below the document root.
func (p *pass) toFile() error {
	x := p.x
	name := homeFolder(x, x.Filename)
	if p.traced {
		p.trace(2, "local path result: ", name)
	}
	if !strings.HasPrefix(name, "/") {
		return exchange.Status(400)
	}
	if p.reduced || !p.isFileName(name) {
		full, ok := below(x.Server.DocumentRoot, name)
		if !ok {
			x.Log("core", exchange.Error, nil, x.Arena.Join("AH00127: Cannot map ", x.Req.Line, " to file"))
			if p.traced {
				p.trace(1, "prefixing with document_root of ", name, " FAILED")
			}
			x.Filename = ""
			return exchange.Status(403)
		}
		name = full
		if p.traced {
			p.trace(2, "prefixed with document_root to ", name)
		}
	}
	if p.traced {
		p.trace(1, "go-ahead with ", name, " [OK]")
	}
	x.Filename = cleaned(name)
	return exchange.Stop
}

// below is a path under a root; false when it leads out of it.
func below(root, name string) (full string, ok bool) {
	root = strings.TrimRight(root, "/")
	full = cleaned(root + name)
	return full, full == root || strings.HasPrefix(full, root+"/")
}

// cleaned is a file's name without empty, "." and ".." segments; a slash at the end stays.
func cleaned(name string) string {
	slash := strings.HasSuffix(name, "/")
	if name = path.Clean(name); slash && name != "/" {
		name += "/"
	}
	return name
}

// isFileName reports whether a path is that of a file: its first segment is there on disk, and the configuration, not
// the request, has chosen it (httpd: mod_rewrite.c prefix_stat).
func (p *pass) isFileName(name string) bool {
	first, _, _ := strings.Cut(strings.TrimLeft(name, "/"), "/")
	if first = path.Clean("/" + first); strings.IndexByte(first, 0) >= 0 {
		return false
	}
	if _, err := os.Stat(first); err != nil {
		return false
	}
	r := p.latest
	if p.options&unsafeStat != 0 || r == nil {
		if p.traced {
			p.trace(3, "prefix_stat no lastsub subst prefix ", first)
		}
		return true
	}
	if p.traced {
		p.trace(3, "prefix_stat compare statpath ", first, " and lastsub output ", r.output, " STATOK ", p.x.Arena.Int(int64(r.flags&statPrefix)), " ")
	}
	if r.flags&statPrefix != 0 {
		return true
	}
	root, context := p.x.Server.DocumentRoot, p.x.ContextRoot()
	return p.begins(r.output, first) || p.begins(name, root) || root != context && p.begins(name, context)
}

func (p *pass) begins(text, with string) bool {
	ok := strings.HasPrefix(text, with)
	if p.traced {
		is := "0"
		if ok {
			is = "1"
		}
		p.trace(5, "prefix_stat startsWith(", text, ", ", with, ") ", is)
	}
	return ok
}

// homeFolder puts a user's home in the place of "/~user".
func homeFolder(x *exchange.Exchange, name string) string {
	rest, ok := strings.CutPrefix(name, "/~")
	if !ok {
		return name
	}
	who, rest, _ := cutBefore(rest, '/')
	if who == "" {
		return name
	}
	x.Block()
	u, err := user.Lookup(who)
	if err != nil || u.HomeDir == "" {
		return name
	}
	if rest == "" {
		return u.HomeDir
	}
	return strings.TrimSuffix(u.HomeDir, "/") + rest
}
