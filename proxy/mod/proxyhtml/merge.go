package proxyhtml

import (
	"slices"

	"balancerd/apacheconf/directive"
)

// merge joins what two scopes say. Where both have rules, the inner ones come first, each of the two lists from behind,
// as in httpd: which rule wins depends on it (mod_proxy_html.c proxy_html_merge). A flag that is on stays on.
func merge(outer, inner settings) settings {
	m := inner
	switch {
	case len(inner.rules) == 0:
		m.rules = outer.rules
	case len(outer.rules) > 0:
		m.rules = append(reversed(inner.rules), reversed(outer.rules)...)
	}
	if m.links == nil {
		m.links = outer.links
	}
	if m.events == nil {
		m.events = outer.events
	}
	m.doctype = inner.doctype.Over(outer.doctype)
	if m.out == "" {
		m.out = outer.out
	}
	if m.reset = false; inner.reset {
		return m
	}
	m.lower, m.dos = m.lower || outer.lower, m.dos || outer.dos
	m.enabled, m.meta, m.interp = m.enabled || outer.enabled, m.meta || outer.meta, m.interp || outer.interp
	m.extended, m.strip = m.extended || outer.extended, m.strip || outer.strip
	return m
}

func reversed(list []rule) []rule {
	list = slices.Clone(list)
	slices.Reverse(list)
	return list
}

// mergedAlong joins the scopes of a chain in httpd's order: sections of a kind among themselves, before what they stand
// in comes in (request.c ap_location_walk and its like).
func mergedAlong(chain []*directive.Scope) (m settings) {
	first := true
	for len(chain) > 0 {
		n := 1
		for n < len(chain) && kind(chain[n]) == kind(chain[0]) {
			n++
		}
		run := slices.DeleteFunc(slices.Clone(chain[:n]), func(s *directive.Scope) bool { return !scopes.Has(s) })
		chain = chain[n:]
		switch {
		case len(run) == 0:
		case first:
			m, first = scopes.Merged(run...), false
		default:
			m = merge(m, scopes.Merged(run...))
		}
	}
	return m
}

// kind is which sections are merged among themselves.
func kind(s *directive.Scope) directive.Where {
	if s.Kind&directive.Server != 0 {
		return directive.Server
	}
	return s.Kind
}
