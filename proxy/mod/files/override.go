package files

import (
	"errors"
	"os"
	"strconv"
	"strings"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
)

// setOverride checks AllowOverride's words and remembers whether .htaccess files would count
// (httpd: core.c set_override).
func setOverride(s *directive.Scope, a directive.Args) error {
	if a.Forbid(s, directive.Location|directive.Files) != nil {
		s.Config.Warn(a.Pos, "core", "AH00114: Useless use of AllowOverride in line "+strconv.Itoa(a.Pos.Line)+" of "+a.Pos.File+".")
	}
	some := false
	for _, word := range apacheconf.Words(a.Raw) {
		name, value, has := strings.Cut(word, "=")
		switch strings.ToLower(name) {
		case "none":
			some = false
		case "limit", "options", "fileinfo", "authconfig", "indexes", "all":
			some = true
		case "nonfatal":
			if !has {
				return errors.New("=Override, =Unknown or =All expected after " + word)
			}
			_ = value // any other word changes nothing
		default:
			return errors.New("Illegal override option " + name)
		}
	}
	if some {
		s.Config.Hint(a, unread)
	}
	dirs.In(s).override.Set(some)
	return nil
}

// setOverrideList (httpd: core.c set_override_list).
func setOverrideList(s *directive.Scope, a directive.Args) error {
	place := a.Pos.String()
	if a.Forbid(s, directive.Location|directive.Files) != nil {
		s.Config.Warn(a.Pos, "core", "AH00115: Useless use of AllowOverrideList at "+place)
	}
	some := false
	for _, word := range a.Words {
		if strings.EqualFold(word, "None") {
			if len(a.Words) != 1 {
				return errors.New("'None' not allowed with other directives in AllowOverrideList")
			}
			continue
		}
		if module, ok := (directive.Catalog{}).Provider(word); !ok || !s.Config.Loaded(module) {
			s.Config.Warn(a.Pos, "core", "AH00116: Discarding unrecognized directive `"+word+"' in AllowOverrideList at "+place)
			continue
		}
		some = true
	}
	if some {
		s.Config.Hint(a, unread)
	}
	dirs.In(s).overrides.Set(some)
	return nil
}

const unread = "files like .htaccess are never read; a request that httpd would have one obey for is refused with 403"

func setAccessName(s *directive.Scope, a directive.Args) error {
	dirs.In(s).accessName = apacheconf.Words(a.Raw)
	return nil
}

// level is what holds for what lies in directories from a depth on: "/" is 0, "/srv" is 1.
type level struct {
	depth    int
	rule     linkRule
	override bool
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
		l := level{depth, now.options.rule(), now.override.Or(false) || now.overrides.Or(false)}
		if last := &out[len(out)-1]; last.depth >= depth {
			*last = level{last.depth, l.rule, l.override}
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

// overridden is the first access file on the way to a file that httpd would obey. This server reads
// none, and must not give away what such a file may protect.
func (p *plan) overridden(name string, isDir bool) string {
	if !p.override {
		return ""
	}
	dir := strings.TrimRight(name, "/")
	if !isDir {
		dir = dir[:strings.LastIndexByte(dir, '/')]
	}
	for depth, end := 0, 0; ; depth++ {
		if at(p.levels, depth).override {
			for _, f := range p.accessNames() {
				if full := dir[:end] + "/" + f; exists(full) {
					return full
				}
			}
		}
		if end == len(dir) {
			return ""
		}
		end = nextSegment(dir, end)
	}
}

func (p *plan) accessNames() []string {
	if p.dir.accessName == nil {
		return []string{".htaccess"}
	}
	return p.dir.accessName
}

func exists(name string) bool {
	_, err := os.Lstat(name)
	return !errors.Is(err, os.ErrNotExist)
}
