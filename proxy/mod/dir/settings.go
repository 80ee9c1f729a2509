package dir

import (
	"errors"
	"strings"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
)

// settings is what one scope says of directories (httpd: mod_dir.c dir_config_rec).
type settings struct {
	index         []string // DirectoryIndex; empty but not nil: disabled
	slash         directive.Opt[bool]
	checkHandler  directive.Opt[bool]
	indexRedirect directive.Opt[int]    // 0: serve the index in place
	fallback      directive.Opt[string] // "disabled" for none
}

var scopes = directive.NewKey[settings]("mod_dir", merge)

func merge(outer, inner settings) settings {
	m := settings{
		index:         inner.index,
		slash:         inner.slash.Over(outer.slash),
		checkHandler:  inner.checkHandler.Over(outer.checkHandler),
		indexRedirect: inner.indexRedirect.Over(outer.indexRedirect),
		fallback:      inner.fallback.Over(outer.fallback),
	}
	if m.index == nil {
		m.index = outer.index
	}
	return m
}

// setter is how a directive stores its words in a scope.
type setter = func(*directive.Scope, directive.Args) error

func setFlag(of func(*settings) *directive.Opt[bool]) setter {
	return func(s *directive.Scope, a directive.Args) error {
		of(scopes.In(s)).Set(a.On)
		return nil
	}
}

func setFallback(s *directive.Scope, a directive.Args) error {
	scopes.In(s).fallback.Set(a.Words[0])
	return nil
}

// setIndex adds names for directories; "disabled" alone forgets them (httpd: mod_dir.c add_index).
func setIndex(s *directive.Scope, a directive.Args) error {
	d := scopes.In(s)
	words := apacheconf.Words(a.Raw)
	if d.index == nil {
		d.index = []string{}
	}
	if len(words) == 1 && strings.EqualFold(words[0], "disabled") {
		d.index = []string{}
		return nil
	}
	d.index = append(d.index, words...)
	return nil
}

// setIndexRedirect (httpd: mod_dir.c configure_redirect).
func setIndexRedirect(s *directive.Scope, a directive.Args) error {
	w := a.Words[0]
	status, ok := map[string]int{"on": 302, "off": 0, "permanent": 301, "temp": 302, "seeother": 303}[strings.ToLower(w)]
	if !ok {
		if w[0] < '0' || w[0] > '9' {
			return errors.New("DirectoryIndexRedirect ON|OFF|permanent|temp|seeother|3xx")
		}
		if status = directive.Atoi(w); status < 300 || status > 399 {
			return errors.New("DirectoryIndexRedirect only accepts values between 300 and 399")
		}
	}
	scopes.In(s).indexRedirect.Set(status)
	return nil
}
