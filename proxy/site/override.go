package site

import "balancerd/apacheconf/directive"

// Overrides is what a scope says of access files, .htaccess by default (httpd: core.c core_dir_config, access_name).
type Overrides struct {
	Allowed directive.Opt[directive.Override]  // AllowOverride; without the list
	List    directive.Opt[*directive.NameList] // AllowOverrideList
	Names   []string                           // AccessFileName, of a server
}

// AccessKey is the name of the key under which Overrides are kept.
const AccessKey = "core_access"

var overrides = directive.NewKey(AccessKey, mergeOverrides)

// OverridesIn is what a scope says of access files, to be written while binding.
func OverridesIn(s *directive.Scope) *Overrides { return overrides.In(s) }

func mergeOverrides(outer, inner Overrides) Overrides {
	m := Overrides{Allowed: inner.Allowed.Over(outer.Allowed), List: inner.List.Over(outer.List), Names: inner.Names}
	if m.Names == nil {
		m.Names = outer.Names
	}
	return m
}

// accessRule is which access files are looked at in the folders that a chain holds for.
type accessRule struct {
	said  Overrides
	allow directive.Override
	names []string
}

var defaultNames = []string{".htaccess"}

// newAccessRule is what said comes to, with httpd's defaults where it says nothing.
func newAccessRule(said Overrides) *accessRule {
	r := &accessRule{said: said, names: said.Names}
	r.allow = said.Allowed.Or(directive.Override{Unset: true})
	r.allow.List = said.List.Or(nil)
	if r.names == nil {
		r.names = defaultNames
	}
	return r
}

// accessBase is the rule of a server.
func accessBase(base []*directive.Scope) *accessRule { return newAccessRule(overrides.Merged(base...)) }

// behind is the rule with a section's scope behind it: only a <Directory> with a plain name or wildcards counts
// (httpd: request.c ap_directory_walk).
func (r *accessRule) behind(s *directive.Scope) *accessRule {
	if s.Kind != directive.Directory || s.Regex || !overrides.Has(s) {
		return r
	}
	return newAccessRule(mergeOverrides(r.said, *overrides.In(s)))
}
