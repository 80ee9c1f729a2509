package proxyhtml

import "slices"

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
