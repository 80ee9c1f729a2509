package site

import (
	"path/filepath"
	"sort"
	"strings"

	"balancerd/apacheconf/directive"
	"balancerd/apacheconf/pattern"
	"balancerd/proxy/exchange"
	"balancerd/proxy/expr"
)

// section is one <Location>, <Proxy>, <Directory> or <Files> with its argument compiled.
type section struct {
	scope *directive.Scope
	match func(x *exchange.Exchange, text string) bool
	regex *pattern.Pattern // of a regular expression; match is nil then
	names []string         // of its groups, as variables: "MATCH_NAME", "" for those without
	ifs   []ifGroup        // <If> chains directly inside
	files []section        // <Files> inside a <Directory>
}

// ifGroup is an <If> and the <ElseIf>s and <Else> that belong to it.
type ifGroup struct{ branches []branch }

type branch struct {
	scope *directive.Scope
	test  *expr.Expr // nil: <Else>
	ifs   []ifGroup
}

// sections are those of one server: the main server's first, then the virtual host's, each in the
// order of the file, directories by their length (httpd: request.c, http_core ap_core_reorder_directories).
type sections struct {
	locations   []section
	proxies     []section
	directories []section
	files       []section
	ifs         []ifGroup
}

// conditions holds the compiled test of each <If> and <ElseIf>.
var conditions = directive.NewKey[condition]("core", func(outer, inner condition) condition { return inner })

type condition struct{ test *expr.Expr }

// SetCondition gives an <If> or <ElseIf> scope its test. Core's table calls it while binding.
func SetCondition(s *directive.Scope, e *expr.Expr) { conditions.In(s).test = e }

func compileSections(servers ...*directive.Scope) (*sections, error) {
	out := &sections{}
	for _, s := range servers {
		if err := out.add(s); err != nil {
			return nil, err
		}
	}
	sort.SliceStable(out.directories, func(i, j int) bool { return out.depth(i) < out.depth(j) })
	return out, nil
}

// depth orders <Directory> sections: plain paths by their number of segments, then regular expressions.
func (s *sections) depth(i int) int {
	sc := s.directories[i].scope
	if sc.Regex {
		return 1 << 20
	}
	return strings.Count(strings.TrimRight(sc.Arg, "/"), "/")
}

func (s *sections) add(server *directive.Scope) error {
	for _, c := range server.Children {
		sec, err := compileSection(c)
		if err != nil {
			return err
		}
		switch c.Kind {
		case directive.Location:
			s.locations = append(s.locations, sec)
		case directive.Proxy:
			s.proxies = append(s.proxies, sec)
		case directive.Directory:
			s.directories = append(s.directories, sec)
		case directive.Files:
			s.files = append(s.files, sec)
		}
	}
	s.ifs = append(s.ifs, ifGroups(server)...)
	return nil
}

func compileSection(c *directive.Scope) (section, error) {
	sec := section{scope: c, ifs: ifGroups(c)}
	for _, in := range c.Children {
		if in.Kind == directive.Files {
			f, err := compileSection(in)
			if err != nil {
				return sec, err
			}
			sec.files = append(sec.files, f)
		}
	}
	if c.Regex {
		return sec, sec.compileRegex()
	}
	switch c.Kind {
	case directive.Location:
		sec.match = pathMatch(c.Arg, false)
	case directive.Proxy:
		sec.match = targetMatch(c.Arg)
	case directive.Directory:
		sec.match = pathMatch(c.Arg, true)
	case directive.Files:
		sec.match = fileMatch(c.Arg)
	}
	return sec, nil
}

func (s *section) compileRegex() (err error) {
	if s.regex, err = pattern.Compile(s.scope.Arg, pattern.Options{}); err != nil {
		return err
	}
	for i, n := range s.regex.Names() {
		if i > 0 && n != "" {
			s.names = append(s.names, "MATCH_"+strings.ToUpper(n))
		} else {
			s.names = append(s.names, "")
		}
	}
	if strings.Join(s.names, "") == "" {
		s.names = nil
	}
	return nil
}

