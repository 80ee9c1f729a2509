package alias

import (
	"context"
	"errors"
	"path"
	"strconv"
	"strings"

	"balancerd/apacheconf/directive"
	"balancerd/apacheconf/pattern"
	"balancerd/proxy/exchange"
	"balancerd/proxy/expr"
	"balancerd/proxy/site"
)

// setAlias is Alias and ScriptAlias: a path and a file, or in a <Location> a file alone
// (httpd: mod_alias.c add_alias).
func setAlias(handler string) func(*directive.Scope, directive.Args) error {
	return func(s *directive.Scope, a directive.Args) error {
		if len(a.Words) == 1 {
			return setSectionAlias(s, a, handler)
		}
		if inSection(s) {
			return errors.New(a.Name + " cannot occur within directory context")
		}
		r := rule{prefix: a.Words[0], to: a.Words[1], root: absolute(s.Config.Tree.ServerRoot, a.Words[1]), handler: handler, pos: a.Pos}
		warnOverlap(s, a, &r)
		add(s, r)
		return nil
	}
}

func setSectionAlias(s *directive.Scope, a directive.Args, handler string) error {
	if err := a.Forbid(s, directive.Directory|directive.Files); err != nil {
		return err
	}
	if !inSection(s) {
		return errors.New("Alias must have two arguments when used globally")
	}
	e, err := expr.CompileString(a.Words[0], site.ExprOptions(s, "alias"))
	if err != nil {
		return errors.New("Cannot parse alias expression '" + a.Words[0] + "': " + err.Error())
	}
	dirs.In(s).alias = aliasTo{set: true, to: e, path: s.Arg, handler: handler}
	return nil
}

func setAliasMatch(handler string) func(*directive.Scope, directive.Args) error {
	return func(s *directive.Scope, a directive.Args) error {
		p, err := pattern.Compile(a.Words[0], pattern.Options{})
		if err != nil {
			return errRegex
		}
		add(s, rule{pattern: p, to: a.Words[1], handler: handler, pos: a.Pos})
		return nil
	}
}

func add(s *directive.Scope, r rule) {
	c := servers.In(s)
	c.aliases = append(c.aliases, r)
}

// warnOverlap tells of an Alias that an earlier one of the same server hides.
func warnOverlap(s *directive.Scope, a directive.Args, r *rule) {
	for _, old := range servers.In(s).aliases {
		if _, _, ok, err := old.covers(r.prefix, nil); !ok || err != nil {
			continue
		}
		kind := "Alias"
		if old.handler != "" {
			kind = "ScriptAlias"
		}
		if old.pattern != nil {
			kind += "Match"
		}
		s.Config.Warn(a.Pos, "alias", "AH00671: The "+a.Name+" directive in "+a.Pos.File+" at line "+strconv.Itoa(a.Pos.Line)+
			" will probably never match because it overlaps an earlier "+kind+".")
		return
	}
}

func setPreserve(s *directive.Scope, a directive.Args) error {
	dirs.In(s).preserve.Set(a.On)
	return nil
}

// aliases is the compiled Aliases of one chain.
type aliases struct {
	section  aliasTo
	preserve bool
	list     []rule
	root     string // ServerRoot: what relative names start from
}

func (l *aliases) empty() bool { return !l.section.set && len(l.list) == 0 }

// step maps the path to a file. It does not end the phase: package static finds out next where the
// file's name ends.
func (l *aliases) step(_ context.Context, x *exchange.Exchange) error {
	if x.Filename != "" || x.Req.Path == "" || x.Req.Path[0] != '/' {
		return nil
	}
	if l.section.set {
		return l.whole(x)
	}
	var storage [20]int
	for i := range l.list {
		r := &l.list[i]
		rest, groups, ok := r.match(x, storage[:0])
		if !ok {
			continue
		}
		to := r.to + x.Req.Path[rest:]
		if r.pattern == nil {
			x.Context = exchange.Context{Prefix: r.prefix, Root: r.root}
		} else {
			to = string(r.pattern.Expand(nil, r.to, x.Req.Path, groups))
			if climbs(to) && !climbs(r.to) { // two pieces that only together make a ".."
				return exchange.Status(403)
			}
		}
		l.place(x, to, r.handler)
		return nil
	}
	return nil
}

func (l *aliases) whole(x *exchange.Exchange) error {
	to, err := l.section.to.Eval(x)
	if err != nil {
		x.Log("alias", exchange.Error, nil, "AH02825: Can't evaluate alias expression: "+err.Error())
		return exchange.Status(500)
	}
	if l.preserve {
		if n := prefixLen(x.Req.Path, l.section.path); n > 0 {
			x.Context = exchange.Context{Prefix: l.section.path, Root: to}
			to += x.Req.Path[n:]
		}
	}
	l.place(x, to, l.section.handler)
	return nil
}

func (l *aliases) place(x *exchange.Exchange, to, handler string) {
	x.Filename = absolute(l.root, to)
	if handler != "" {
		x.Handler = handler
	}
}

// climbs reports whether a segment is "..".
func climbs(name string) bool {
	return name == ".." || strings.HasPrefix(name, "../") || strings.HasSuffix(name, "/..") || strings.Contains(name, "/../")
}

// absolute is a clean name under root unless it is absolute already; a final slash stays
// (httpd: ap_server_root_relative).
func absolute(root, name string) string {
	slash := strings.HasSuffix(name, "/")
	if !strings.HasPrefix(name, "/") {
		name = root + "/" + name
	}
	name = path.Clean(name)
	if slash && name != "/" {
		name += "/"
	}
	return name
}
