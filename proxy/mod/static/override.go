package static

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
		case "limit", "fileinfo", "authconfig", "indexes", "all":
			some = true
		case "options":
			some = true
			if err := checkOverridden(value, has); err != nil {
				return err
			}
		case "nonfatal":
			if !has {
				return errors.New("=Override, =Unknown or =All expected after " + word)
			}
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

// checkOverridden looks at the words of AllowOverride Options=….
func checkOverridden(words string, given bool) error {
	if !given {
		return nil
	}
	for word := range strings.SplitSeq(words, ",") {
		low := strings.ToLower(word)
		if _, ok := optionWords[low]; !ok && low != "" && low != "none" && low != "all" {
			return errors.New("Illegal option " + word)
		}
	}
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
	override overrideRule
}

// overrideRule is what becomes of an access file.
type overrideRule uint8

const (
	overrideNone   overrideRule = iota // AllowOverride None: it is not looked at
	overrideSome                       // it counts
	overrideNobody                     // nobody said: it is looked at, and no directive is allowed in it
)

func (d *dirSettings) overrideRule() overrideRule {
	_, one := d.override.Get()
	_, two := d.overrides.Get()
	switch {
	case d.override.Or(false) || d.overrides.Or(false):
		return overrideSome
	case one || two:
		return overrideNone
	}
	return overrideNobody
}

// levels follows the <Directory> sections of a chain down, as httpd's directory walk does: what lies
// in a directory is judged by the sections for it and for those above it, not by deeper ones.
func levels(chain []*directive.Scope) []level {
	now := dirSettings{options: defaultOptions}
	out := []level{{override: overrideNobody}}
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
		l := level{depth, now.options.rule(), now.overrideRule()}
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

// overridden is why a file may not be given away: there is an access file on the way to it that httpd
// would obey, or would stumble over. This server obeys none.
func (p *plan) overridden(name string, isDir bool) error {
	if !p.override {
		return nil
	}
	dir := strings.TrimRight(name, "/")
	if !isDir {
		dir = dir[:strings.LastIndexByte(dir, '/')]
	}
	for depth, end := 0, 0; ; depth++ {
		for _, f := range p.accessNames() {
			if err := at(p.levels, depth).override.judge(dir[:end] + "/" + f); err != nil {
				return err
			}
		}
		if end == len(dir) {
			return nil
		}
		end = nextSegment(dir, end)
	}
}

// judge is what stands against serving what an access file is about; nil when there is no such file.
func (r overrideRule) judge(file string) error {
	switch {
	case r == overrideNone || !exists(file):
		return nil
	case r == overrideSome:
		return &refusal{code: "AH00529", text: file + " is not read by this server, and AllowOverride says that it counts; set AllowOverride None and move what it says into the configuration"}
	case hasDirective(file):
		return &refusal{text: file + ": directives are not allowed here, since no AllowOverride says so", status: 500}
	}
	return nil
}

// hasDirective reports whether a file holds more than blanks and comments. One that can't be read may.
func hasDirective(file string) bool {
	b, err := os.ReadFile(file)
	if err != nil {
		return true
	}
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			return true
		}
	}
	return false
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
