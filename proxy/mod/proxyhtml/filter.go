package proxyhtml

import (
	"context"
	"io"
	"regexp"

	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// rewriter is proxy-html and xml2enc with the settings of a chain of scopes. Immutable.
type rewriter struct {
	settings
	charsets
	fallback string          // xml2EncDefault
	converts bool            // mod_xml2enc is there
	event    map[string]bool // ProxyHTMLEvents
	links    map[string]map[string]bool
}

func newFilter(s settings, fallback string, names charsets) *rewriter {
	f := &rewriter{settings: s, charsets: names, fallback: fallback, event: map[string]bool{}, links: map[string]map[string]bool{}}
	for _, name := range s.events {
		f.event[name] = true
	}
	for element, list := range s.links {
		f.links[element] = map[string]bool{}
		for _, name := range list {
			f.links[element][name] = true
		}
	}
	return f
}

// do is what ProxyHTMLEnable puts in: pages are made UTF-8 first.
func (f *rewriter) do(ctx context.Context, x *exchange.Exchange) error {
	return f.rewrite(x, f.converts)
}

// named is the filter proxy-html by its name alone.
func (f *rewriter) named(ctx context.Context, x *exchange.Exchange) error { return f.rewrite(x, false) }

// isPage reports whether an answer is to be rewritten (httpd: mod_proxy_html.c check_filter_init).
func (f *rewriter) isPage(x *exchange.Exchange) bool {
	if len(f.links) == 0 || coded(&x.Res) {
		return false
	}
	if x.Env.Has("PROXY_HTML_FORCE") {
		return true
	}
	return x.Forwarded() && hasType(site.ContentType(x), "text/html", "application/xhtml+xml")
}

// coded reports whether an answer is packed: it can't be read.
func coded(r *exchange.Response) bool {
	c := r.Header.Get("Content-Encoding")
	return c != "" && !exchange.EqualFold(c, "identity")
}

// hasType reports whether a media type begins with one of these.
func hasType(t string, names ...string) bool {
	for _, n := range names {
		if len(t) >= len(n) && exchange.EqualFold(t[:len(n)], n) {
			return true
		}
	}
	return false
}

// leastPage is up to which length a page is none.
const leastPage = 4

// rewrite has a page pass through the rules.
func (f *rewriter) rewrite(x *exchange.Exchange, convert bool) error {
	if !f.isPage(x) {
		return nil
	}
	r := &x.Res
	known := r.Length
	r.Length = -1
	r.Header.Del("Content-Length")
	if r.Body == nil || x.HeadOnly || known >= 0 && known < leastPage {
		if convert {
			nameUTF8(x)
		}
		if r.Body != nil && !x.HeadOnly {
			r.Length = known
		}
		return nil
	}
	p := &page{rewriter: f, x: x, rules: f.inForce(x)}
	p.charset = charset{name: declared(site.ContentType(x)), convert: convert}
	if !f.converts {
		x.Log("proxy_html", exchange.Warn, nil, "AH01422: No i18n support found.  Install mod_xml2enc if required")
	}
	if f.settings.meta || f.out == "*" && convert && p.charset.name == "" {
		if err := p.look(); err != nil {
			return err
		}
	}
	f.describe(p, convert)
	r.Streamed = nil
	r.Body = exchange.Rewritten(r.Body, func(out io.Writer) exchange.Rewriter { return exchange.Pulled(out, p.run) })
	return nil
}

// describe tells the page's new charset.
func (f *rewriter) describe(p *page, convert bool) {
	name := "utf-8"
	if f.out != "" && convert {
		name = f.out
		if name == "*" {
			name = p.charset.name
			if name == "" {
				name = f.fallbackName()
			}
		}
		p.out = f.find(name)
	}
	p.x.Res.Header.Set("Content-Type", p.x.Arena.Join("text/html;charset=", name))
}

// nameUTF8 gives an answer's type the charset that xml2enc makes of any, in the place of one that it names (httpd:
// mod_xml2enc.c sniff_encoding).
func nameUTF8(x *exchange.Exchange) {
	if exchange.Bodiless(x.Res.Status) {
		return
	}
	t := site.ContentType(x)
	before, after := t+";charset=", ""
	if at := namedCharset.FindStringSubmatchIndex(t); at != nil {
		before, after = t[:at[2]], t[at[3]:]
	}
	x.Res.Header.Set("Content-Type", x.Arena.Join(before, "utf-8", after))
}

var namedCharset = regexp.MustCompile(`(?i)charset=([A-Za-z0-9_-]+)`)

// recode is the filter xml2enc by its name alone: a page becomes UTF-8.
func (f *rewriter) recode(_ context.Context, x *exchange.Exchange) error {
	r := &x.Res
	t := site.ContentType(x)
	if coded(r) || !hasType(t, "text/html", "application/xhtml+xml") {
		return nil
	}
	r.Length = -1
	r.Header.Del("Content-Length")
	c := charset{name: declared(t), convert: true}
	nameUTF8(x)
	if r.Body == nil || x.HeadOnly {
		return nil
	}
	r.Body = exchange.Rewritten(r.Body, func(out io.Writer) exchange.Rewriter {
		return exchange.Pulled(out, func(in io.Reader, out io.Writer) error {
			_, err := io.Copy(out, f.decoded(x, &c, in))
			return err
		})
	})
	return nil
}
