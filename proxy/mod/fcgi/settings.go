package fcgi

import (
	"errors"
	"slices"
	"strings"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/expr"
	"balancerd/proxy/fcgi"
	"balancerd/proxy/site"
)

// settings is what a scope says (httpd: mod_proxy_fcgi.c fcgi_dirconf_t).
type settings struct {
	generic directive.Opt[bool]
	edits   []edit
}

// dirs: what is inside comes behind what is outside.
var dirs = directive.NewKey("proxy_fcgi", func(outer, inner settings) settings {
	return settings{inner.generic.Over(outer.generic), slices.Concat(outer.edits, inner.edits)}
})

// compiled is a chain's settings as members are served by.
func (s settings) compiled() *fcgi.Settings {
	out := &fcgi.Settings{Generic: s.generic.Or(false)}
	if len(s.edits) > 0 {
		out.Edit = edits(s.edits).apply
	}
	return out
}

func setType(s *directive.Scope, a directive.Args) error {
	switch strings.ToLower(a.Words[0]) {
	case "generic":
		dirs.In(s).generic.Set(true)
	case "fpm":
		dirs.In(s).generic.Set(false)
	default:
		return errors.New("ProxyFCGIBackendType requires one of the following arguments: 'GENERIC', 'FPM'")
	}
	return nil
}

// setEdit is a condition, a name, perhaps with "!" in front, and a value (httpd: mod_proxy_fcgi.c cmd_setenv).
func setEdit(s *directive.Scope, a directive.Args) (err error) {
	e := edit{name: a.Words[1]}
	options := site.ExprOptions(s, "proxy_fcgi")
	if e.when, err = expr.Compile(a.Words[0], options); err != nil {
		return unparsed(a.Words[0], err)
	}
	var value string
	if len(a.Words) > 2 {
		value = a.Words[2]
	}
	if e.name, e.unset = strings.CutPrefix(e.name, "!"); e.unset {
		if len(a.Words) > 2 {
			return errors.New("Third argument (\"" + value + "\") is not allowed when using ProxyFCGISetEnvIf's unset mode (!" + e.name + ")")
		}
		if e.name == "" {
			return errors.New("ProxyFCGISetEnvIf: \"!\" is not a valid variable name")
		}
	} else if e.value, err = expr.CompileString(value, options); err != nil {
		return unparsed(value, err)
	}
	d := dirs.In(s)
	d.edits = append(d.edits, e)
	return nil
}

func unparsed(text string, err error) error {
	return errors.New("Could not parse expression \"" + text + "\": " + err.Error())
}
