package headers

import (
	"context"
	"slices"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// lists are a scope's directives, in order (httpd: mod_headers.c headers_conf).
type lists struct {
	request  []edit
	response []edit
	always   []edit
}

var settings = directive.NewKey("headers", func(outer, inner lists) lists {
	return lists{
		request:  slices.Concat(outer.request, inner.request),
		response: slices.Concat(outer.response, inner.response),
		always:   slices.Concat(outer.always, inner.always),
	}
})

// Module is mod_headers.
func Module() site.Module {
	return site.Module{Name: "headers", Open: open, Reads: []string{"headers"}, Table: directive.Table{
		{Name: "Header", Set: setResponse, Help: "a condition, an action, a field of the answer, and a value"},
		{Name: "RequestHeader", Set: setRequest, Help: "an action, a field of the request, and a value"},
	}}
}

// Modules is the module in a list.
func Modules() []site.Module { return []site.Module{Module()} }

func open(c *directive.Config, s *site.Site) (site.Builder, error) {
	var busy *meter
	if meters.Has(c.Main) {
		busy = *meters.In(c.Main)
	}
	return func(chain []*directive.Scope, p *site.Plan) error {
		if busy != nil {
			busy.total = int64(s.Settings.MaxWorkers)
			p.Add(site.Early, "Header", busy.step)
		}
		build(chain, p)
		return nil
	}, nil
}

func build(chain []*directive.Scope, p *site.Plan) {
	n := 0
	for n < len(chain) && chain[n].Kind&directive.Server != 0 {
		n++
	}
	typed := early(settings.Merged(chain[:n]...), p)
	late := settings.Merged(chain...)
	if list := only(late.request, false); len(list) > 0 {
		p.Add(site.Fixup, "RequestHeader", requestStep(list))
	}
	if r := newReply(only(late.always, false), only(late.response, false), typed); r != nil {
		p.Add(site.Reply, "Header", r.step)
	}
}

// early are the edits that are made when the request was just read, before any other module looks at
// it: of the request, then of the response to come (httpd: mod_headers.c ap_headers_early, hooked first).
// typed: some of them is of the response's type.
func early(l lists, p *site.Plan) (typed bool) {
	if always, response := only(l.always, true), only(l.response, true); len(always)+len(response) > 0 {
		typed = slices.ContainsFunc(slices.Concat(always, response), func(e edit) bool { return e.isType })
		p.AddFirst(site.Early, "Header", func(_ context.Context, x *exchange.Exchange) error {
			t := target{x: x, h: &x.Res.Always}
			apply(always, &t)
			t.h = &x.Res.Header
			apply(response, &t)
			x.Res.Type = t.ct
			return nil
		})
	}
	if list := only(l.request, true); len(list) > 0 {
		p.AddFirst(site.Early, "RequestHeader", requestStep(list))
	}
	return typed
}

func only(list []edit, early bool) []edit {
	var out []edit
	for _, e := range list {
		if e.early == early {
			out = append(out, e)
		}
	}
	return out
}

func requestStep(list []edit) exchange.Step {
	connection := slices.ContainsFunc(list, func(e edit) bool { return exchange.EqualFold(e.name, "Connection") })
	return func(_ context.Context, x *exchange.Exchange) error {
		apply(list, &target{x: x, h: &x.Req.Header})
		x.Req.Rejoined = x.Req.Rejoined || connection
		return nil
	}
}