// covers tells whether the section holds for a path or URL. A regular expression leaves its groups'
// texts in the environment: ?<name> as MATCH_NAME (httpd: request.c ap_location_walk). The error is of
// one that can't be decided: the section may be what forbids the request.
func (s *section) covers(x *exchange.Exchange, text string) (bool, error) {
	switch {
	case s.regex == nil:
		return s.match(x, text), nil
	case s.names == nil && s.regex.Match(text):
		return true, nil
	case s.names == nil && !s.regex.Backtracks():
		return false, nil
	}
	loc, ok, err := s.regex.Try(text, nil)
	if err != nil {
		x.Log("core", exchange.Error, nil, "<"+s.scope.Tag+" "+s.scope.Arg+"> can't be decided: "+err.Error())
		return false, exchange.Status(500)
	}
	for i, n := range s.names {
		if ok && n != "" && 2*i+1 < len(loc) && loc[2*i] >= 0 {
			x.Env.Set(n, text[loc[2*i]:loc[2*i+1]])
		}
	}
	return ok, nil
}

func isGlob(s string) bool { return strings.ContainsAny(s, "*?[") }

// pathMatch is the rule of <Location> and <Directory>: a prefix that ends at a segment, or, with
// wildcards, a pattern whose * and ? stop at slashes. A directory's pattern matches all below it too.
func pathMatch(arg string, below bool) func(*exchange.Exchange, string) bool {
	if isGlob(arg) {
		return func(_ *exchange.Exchange, path string) bool {
			return pattern.Shell(arg, path, pattern.Pathname) || below && globAbove(arg, path)
		}
	}
	if below {
		arg = strings.TrimRight(arg, "/") + "/"
		return func(_ *exchange.Exchange, path string) bool {
			return strings.HasPrefix(path, arg) || len(path) == len(arg)-1 && path == arg[:len(arg)-1]
		}
	}
	return func(_ *exchange.Exchange, path string) bool { return segmentPrefix(arg, path) }
}

// segmentPrefix: "/p" matches /p and /p/x, not /px; "/p/" matches what is below.
func segmentPrefix(prefix, path string) bool {
	if !strings.HasPrefix(path, prefix) {
		return false
	}
	return len(path) == len(prefix) || prefix == "" || prefix[len(prefix)-1] == '/' || path[len(prefix)] == '/'
}

// globAbove reports whether a pattern fits a folder above path, with its last slash or without. A slash is
// only matched by a slash, so that there is one folder to look at for either, however deep the path is.
func globAbove(arg, path string) bool {
	slashes := strings.Count(arg, "/")
	for i, seen := 0, 0; i < len(path) && seen <= slashes; i++ {
		if path[i] != '/' {
			continue
		}
		if seen++; i == 0 {
			continue
		}
		if seen == slashes && pattern.Shell(arg, path[:i+1], pattern.Pathname) || seen == slashes+1 && pattern.Shell(arg, path[:i], pattern.Pathname) {
			return true
		}
	}
	return false
}

// targetMatch is the rule of <Proxy>: a prefix of the target URL without regard to segments, or a
// pattern whose * crosses slashes (httpd: mod_proxy.c proxy_walk).
func targetMatch(arg string) func(*exchange.Exchange, string) bool {
	if isGlob(arg) {
		return func(_ *exchange.Exchange, url string) bool { return pattern.Shell(arg, url, 0) }
	}
	return func(_ *exchange.Exchange, url string) bool { return strings.HasPrefix(url, arg) }
}

func fileMatch(arg string) func(*exchange.Exchange, string) bool {
	return func(_ *exchange.Exchange, name string) bool {
		base := filepath.Base(name)
		if isGlob(arg) {
			return pattern.Shell(arg, base, 0)
		}
		return base == arg
	}
}

// ifGroups collects the <If> chains that stand directly in a scope.
func ifGroups(s *directive.Scope) []ifGroup {
	var out []ifGroup
	for _, c := range s.Children {
		if c.Kind != directive.If {
			continue
		}
		b := branch{scope: c, test: conditions.In(c).test, ifs: ifGroups(c)}
		if exchange.EqualFold(c.Tag, "If") || len(out) == 0 {
			out = append(out, ifGroup{})
		}
		g := &out[len(out)-1]
		g.branches = append(g.branches, b)
	}
	return out
}
