package substitute

import (
	"errors"
	"math"
	"slices"
	"strings"

	"balancerd/apacheconf/directive"
)

// settings are what a scope says.
type settings struct {
	rules  []rule
	most   directive.Opt[int64] // bytes of a line
	before directive.Opt[bool]
}

// defaultMost is httpd's AP_SUBST_MAX_LINE_LENGTH.
const defaultMost = 1 << 20

var scopes = directive.NewKey("substitute", func(outer, inner settings) settings {
	m := settings{most: inner.most.Over(outer.most), before: inner.before.Over(outer.before)}
	if m.before.Or(false) {
		m.rules = slices.Concat(outer.rules, inner.rules)
	} else {
		m.rules = slices.Concat(inner.rules, outer.rules)
	}
	return m
})

func setBefore(s *directive.Scope, a directive.Args) error {
	scopes.In(s).before.Set(a.On)
	return nil
}

// setMost reads a number with b, k, m or g behind it (httpd: mod_substitute.c set_max_line_length).
func setMost(s *directive.Scope, a directive.Args) error {
	n, rest, err := directive.Leading(a.Words[0])
	unit, ok := map[string]int64{"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}[strings.ToLower(rest)]
	switch {
	case err != nil, n < 0, !ok:
		return errors.New("SubstituteMaxLineLength must be a non-negative integer optionally suffixed with 'b', 'k', 'm' or 'g'.")
	case n > math.MaxInt64/unit:
		return errors.New("SubstituteMaxLineLength value too large")
	}
	scopes.In(s).most.Set(n * unit)
	return nil
}
