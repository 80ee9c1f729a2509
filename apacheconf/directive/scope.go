package directive

import (
	"os"
	"strings"

	"balancerd/apacheconf"
)

// Scope is one place where settings hold: the main server, a virtual host, a section. Filled while
// binding; read-only afterwards.
type Scope struct {
	Kind     Where
	Tag      string // "Location", "LocationMatch"; "" for the main server
	Arg      string // the section's argument, unquoted: a path, pattern, URL or expression
	More     string // what follows the first word of the argument
	Regex    bool   // Arg is a regular expression
	Pos      apacheconf.Pos
	Parent   *Scope
	Core     bool     // a directive or section of httpd's core stands directly inside
	Server   *Scope   // the main server or virtual host around it; itself for these
	Children []*Scope // sections directly inside, in file order
	Config   *Config

	Limited []string // of a <Limit>'s view: its methods; of nested ones, what they have in common
	Except  bool     // the methods are those that are not limited
	Group   any      // what a module keeps for a section of its own (<RequireAny>)

	cells  []cell       // what was set; of a view: none, they are those of its base
	base   *Scope       // of a view: the scope whose settings it shares
	lastIf *Scope       // the <If> or <ElseIf> that an <Else> may follow
	after  func() error // what httpd checks of a section only when its contents were read
}

// Config is what the directives of a configuration say.
type Config struct {
	Main             *Scope
	VHosts           []*Scope // in file order
	Tree             *apacheconf.Tree
	Warnings         []apacheconf.Warning                  // of the reading and of the walk, in order
	Hints            []Hint                                // directives that have no effect
	SkipDocumentRoot bool                                  // -T
	Files            FileSystem                            // how the files that it names are reached
	OpenLog          func(target string) (*os.File, error) // see Options

	loaded map[string]bool   // identifiers and source files
	rows   map[string]*Entry // by lower-case name; read-only once bound
	access *Override         // of an access file; nil: the configuration itself
}

// Effect is what a hint is about. They are told in this order.
type Effect uint8

// The effects.
const (
	Behaviour Effect = iota // answers are not what the configuration says
	Access                  // something is more open, or more closed, than it says
	Later                   // it starts, and something will fail
	Tuning                  // processes, buffers and the like
)

// Hint is a directive that is known and not obeyed, or will fail later.
type Hint struct {
	Pos     apacheconf.Pos
	Name    string
	Module  string // without "mod_"; "core"
	Text    string
	Effect  Effect
	Instead string // what to use in the module's place, for all of its directives
	Part    bool   // it is about a part of the directive, whose rest is obeyed
	Refuse  bool   // to ignore it would open what the file closes: the server must not start
}

// HintModule is the name of hints in LogLevel: error and less keep them back, info and more tell each for
// itself. httpd has no such module.
const HintModule = "hint"

// Without is the name whose Define accepts the loss of a module's directives.
func Without(module string) string { return "BALANCERD_WITHOUT_" + module }

func newScope(kind Where, parent *Scope, c *Config) *Scope {
	s := &Scope{Kind: kind, Parent: parent, Config: c}
	if kind&Server != 0 {
		s.Server = s
	} else {
		s.Server = parent.Server
	}
	return s
}

// View is a scope that shares its settings with s: the inside of a <Limit> or a module's own section.
func (s *Scope) View(tag string) *Scope {
	v := *s
	v.Tag = tag
	v.Parent, v.base = s, s
	v.Children, v.cells, v.lastIf, v.after = nil, nil, nil, nil
	return &v
}

// inside reports whether the scope is, or is within, a section of a kind.
func (s *Scope) inside(kind Where) bool {
	for p := s; p != nil; p = p.Parent {
		if p.Kind&kind != 0 {
			return true
		}
	}
	return false
}

// real is the scope whose settings a view shares.
func (s *Scope) real() *Scope {
	for s.base != nil {
		s = s.base
	}
	return s
}

// Loaded reports whether a module is there, by identifier or source file.
func (c *Config) Loaded(module string) bool { return c.loaded[module] }

// FindModule finds a loaded module by source file, identifier, or name, as LogLevel names them, and
// gives its name in log lines: "proxy_http".
func (c *Config) FindModule(word string) (name string, ok bool) {
	if word == HintModule {
		return word, true
	}
	if c.loaded[word] && strings.HasSuffix(word, ".c") {
		return logName(word), true
	}
	for _, ident := range []string{word, word + "_module"} {
		if c.loaded[ident] && strings.HasSuffix(ident, "_module") {
			return strings.TrimSuffix(ident, "_module"), true
		}
	}
	return "", false
}

func logName(source string) string {
	for ident, src := range sources {
		if src == source {
			return strings.TrimSuffix(ident, "_module")
		}
	}
	return strings.TrimSuffix(strings.TrimPrefix(source, "mod_"), ".c")
}

// Warn notes something odd that does not stop the load. module is "" for a message without one.
func (c *Config) Warn(pos apacheconf.Pos, module, msg string) {
	c.Warnings = append(c.Warnings, apacheconf.Warning{Pos: pos, Module: module, Level: "warn", Msg: msg})
}

// Notice is Warn at level notice.
func (c *Config) Notice(pos apacheconf.Pos, module, msg string) {
	c.Warnings = append(c.Warnings, apacheconf.Warning{Pos: pos, Module: module, Level: "notice", Msg: msg})
}

// Hint notes what of a directive has no effect.
func (c *Config) Hint(a Args, text string) {
	c.note(Hint{Pos: a.Pos, Name: a.Name, Text: text, Part: true})
}

// Fails notes what a directive names and a request will not find.
func (c *Config) Fails(a Args, text string) {
	c.note(Hint{Pos: a.Pos, Name: a.Name, Text: text, Effect: Later})
}

// Opens notes what a directive leaves open, and could be closed.
func (c *Config) Opens(a Args, text string) {
	c.note(Hint{Pos: a.Pos, Name: a.Name, Text: text, Effect: Access, Part: true})
}

// note adds a hint, which refuses nothing that the configuration gives up by name.
func (c *Config) note(h Hint) {
	if h.Module == "" {
		h.Module = "core"
		if k := catalog()[strings.ToLower(h.Name)]; k != nil {
			h.Module = logName(k.module)
		}
	}
	if h.Refuse {
		h.Effect = Access
		h.Refuse = !c.defined(Without(h.Module))
	}
	c.Hints = append(c.Hints, h)
}

func (c *Config) defined(name string) bool {
	for _, d := range c.Tree.Defines {
		if strings.EqualFold(d.Name, name) {
			return true
		}
	}
	return false
}

// Tunes notes a setting that has no effect and changes no answer.
func (c *Config) Tunes(a Args, text string) {
	c.note(Hint{Pos: a.Pos, Name: a.Name, Text: text, Effect: Tuning, Part: true})
}
