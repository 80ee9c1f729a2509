package alias

import (
	"context"
	"errors"
	"strings"

	"balancerd/apacheconf/directive"
	"balancerd/apacheconf/pattern"
	"balancerd/proxy/exchange"
	"balancerd/proxy/expr"
	"balancerd/proxy/site"
)

// statusWords are the words that Redirect takes for a status.
var statusWords = map[string]int{"permanent": 301, "temp": 302, "seeother": 303, "gone": 410}

// first is what the first argument of Redirect turned out to be.
type first uint8

const (
	noStatus    first = iota // a path or URL
	moved                    // a status that needs a URL
	otherStatus              // a status that needs none
)

func statusOf(word string, standard int) (int, first) {
	status, ok := statusWords[strings.ToLower(word)]
	if !ok {
		if word == "" || word[0] < '0' || word[0] > '9' {
			return standard, noStatus
		}
		status = directive.Atoi(word)
	}
	if isRedirect(status) {
		return status, moved
	}
	return status, otherStatus
}

func isRedirect(status int) bool { return status >= 300 && status < 400 }

// setRedirect is Redirect and its kin (httpd: mod_alias.c add_redirect_internal).
func setRedirect(standard int, regex bool) func(*directive.Scope, directive.Args) error {
	return func(s *directive.Scope, a directive.Args) error {
		w := [3]string{}
		n := copy(w[:], a.Words)
		status, kind := statusOf(w[0], standard)
		if n == 3 && kind == noStatus {
			return errors.New("Redirect: invalid first argument (of three)")
		}
		if inSection(s) {
			switch {
			case kind == moved && n == 2:
				return wholeSection(s, status, w[1])
			case kind == noStatus && n == 1:
				return wholeSection(s, status, w[0])
			case kind == otherStatus && n == 1:
				dirs.In(s).redirect = redirect{set: true, status: status}
				return nil
			}
		}
		if n < 3 && kind == noStatus {
			w = [3]string{"", w[0], w[1]}
		}
		r := rule{prefix: w[1], to: w[2], status: status, pos: a.Pos}
		return addRedirect(s, r, regex)
	}
}

// wholeSection is the form with an expression.
func wholeSection(s *directive.Scope, status int, url string) error {
	e, err := expr.CompileString(url, site.ExprOptions(s, "alias"))
	if err != nil {
		return errors.New("Cannot parse redirect expression '" + url + "': " + err.Error())
	}
	dirs.In(s).redirect = redirect{set: true, to: e, status: status}
	return nil
}

func addRedirect(s *directive.Scope, r rule, regex bool) error {
	if regex {
		p, err := pattern.Compile(r.prefix, pattern.Options{})
		if err != nil {
			return errRegex
		}
		r.pattern = p
	}
	switch {
	case !isRedirect(r.status) && r.to != "":
		return errors.New("Redirect URL not valid for this status")
	case isRedirect(r.status) && r.to == "":
		return errors.New("URL to redirect to is missing")
	case isRedirect(r.status) && !regex && !exchange.HasScheme(r.to) && r.to[0] != '/':
		return errors.New("Redirect to non-URL")
	}
	list := &servers.In(s).redirects
	if inSection(s) {
		list = &dirs.In(s).redirects
	}
	*list = append(*list, r)
	return nil
}

var errRegex = errors.New("Regular expression could not be compiled.")

func setRelative(s *directive.Scope, a directive.Args) error {
	dirs.In(s).relative.Set(a.On)
	return nil
}

// redirects is the compiled redirects of one chain for one phase.
type redirects struct {
	section  redirect
	list     []rule
	relative bool
	made     string // AH number of "cannot redirect", which differs by phase
	modified string // AH number of "incomplete redirection target"
}

// empty reports whether there is nothing to do.
func (r *redirects) empty() bool { return !r.section.set && len(r.list) == 0 }

// step answers a request that a redirect holds for (httpd: mod_alias.c translate_alias_redir, fixup_redir).
func (r *redirects) step(_ context.Context, x *exchange.Exchange) error {
	if x.Req.Path != "" && x.Req.Path[0] != '/' {
		return nil
	}
	url, status, err := r.find(x)
	if err != nil || status == 0 {
		return err
	}
	if !isRedirect(status) {
		return exchange.Status(status)
	}
	return r.send(x, url, status)
}

// find is the URL and status to answer with; status 0: none.
func (r *redirects) find(x *exchange.Exchange) (string, int, error) {
	if r.section.set {
		return r.section.eval(x)
	}
	var storage [20]int
	for i := range r.list {
		rule := &r.list[i]
		if rest, groups, ok := rule.match(x, storage[:0]); ok {
			return rule.url(x.Req.Path, rest, groups), rule.status, nil
		}
	}
	return "", 0, nil
}

func (d *redirect) eval(x *exchange.Exchange) (string, int, error) {
	if d.to == nil {
		return "", d.status, nil
	}
	url, err := d.to.Eval(x)
	if err != nil {
		x.Log("alias", exchange.Error, nil, "AH02826: Can't evaluate redirect expression: "+err.Error())
		return "", 0, exchange.Status(500)
	}
	return rewritten(url), d.status, nil
}

func (r *rule) url(path string, rest int, groups []int) string {
	switch {
	case r.to == "":
		return ""
	case r.pattern != nil:
		return rewritten(string(r.pattern.Expand(nil, r.to, path, groups)))
	}
	return r.to + exchange.EscapePath(path[rest:])
}

// send makes the target absolute and puts the query behind it.
func (r *redirects) send(x *exchange.Exchange, url string, status int) error {
	local := strings.HasPrefix(url, "/")
	if local && !r.relative {
		full := x.ConstructURL(url)
		x.Log("alias", exchange.Debug, nil, x.Arena.Join(r.modified, ": incomplete redirection target of '", url, "' for URI '", x.Req.Path, "' modified to '", full, "'"))
		url = full
	}
	if !(local && r.relative) && !exchange.HasScheme(url) {
		x.Log("alias", exchange.Error, nil, x.Arena.Join(r.made, ": cannot redirect '", x.Req.Path, "' to '", url, "'; target is not a valid absoluteURI or abs_path"))
		return exchange.Status(500)
	}
	if x.Req.HasQuery && strings.IndexByte(url, '?') < 0 {
		url = x.Arena.Join(url, "?", x.Req.Query)
	}
	x.Res.Always.Set("Location", url)
	return exchange.Status(status)
}
