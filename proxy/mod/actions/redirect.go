package actions

import (
	"cmp"
	"context"
	"strings"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// mostRedirects is how often a request that Script has a path for may have been redirected before nothing more is done
// about it, an Action neither (httpd: r->prev->prev).
const mostRedirects = 2

// build adds what comes in front of the handlers, and of the filters that are put in with them.
func build(chain []*directive.Scope, p *site.Plan) error {
	s := dirs.Merged(chain...)
	if len(s.actions)+len(s.scripts) > 0 {
		p.AddFirst(site.Insert, "Action", s.redirect)
	}
	return nil
}

// redirect has another path serve the request if something names one, and no handler of this server is asked for (httpd:
// mod_actions.c action_handler).
func (s *settings) redirect(_ context.Context, x *exchange.Exchange) error {
	p := site.PlanOf(x)
	if _, ok := p.HandlerNamed(x.Handler); ok || strings.HasPrefix(x.Handler, "proxy:") {
		return nil
	}
	script := s.script(x)
	if script != "" && x.Prev != nil && x.Prev.Redirects >= mostRedirects {
		return nil
	}
	path, err := s.action(x, p)
	if err != nil {
		return err
	}
	if path = cmp.Or(path, script); path == "" {
		return nil
	}
	path += exchange.EscapePath(x.Req.Path)
	if x.Req.HasQuery {
		path += "?" + x.Req.Query
	}
	return &exchange.Redirect{Path: path}
}

// script is the path of the request's method; of a GET, only with a query. "" for none.
func (s *settings) script(x *exchange.Exchange) string {
	method := same(x.Req.Method)
	if method == "GET" && !x.Req.HasQuery {
		return ""
	}
	return s.scripts[method]
}

// action is the path of the request's handler, or media type; "" for none.
func (s *settings) action(x *exchange.Exchange, p *site.Plan) (path string, err error) {
	if len(s.actions) == 0 {
		return "", nil
	}
	name := x.Handler
	if name == "" {
		name, _, _ = strings.Cut(p.MediaType(x), ";")
		name = strings.TrimRight(name, " \t")
	}
	a, ok := s.actions[name]
	if !ok || name == "" {
		return "", nil
	}
	if !a.virtual && x.FileType == exchange.NoFile {
		x.Log("actions", exchange.Info, nil, x.Arena.Join("AH00652: File does not exist: ", x.Filename))
		return "", exchange.Status(404)
	}
	x.Env.Set("HANDLER", strings.Clone(name))
	return a.path, nil
}
