package rewrite

import (
	"errors"
	"strings"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
)

// option is RewriteOptions' words.
type option uint16

const (
	inherit option = 1 << iota
	inheritBefore
	inheritDown
	inheritDownBefore
	ignoreInherit
	allowNoSlash
	allowAnyURI
	mergeBase
	ignoreContext
	legacyPrefix
	unsafeStat
)

var optionWords = map[string]option{
	"inherit": inherit, "inheritbefore": inheritBefore, "inheritdown": inheritDown, "inheritdownbefore": inheritDownBefore, "ignoreinherit": ignoreInherit,
	"allownoslash": allowNoSlash, "allowanyuri": allowAnyURI, "mergebase": mergeBase, "ignorecontextinfo": ignoreContext,
	"legacyprefixdocroot": legacyPrefix, "unsafeprefixstat": unsafeStat,
}

// order says where the rules of the scope around go.
type order uint8

const (
	ownAlone order = iota
	parentLast
	parentFirst
)

// inheritance is what the options of the scope around and those in force say together (httpd: mod_rewrite.c
// config_server_merge).
func (outer option) inheritance(own option) order {
	down := own&ignoreInherit == 0
	switch {
	case own&inherit != 0, outer&inheritDown != 0 && down:
		return parentLast
	case own&inheritBefore != 0, outer&inheritDownBefore != 0 && down:
		return parentFirst
	}
	return ownAlone
}

const maxRedirects = "maxredirects="

func setOptions(s *directive.Scope, a directive.Args) error {
	bits := option(0)
	for _, w := range apacheconf.Words(a.Words[0]) {
		low := strings.ToLower(w)
		if strings.HasPrefix(low, maxRedirects) {
			s.Config.Warn(a.Pos, "rewrite", "AH00664: RewriteOptions: MaxRedirects option has been removed in favor of the global LimitInternalRecursion directive and will be ignored.")
			continue
		}
		bit, ok := optionWords[low]
		if !ok {
			return errors.New("RewriteOptions: unknown option '" + w + "'")
		}
		bits |= bit
	}
	if isServer(s) {
		c := server(s)
		c.options.Set(c.options.Or(0) | bits)
	}
	d := dir(s)
	d.options.Set(d.options.Or(0) | bits)
	mark(s)
	return nil
}

func setEngine(s *directive.Scope, a directive.Args) error {
	dir(s).state.Set(a.On)
	mark(s)
	return nil
}

func setBase(s *directive.Scope, a directive.Args) error {
	url := a.Words[0]
	switch {
	case isServer(s):
		return errors.New("RewriteBase: only valid in per-directory config files")
	case url[0] != '/':
		return errors.New("RewriteBase: argument is not a valid URL")
	}
	dir(s).base.Set(url)
	mark(s)
	return nil
}
