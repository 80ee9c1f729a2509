package expires

import (
	"errors"
	"maps"
	"strings"

	"balancerd/apacheconf/directive"
)

// settings are what a scope says (httpd: mod_expires.c expires_dir_config).
type settings struct {
	active    directive.Opt[bool]
	types     map[string]code // by media type in lower case
	wildcards bool            // some of the types, of this scope alone, are major/*
	others    directive.Opt[code]
}

var scopes = directive.NewKey("expires", func(outer, inner settings) settings {
	m := settings{
		active:    inner.active.Over(outer.active),
		types:     maps.Clone(outer.types),
		wildcards: inner.wildcards,
		others:    inner.others.Over(outer.others),
	}
	if m.types == nil {
		m.types = map[string]code{}
	}
	maps.Copy(m.types, inner.types)
	return m
})

func setActive(s *directive.Scope, a directive.Args) error {
	scopes.In(s).active.Set(a.On)
	return nil
}

func setByType(s *directive.Scope, a directive.Args) error {
	name := strings.ToLower(a.Words[0])
	i := strings.LastIndexByte(name, '/')
	if i < 0 {
		return errors.New("Invalid mimetype: should contain a slash")
	}
	m := scopes.In(s)
	m.wildcards = m.wildcards || name[i+1:] == "*"
	c, err := readCode(a)
	if err != nil {
		return err
	}
	if m.types == nil {
		m.types = map[string]code{}
	}
	m.types[name] = c
	return nil
}

func setDefault(s *directive.Scope, a directive.Args) error {
	c, err := readCode(a)
	if err == nil {
		scopes.In(s).others.Set(c)
	}
	return err
}
