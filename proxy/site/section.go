package site

import (
	"slices"
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
	depth int              // of a <Directory>: how many segments its folder has; -1 for the root, lastDepth for a regular expression

	weight int // of an access file: bytes that it keeps; of the configuration 0
}

// lastDepth is behind every folder.
const lastDepth = 1 << 20

// ifGroup is an <If> and the <ElseIf>s and <Else> that belong to it.
type ifGroup struct{ branches []branch }

type branch struct {
	scope *directive.Scope
	test  *expr.Expr // nil: <Else>
	ifs   []ifGroup
}

// sections are those that stand directly in one server, each kind in the order of the file, directories by
// the length of their names (httpd: request.c, http_core.c ap_core_reorder_directories). The main server's
// hold for every virtual host, in front of the host's own: they are compiled once and shared.
type sections struct {
	locations   list
	proxies     list
	directories list
	files       list
	ifs         []ifGroup
}

// conditions holds the compiled test of each <If> and <ElseIf>.
var conditions = directive.NewKey[condition]("core", func(outer, inner condition) condition { return inner })

type condition struct{ test *expr.Expr }

// SetCondition gives an <If> or <ElseIf> scope its test. Core's table calls it while binding.
func SetCondition(s *directive.Scope, e *expr.Expr) { conditions.In(s).test = e }

// compileSections compiles what stands in a server: the main one or a virtual host.
func compileSections(server *directive.Scope) (*sections, error) {
	out := &sections{ifs: ifGroups(server)}
	for _, c := range server.Children {
		l := out.of(c.Kind)
		if l == nil {
			continue
		}
		sec, err := compileSection(c)
		if err != nil {
			return nil, err
		}
		l.all = append(l.all, sec)
	}
	sort.SliceStable(out.directories.all, func(i, j int) bool { return out.directories.all[i].depth < out.directories.all[j].depth })
	for _, l := range out.lists() {
		l.all = slices.Clip(l.all)
		l.index()
	}
	return out, nil
}

// of is the list of a kind; nil for virtual hosts and <If>s.
func (s *sections) of(kind directive.Where) *list {
	switch kind {
	case directive.Location:
		return &s.locations
	case directive.Proxy:
		return &s.proxies
	case directive.Directory:
		return &s.directories
	case directive.Files:
		return &s.files
	}
	return nil
}

func (s *sections) lists() [4]*list {
	return [...]*list{&s.locations, &s.proxies, &s.directories, &s.files}
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
		sec.depth = lastDepth
		return sec, sec.compileRegex()
	}
	switch c.Kind {
	case directive.Location:
		sec.match = pathMatch(c.Arg)
	case directive.Proxy:
		sec.match = targetMatch(c.Arg)
	case directive.Directory:
		sec.depth, sec.match = folderMatch(c.Arg)
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

// covers reports whether the section holds for a path or URL. A regular expression leaves its groups'
// texts in the environment: ?<name> as MATCH_NAME (httpd: request.c ap_location_walk).
func (s *section) covers(x *exchange.Exchange, text string) bool {
	if s.regex == nil {
		return s.match(x, text)
	}
	var loc []int
	var ok bool
	var err error
	if s.names == nil {
		ok, err = s.regex.Match(text)
	} else {
		loc, ok, err = s.regex.Find(text, nil)
	}
	if err != nil {
		x.GiveUp("core", "<"+s.scope.Tag+" "+s.scope.Arg+">", err)
		return false
	}
	for i, n := range s.names {
		if ok && n != "" && 2*i+1 < len(loc) && loc[2*i] >= 0 {
			x.Env.Set(n, text[loc[2*i]:loc[2*i+1]])
		}
	}
	return ok
}

// pathMatch is the rule of <Location>: a prefix that ends at a segment, or, with wildcards, a pattern
// whose * and ? stop at slashes.
func pathMatch(arg string) func(*exchange.Exchange, string) bool {
	if pattern.IsShell(arg) {
		return func(_ *exchange.Exchange, path string) bool { return pattern.Shell(arg, path, pattern.Pathname) }
	}
	return func(_ *exchange.Exchange, path string) bool { return segmentPrefix(arg, path) }
}

// folderMatch is the rule of <Directory>: how many segments the folder's name has, and whether it is the
// name, both without a slash at the end (httpd: core.c dirsection).
func folderMatch(arg string) (depth int, match func(*exchange.Exchange, string) bool) {
	if arg == "/" {
		return -1, func(*exchange.Exchange, string) bool { return true }
	}
	depth = strings.Count(arg, "/")
	if pattern.IsShell(arg) {
		return depth, func(_ *exchange.Exchange, folder string) bool { return pattern.Shell(arg, folder, pattern.Pathname) }
	}
	return depth, func(_ *exchange.Exchange, folder string) bool { return folder == arg }
}

// segmentPrefix: "/p" matches /p and /p/x, not /px; "/p/" matches what is below.
func segmentPrefix(prefix, path string) bool {
	if !strings.HasPrefix(path, prefix) {
		return false
	}
	return len(path) == len(prefix) || prefix == "" || prefix[len(prefix)-1] == '/' || path[len(prefix)] == '/'
}

// targetMatch is the rule of <Proxy>: a prefix of the target URL without regard to segments, or a
// pattern whose * crosses slashes (httpd: mod_proxy.c proxy_walk).
func targetMatch(arg string) func(*exchange.Exchange, string) bool {
	if pattern.IsShell(arg) {
		return func(_ *exchange.Exchange, url string) bool { return pattern.Shell(arg, url, 0) }
	}
	return func(_ *exchange.Exchange, url string) bool { return strings.HasPrefix(url, arg) }
}

// fileMatch is the rule of <Files>: the file's name, or a pattern for it.
func fileMatch(arg string) func(*exchange.Exchange, string) bool {
	if pattern.IsShell(arg) {
		return func(_ *exchange.Exchange, name string) bool { return pattern.Shell(arg, name, pattern.Pathname) }
	}
	return func(_ *exchange.Exchange, name string) bool { return name == arg }
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
