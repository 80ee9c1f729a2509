package proxyhtml

import (
	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// Modules are mod_proxy_html and mod_xml2enc.
func Modules() []site.Module {
	return []site.Module{
		{Name: "proxy_html", Open: open, Reads: []string{"proxy_html", "xml2enc"}, Table: directive.Table{
			{Name: "ProxyHTMLEnable", Set: flag(func(s *settings) *bool { return &s.enabled }), Help: "members' pages are rewritten"},
			{Name: "ProxyHTMLURLMap", Set: setMap, Help: "from, to, flags and a condition"},
			{Name: "ProxyHTMLLinks", Set: setLinks, Help: "attributes of an element that hold a URL"},
			{Name: "ProxyHTMLEvents", Set: setEvents, Help: "attributes that hold scripts"},
			{Name: "ProxyHTMLDoctype", Set: setDoctype, Help: "the document type that pages are given", Partial: "elements and attributes that are none of the document type's stay"},
			{Name: "ProxyHTMLFixups", Set: setFixups, Help: "lowercase, dospath: of all attributes; reset: nothing from outside"},
			{Name: "ProxyHTMLMeta", Set: flag(func(s *settings) *bool { return &s.meta }), Help: "<meta http-equiv> becomes a field of the head"},
			{Name: "ProxyHTMLInterp", Set: flag(func(s *settings) *bool { return &s.interp }), Help: "rules have variables and conditions"},
			{Name: "ProxyHTMLExtended", Set: flag(func(s *settings) *bool { return &s.extended }), Help: "scripts, styles and events, too"},
			{Name: "ProxyHTMLStripComments", Set: flag(func(s *settings) *bool { return &s.strip }), Help: "comments go"},
			{Name: "ProxyHTMLBufSize", Ignored: &directive.Ignored{Check: checkBufSize, Tuning: true}},
			{Name: "ProxyHTMLCharsetOut", Set: setCharsetOut, Help: "the charset that pages are sent in; * as they came"},
		}},
		{Name: "xml2enc", Table: directive.Table{
			{Name: "xml2EncDefault", Set: setDefault, Help: "the charset of pages that name none"},
			{Name: "xml2EncAlias", Set: setAlias, Help: "other names of a charset"},
			{Name: "xml2StartParse", Ignored: &directive.Ignored{}},
		}},
	}
}

func open(c *directive.Config, s *site.Site) (site.Builder, error) {
	if !c.Loaded("mod_proxy_html.c") {
		return nil, nil
	}
	names := charsets{aliases: *aliases.In(c.Main)}
	converts := c.Loaded("mod_xml2enc.c")
	if !converts && scopes.Has(c.Main) {
		s.WarnAtStart("proxy_html", exchange.Notice, "AH01425: I18n support in mod_proxy_html requires mod_xml2enc. Without it, non-ASCII characters in proxied pages are likely to display incorrectly.")
	}
	return func(chain []*directive.Scope, p *site.Plan) error {
		f := newFilter(scopes.Merged(chain...), defaults.Merged(chain...), names)
		f.converts = converts
		p.OutputFor(exchange.Filter{Name: "proxy-html", Kind: exchange.Resource, Do: f.named})
		if converts {
			p.OutputFor(exchange.Filter{Name: "xml2enc", Kind: exchange.Resource, Do: f.recode})
		}
		if f.settings.enabled {
			p.UseOutput(exchange.Filter{Name: "proxy-html", Kind: exchange.Resource, Do: f.do})
		}
		return nil
	}, nil
}
