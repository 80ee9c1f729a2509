package substitute

import (
	"errors"
	"regexp"
	"strings"

	"balancerd/apacheconf/directive"
	"balancerd/apacheconf/pattern"
)

// rule is one Substitute. Immutable.
type rule struct {
	text  string           // what is looked for; "" if a pattern is
	re    *pattern.Pattern // nil: text
	to    string
	plain bool // to is put in as it is
	quick bool // what it replaces stays apart
	once  bool // it is bound to the line's beginning
}

// setRule reads s/from/to/flags, with any character in the place of the slash (httpd: mod_substitute.c set_pattern).
func setRule(s *directive.Scope, a directive.Args) error {
	line := a.Words[0]
	if line == "" || line[0]|0x20 != 's' {
		return errors.New("Bad Substitute format, must be an s/// pattern")
	}
	from, to, flags, ok := cut(line[1:])
	if !ok || from == "" {
		return errors.New("Bad Substitute format, must be a complete s/// pattern")
	}
	r := rule{to: to}
	fold := false
	for i := range len(flags) {
		switch flags[i] | 0x20 {
		case 'i':
			fold = true
		case 'n':
			r.plain = true
		case 'f':
			r.quick = false
		case 'q':
			r.quick = true
		default:
			return errors.New("Bad Substitute flag, only s///[infq] are supported")
		}
	}
	if err := r.compile(from, fold); err != nil {
		return errors.New("Substitute could not compile regex")
	}
	m := scopes.In(s)
	m.rules = append(m.rules, r)
	return nil
}

// cut cuts at the delimiter that text begins with. The last one may be missing.
func cut(text string) (from, to, flags string, ok bool) {
	if text == "" {
		return "", "", "", false
	}
	from, rest, ok := strings.Cut(text[1:], text[:1])
	to, flags, _ = strings.Cut(rest, text[:1])
	return from, to, flags, ok
}

func (r *rule) compile(from string, fold bool) (err error) {
	switch {
	case !r.plain:
		r.once = strings.HasPrefix(from, "^") && !strings.Contains(from, "|")
		r.re, err = pattern.Compile("(?-s)"+from, pattern.Options{Fold: fold}) // "." is no line end here
	case fold:
		r.re, err = pattern.Compile(regexp.QuoteMeta(from), pattern.Options{Fold: true})
	default:
		r.text = from
	}
	return err
}

// find is the next match in a text.
func (r *rule) find(s string, loc []int) ([]int, bool, error) {
	if r.re != nil {
		return r.re.Find(s, loc)
	}
	i := strings.Index(s, r.text)
	return append(loc, i, i+len(r.text)), i >= 0, nil
}

// fill appends what takes the place of a match.
func (r *rule) fill(dst []byte, s string, loc []int) []byte {
	if r.plain {
		return append(dst, r.to...)
	}
	return pattern.Expand(dst, r.to, s, loc)
}
