package proxyhtml

import (
	"errors"
	"strconv"
	"strings"

	"balancerd/apacheconf/directive"
)

// settings are what a scope says (httpd: mod_proxy_html.c proxy_html_conf).
type settings struct {
	rules    []rule
	links    map[string][]string // attributes by element; nil: nothing is said
	events   []string            // nil: likewise
	doctype  directive.Opt[doctype]
	out      string // ProxyHTMLCharsetOut; "" for none
	lower    bool
	dos      bool
	reset    bool
	enabled  bool
	meta     bool
	interp   bool
	extended bool
	strip    bool
}

// doctype is what a page is to begin with, and whether empty elements end as in XML.
type doctype struct {
	text string
	xml  bool
}

var scopes = directive.NewKey("proxy_html", merge)

func flag(of func(*settings) *bool) func(*directive.Scope, directive.Args) error {
	return func(s *directive.Scope, a directive.Args) error {
		*of(scopes.In(s)) = a.On
		return nil
	}
}

func setLinks(s *directive.Scope, a directive.Args) error {
	m := scopes.In(s)
	if m.links == nil {
		m.links = map[string][]string{}
	}
	m.links[a.Words[0]] = append(m.links[a.Words[0]], a.Words[1])
	return nil
}

func setEvents(s *directive.Scope, a directive.Args) error {
	m := scopes.In(s)
	m.events = append(m.events, a.Words[0])
	return nil
}

const (
	html4       = "<!DOCTYPE html PUBLIC \"-//W3C//DTD HTML 4.01//EN\">\n"
	html4Loose  = "<!DOCTYPE html PUBLIC \"-//W3C//DTD HTML 4.01 Transitional//EN\">\n"
	xhtml1      = "<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Strict//EN\" \"http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd\">\n"
	xhtml1Loose = "<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Transitional//EN\" \"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd\">\n"
	html5       = "<!DOCTYPE html>\n"
)

func setDoctype(s *directive.Scope, a directive.Args) error {
	more := ""
	if len(a.Words) > 1 {
		more = strings.ToLower(a.Words[1])
	}
	var d doctype
	switch strings.ToLower(a.Words[0]) {
	case "xhtml":
		d = doctype{xhtml1, true}
		if more == "legacy" {
			d.text = xhtml1Loose
		}
	case "html":
		d = doctype{html4, false}
		if more == "legacy" {
			d.text = html4Loose
		}
	case "html5":
		d = doctype{html5, false}
	default:
		d = doctype{a.Words[0], strings.HasPrefix(more, "x")}
	}
	scopes.In(s).doctype.Set(d)
	return nil
}

func setFixups(s *directive.Scope, a directive.Args) error {
	m := scopes.In(s)
	switch strings.ToLower(a.Words[0]) {
	case "lowercase":
		m.lower = true
	case "dospath":
		m.dos = true
	case "reset":
		m.reset = true
	}
	return nil
}

func checkBufSize(s *directive.Scope, a directive.Args) error {
	if _, err := strconv.ParseInt(a.Words[0], 0, 64); err != nil {
		return errors.New("Invalid value for directive ProxyHTMLBufSize, expected integer")
	}
	scopes.In(s)
	return nil
}

func setCharsetOut(s *directive.Scope, a directive.Args) error {
	scopes.In(s).out = a.Words[0]
	return nil
}
