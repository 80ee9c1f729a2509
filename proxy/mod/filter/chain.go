package filter

import (
	"context"
	"strings"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// link is a filter of a chain by its name, or the mark behind which the chain begins anew.
type link struct {
	name    string
	restart bool
}

func (s *settings) append(name string) { s.chain = append(s.chain, link{name: name}) }

// setChain is one word of FilterChain (httpd: mod_filter.c filter_chain).
func setChain(s *directive.Scope, a directive.Args) error {
	c, word := scopes.In(s), a.Words[0]
	switch name := word[1:]; word[0] {
	case '+':
		c.append(name)
	case '@':
		c.chain = append([]link{{name: name}}, c.chain...)
	case '-':
		c.remove(name)
	case '!':
		c.chain = []link{{restart: true}}
	case '=':
		c.chain = []link{{restart: true}, {name: name}}
	default:
		c.append(word)
	}
	return nil
}

// remove takes a name out of this scope's own chain: one at its front alone, else each further one.
func (s *settings) remove(name string) {
	if len(s.chain) > 0 && strings.EqualFold(s.chain[0].name, name) {
		s.chain = s.chain[1:]
		return
	}
	for i := 1; i < len(s.chain); i++ {
		if strings.EqualFold(s.chain[i].name, name) {
			s.chain = append(s.chain[:i:i], s.chain[i+1:]...)
		}
	}
}

// build puts the filters of the merged chain to use.
func build(chain []*directive.Scope, p *site.Plan) error {
	m := scopes.Merged(chain...)
	list := m.chain
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].restart {
			list = list[i+1:]
			break
		}
	}
	ranges := true
	for _, l := range list {
		f := m.smart[l.name]
		if f == nil {
			p.UseOutput(missing(l.name))
			continue
		}
		p.UseOutput(exchange.Filter{Name: f.name, Kind: f.kind, Do: f.do})
		if ranges && (f.protocol.noRanges || f.protocol.changesLength) {
			ranges = false
			p.Add(site.Fixup, "FilterProtocol", dropRange)
		}
	}
	return nil
}

// missing stands for a filter that was never declared.
func missing(name string) exchange.Filter {
	return exchange.Filter{Name: name, Pages: true, Do: func(_ context.Context, x *exchange.Exchange) error {
		x.Log("filter", exchange.Warn, nil, x.Arena.Join("AH01380: Unknown filter ", name, " not added"))
		return nil
	}}
}

// dropRange keeps a range from the member: it would be one of the body as it was. It is cut out of what the filter
// makes (smart.go).
func dropRange(_ context.Context, x *exchange.Exchange) error {
	if r, ok := x.Req.Header.Lookup("Range"); ok {
		x.Withheld = r
		x.Req.Header.Del("Range")
	}
	return nil
}
