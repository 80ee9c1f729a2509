package core

import (
	"errors"
	"maps"
	"strings"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
)

const levelWords = "Log level keyword must be one of emerg/alert/crit/error/warn/notice/info/debug/trace1/.../trace8"

// setLogLevel takes one word: a level, or module:level. A level alone forgets what the scope said of
// modules before (httpd: core.c set_loglevel).
func setLogLevel(s *directive.Scope, a directive.Args) error {
	d := dirs.In(s)
	word := a.Words[0]
	module, level, qualified := strings.Cut(word, ":")
	if !qualified {
		l, ok := exchange.ParseLevel(word)
		if !ok {
			if _, known := s.Config.FindModule(word); known {
				return &directive.Hinted{Msg: levelWords, Hint: "write " + word + ":info to set the level of that module"}
			}
			return errors.New(levelWords)
		}
		d.levels, d.levelsPlain = &exchange.Levels{All: l}, true
		return nil
	}
	l, ok := exchange.ParseLevel(level)
	if level == "" {
		return errors.New("Module specifier '" + module + "' must be followed by a log level keyword")
	}
	if !ok {
		return errors.New(word + ": " + levelWords)
	}
	name, known := s.Config.FindModule(module)
	if !known {
		return errors.New("Cannot find module " + module)
	}
	d.levels = with(d.levels, name, l)
	return nil
}

// with is a copy of l that has one more module's level.
func with(l *exchange.Levels, module string, level exchange.Level) *exchange.Levels {
	out := &exchange.Levels{All: unsetLevel, By: map[string]exchange.Level{}}
	if l != nil {
		out.All = l.All
		maps.Copy(out.By, l.By)
	}
	out.By[module] = level
	return out
}

// unsetLevel marks Levels that name only modules, until they are merged.
const unsetLevel exchange.Level = -1

func mergeLevels(outer, inner *exchange.Levels, plain bool) *exchange.Levels {
	if outer == nil {
		outer = &exchange.Levels{All: exchange.Warn}
	}
	if inner == nil || plain && inner.All == unsetLevel {
		return withDefault(outer)
	}
	if plain {
		return inner
	}
	out := &exchange.Levels{All: outer.All, By: map[string]exchange.Level{}}
	maps.Copy(out.By, outer.By)
	maps.Copy(out.By, inner.By)
	return withDefault(out)
}

// withDefault gives Levels without a level of their own the default.
func withDefault(l *exchange.Levels) *exchange.Levels {
	if l.All != unsetLevel {
		return l
	}
	return &exchange.Levels{All: exchange.Warn, By: l.By}
}
