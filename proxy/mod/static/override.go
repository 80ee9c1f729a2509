package static

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
	"balancerd/proxy/site"
)

var overrideClasses = map[string]directive.Class{
	"limit": directive.ClassLimit, "options": directive.ClassOptions, "fileinfo": directive.ClassFileInfo,
	"authconfig": directive.ClassAuthConfig, "indexes": directive.ClassIndexes,
}

// setOverride is AllowOverride (httpd: core.c set_override). None and All begin anew.
func setOverride(s *directive.Scope, a directive.Args) error {
	if a.Forbid(s, directive.Location|directive.Files) != nil {
		s.Config.Warn(a.Pos, "core", "AH00114: Useless use of AllowOverride in line "+strconv.Itoa(a.Pos.Line)+" of "+a.Pos.File+".")
	}
	own := &site.OverridesIn(s).Allowed
	o := directive.Override{Options: own.Or(directive.Override{Options: uint16(optAll | optOwner | optMulti)}).Options}
	for _, word := range apacheconf.Words(a.Raw) {
		name, value, has := strings.Cut(word, "=")
		low := strings.ToLower(name)
		class, known := overrideClasses[low]
		switch {
		case low == "options" && has:
			bits, err := overriddenOptions(value, o.Options)
			if err != nil {
				return err
			}
			o.Options = bits
		case low == "options":
			o.Options = uint16(optAll)
		case low == "none":
			o = directive.Override{Options: o.Options}
		case low == "all":
			o = directive.Override{Options: o.Options, Classes: directive.ClassAll}
		case low == "nonfatal" && !has:
			return errors.New("=Override, =Unknown or =All expected after " + word)
		case low == "nonfatal":
			o.PassForbidden = o.PassForbidden || strings.EqualFold(value, "Override") || strings.EqualFold(value, "All")
			o.PassUnknown = o.PassUnknown || strings.EqualFold(value, "Unknown") || strings.EqualFold(value, "All")
		case !known:
			return errors.New("Illegal override option " + name)
		}
		o.Classes |= class
	}
	own.Set(o)
	return nil
}

// overriddenOptions are the words of AllowOverride Options=…; without any word it is what held before (httpd: core.c
// set_allow_opts).
func overriddenOptions(words string, before uint16) (uint16, error) {
	bits, some := optionBits(0), false
	for word := range strings.SplitSeq(words, ",") {
		if word == "" {
			continue
		}
		low := strings.ToLower(word)
		b, ok := optionWords[low]
		switch {
		case low == "all":
			b = optAll
		case !ok && low != "none":
			return 0, errors.New("Illegal option " + word)
		}
		bits, some = bits|b, true
	}
	if !some {
		return before, nil
	}
	return uint16(bits), nil
}

// setOverrideList is AllowOverrideList (httpd: core.c set_override_list).
func setOverrideList(s *directive.Scope, a directive.Args) error {
	place := a.Pos.String()
	if a.Forbid(s, directive.Location|directive.Files) != nil {
		s.Config.Warn(a.Pos, "core", "AH00115: Useless use of AllowOverrideList at "+place)
	}
	if len(a.Words) != 1 && slices.ContainsFunc(a.Words, func(w string) bool { return strings.EqualFold(w, "None") }) {
		return errors.New("'None' not allowed with other directives in AllowOverrideList")
	}
	var names []string
	for _, word := range a.Words {
		module, ok := (directive.Catalog{}).Provider(word)
		switch {
		case strings.EqualFold(word, "None"):
		case !ok || !s.Config.Loaded(module):
			s.Config.Warn(a.Pos, "core", "AH00116: Discarding unrecognized directive `"+word+"' in AllowOverrideList at "+place)
		case !directive.MayStandInList(word):
			s.Config.Warn(a.Pos, "core", "AH02304: Discarding directive `"+word+"' not allowed in AllowOverrideList at "+place)
		default:
			names = append(names, word)
		}
	}
	site.OverridesIn(s).List.Set(directive.NewNameList(names...))
	return nil
}

func setAccessName(s *directive.Scope, a directive.Args) error {
	site.OverridesIn(s).Names = apacheconf.Words(a.Raw)
	return nil
}

// level is what holds for symbolic links that lie in directories from a depth on: "/" is 0, "/srv" is 1.
type level struct {
	depth int
	rule  linkRule
}

// levels follows the <Directory> sections of a chain down, as httpd's directory walk does: what lies
// in a directory is judged by the sections for it and for those above it, not by deeper ones.
func levels(chain []*directive.Scope) []level {
	now := dirSettings{options: defaultOptions}
	out := []level{{}}
	for _, s := range chain {
		depth := 0
		switch {
		case s.Kind == directive.Main || s.Kind == directive.VHost:
		case s.Kind == directive.Directory && !s.Regex:
			depth = strings.Count(strings.TrimRight(s.Arg, "/"), "/")
		default:
			continue
		}
		if dirs.Has(s) {
			now = mergeDirs(now, *dirs.In(s))
		}
		l := level{depth, now.options.rule()}
		if last := &out[len(out)-1]; last.depth >= depth {
			last.rule = l.rule
		} else {
			out = append(out, l)
		}
	}
	return out
}

// at is the level for what lies at a depth.
func at(levels []level, depth int) level {
	l := levels[0]
	for _, next := range levels[1:] {
		if next.depth > depth {
			break
		}
		l = next
	}
	return l
}

// linkRules is the rules for symbolic links; nil when all are followed everywhere.
func linkRules(levels []level) func(i int) linkRule {
	for _, l := range levels {
		if l.rule != followAlways {
			return func(i int) linkRule { return at(levels, i).rule }
		}
	}
	return nil
}
