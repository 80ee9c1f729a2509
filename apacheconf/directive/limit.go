package directive

import (
	"errors"
	"slices"
	"strings"

	"balancerd/apacheconf"
)

// openLimit makes a view of the scope for the methods of a <Limit> or <LimitExcept>. Within another one
// it holds for what both have in common (httpd: core.c ap_limit_section).
func openLimit(s *Scope, a Args, arg string) (*Scope, error) {
	v := s.View(a.Name[1:])
	v.Limited, v.Except = []string{}, strings.EqualFold(a.Name, "<LimitExcept")
	for _, m := range apacheconf.Words(arg) {
		if m == "TRACE" && !v.Except {
			return nil, errors.New("TRACE cannot be controlled by <Limit>, see TraceEnable")
		}
		v.Limited = append(v.Limited, m)
	}
	if s.Limited == nil {
		return v, nil
	}
	v.Limited, v.Except = common(s.Limited, s.Except, v.Limited, v.Except)
	switch {
	case !v.Except && len(v.Limited) == 0:
		return nil, errors.New(a.Name + "> directive excludes all methods")
	case v.Except == s.Except && len(without(s.Limited, v.Limited))+len(without(v.Limited, s.Limited)) == 0:
		return nil, errors.New(a.Name + "> directive specifies methods already excluded")
	}
	return v, nil
}

// common is the intersection of two sets of methods; except: those that are not in the list.
func common(a []string, exceptA bool, b []string, exceptB bool) (list []string, except bool) {
	switch {
	case exceptA && exceptB:
		return append(slices.Clone(a), without(b, a)...), true
	case exceptA:
		return without(b, a), false
	case exceptB:
		return without(a, b), false
	}
	return without(a, without(a, b)), false
}

// without is the methods of a list that are not in another.
func without(list, other []string) []string {
	out := []string{}
	for _, m := range list {
		if !slices.ContainsFunc(other, func(o string) bool { return sameMethod(o, m) }) {
			out = append(out, m)
		}
	}
	return out
}

// sameMethod: HEAD is GET (httpd: http_protocol.c lookup_builtin_method).
func sameMethod(a, b string) bool {
	if a == "HEAD" {
		a = "GET"
	}
	if b == "HEAD" {
		b = "GET"
	}
	return a == b
}
