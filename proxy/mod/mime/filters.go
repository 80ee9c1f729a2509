package mime

import (
	"context"
	"strings"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// addFilters is AddOutputFilter and AddInputFilter.
func addFilters(of field) func(*directive.Scope, directive.Args) error {
	set := add(of)
	return func(s *directive.Scope, a directive.Args) error {
		s.Config.HintFilters(a, a.Words[0])
		return set(s, a)
	}
}

// filters are those that an extension puts into an exchange's way, by name.
type filters struct{ outputs, inputs []string }

func filtersOf(extensions map[string]extension) map[string]filters {
	of := map[string]filters{}
	for ext, e := range extensions {
		if f := (filters{directive.FilterNames(e.outputs.Or("")), directive.FilterNames(e.inputs.Or(""))}); len(f.outputs)+len(f.inputs) > 0 {
			of[ext] = f
		}
	}
	return of
}

// addFilters puts the filters of each extension of the name into this exchange's way, in the name's order
// (httpd: mod_mime.c find_ct).
func (p *plan) addFilters(_ context.Context, x *exchange.Exchange) error {
	for rest := extensions(p.named(x)); rest != ""; {
		var ext string
		ext, rest, _ = strings.Cut(rest, ".")
		f := p.extensions.filters[strings.ToLower(ext)]
		for _, name := range f.outputs {
			site.AddOutputNamed(x, name)
		}
		for _, name := range f.inputs {
			site.AddInputNamed(x, name)
		}
	}
	return nil
}
