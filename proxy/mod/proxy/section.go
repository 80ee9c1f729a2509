package proxy

import (
	"errors"
	"strings"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
	"balancerd/apacheconf/pattern"
	"balancerd/proxy/mod/hcheck"
	"balancerd/proxy/upstream"
)

var (
	errSectionParameter = errors.New("Invalid Proxy parameter. Parameter must be in the form 'key=value'")
	errSectionUnix      = errors.New(`<Proxy/ProxyMatch > uses an invalid "unix:" URL`)
	errSectionGlob      = errors.New("<Proxy> arguments are not supported for wildchar url.")
	errSectionName      = errors.New("<Proxy> arguments are not supported for non url.")
	errSectionMatch     = errors.New("Multiple <ProxyMatch> arguments not (yet) supported.")
)

// openProxy makes the scope of a <Proxy> or <ProxyMatch>. "~" means nothing in a <Proxy>, unlike in
// other sections.
func openProxy(s *directive.Scope, a directive.Args) (*directive.Scope, error) {
	child, err := directive.OpenSection(s, a)
	if err != nil {
		return nil, err
	}
	if len(child.Arg) >= len(upstream.Prefix) && strings.EqualFold(child.Arg[:len(upstream.Prefix)], upstream.Prefix) {
		child.Arg = child.Arg[len(upstream.Prefix):]
	}
	return child, nil
}

// closeProxy obeys the section's key=value words, which httpd does when it has read what is inside
// (httpd: mod_proxy.c proxysection).
func closeProxy(s *directive.Scope, a directive.Args) error {
	words := apacheconf.Words(hcheck.QuoteWhole(s.More))
	switch {
	case len(words) == 0:
		return nil
	case s.Regex:
		return errSectionMatch
	case pattern.IsShell(s.Arg):
		return errSectionGlob
	case strings.IndexByte(s.Arg, ':') < 0:
		return errSectionName
	}
	t, err := makeTarget(s, s.Arg, false, errSectionUnix)
	if err != nil {
		return carried("<Proxy ", err, errSectionUnix)
	}
	return t.setAll(s, words, s.Arg, "<Proxy ", errSectionParameter)
}

// carried puts the directive's name in front of an error's text, unless it is complete already.
func carried(name string, err, complete error) error {
	if err == complete {
		return err
	}
	return errors.New(name + err.Error())
}
