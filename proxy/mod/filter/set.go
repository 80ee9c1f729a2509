package filter

import "balancerd/apacheconf/directive"

// names are what SetOutputFilter and SetInputFilter say in a scope: the innermost one replaces.
type names struct{ output, input []string }

var named = directive.NewKey("core filters", func(outer, inner names) names {
	if inner.output == nil {
		inner.output = outer.output
	}
	if inner.input == nil {
		inner.input = outer.input
	}
	return inner
})

func setOutput(s *directive.Scope, a directive.Args) error {
	s.Config.HintFilters(a, a.Words[0])
	named.In(s).output = directive.FilterNames(a.Words[0])
	return nil
}

func setInput(s *directive.Scope, a directive.Args) error {
	s.Config.HintFilters(a, a.Words[0])
	named.In(s).input = directive.FilterNames(a.Words[0])
	return nil
}
