package directive

import (
	"errors"
	"os"
	"strings"

	"balancerd/apacheconf"
)

// Options of Bind.
type Options struct {
	SkipDocumentRoot bool       // -T
	Files            FileSystem // nil: with the rights of this process
	// OpenLog opens a log by its absolute path, or a program by "|" and its words; nil: it is opened, or
	// started, by this process.
	OpenLog func(target string) (*os.File, error)
}

// Bind walks a tree and has the modules note what it says: httpd's second phase. The first error
// ends it; it is an *apacheconf.Error, or an *apacheconf.Fatal.
func Bind(t *apacheconf.Tree, o Options, mods ...Module) (*Config, error) {
	c := &Config{Tree: t, SkipDocumentRoot: o.SkipDocumentRoot, Files: o.Files, OpenLog: o.OpenLog, loaded: t.LoadedModules(Catalog{}), Warnings: t.Warnings}
	for _, mpm := range []string{"event.c", "worker.c", "prefork.c"} {
		c.loaded["event.c"] = c.loaded["event.c"] || c.loaded[mpm]
	}
	if c.Files == nil {
		c.Files = OSFiles{}
	}
	mpmAlways := !c.loaded["event.c"]
	if mpmAlways {
		c.loaded["event.c"] = true // a process manager is always there
	}
	if c.loaded["proxy_balancer_module"] {
		for _, m := range plumbing {
			c.loaded[m+"_module"], c.loaded["mod_"+m+".c"] = true, true
		}
	}
	c.Main = newScope(Main, nil, c)
	b := &binder{config: c, rows: map[string]*Entry{}, meanings: map[string]*meaning{}}
	b.add(absent)
	for _, m := range mods {
		b.add(m.Table)
	}
	c.rows = b.rows
	for _, u := range t.Unknown {
		c.note(Hint{Pos: u.Pos, Name: "LoadModule", Module: "so", Text: "module " + u.Ident + " is not known here; it is taken as loaded, its directives are not: \"Define " + Without(strings.TrimSuffix(u.Ident, "_module")) + "\" goes on without them"})
	}
	c.noteLoaded()
	c.noteSkipped()
	return c, b.nodes(c.Main, t.Nodes)
}

type binder struct {
	config   *Config
	rows     map[string]*Entry   // by lower-case name
	meanings map[string]*meaning // by name as written
}

// meaning is what a name means in this configuration.
type meaning struct {
	known   *known   // nil: none of httpd's
	row     *Entry   // nil: no module has one
	foreign *foreign // the module that has it instead of httpd
	reads   bool     // it acts while the text is read
}

// meaning is looked up once for each spelling: large configurations say the same few names over and over.
func (b *binder) meaning(name string) *meaning {
	m := b.meanings[name]
	if m == nil {
		low := strings.ToLower(name)
		m = &meaning{known: catalog()[low], row: b.rows[low], foreign: b.config.foreign(name), reads: readers[low]}
		b.meanings[name] = m
	}
	return m
}

func (b *binder) add(t Table) {
	for i := range t {
		b.rows[strings.ToLower(t[i].Name)] = &t[i]
	}
}

func (b *binder) nodes(s *Scope, list []apacheconf.Node) error {
	for _, n := range list {
		var err error
		switch n := n.(type) {
		case *apacheconf.Directive:
			err = b.config.mindText(place(n.Pos, b.directive(s, n)), n.Name, n.Args, n.Pos)
		case *apacheconf.Section:
			err = b.config.mindText(b.section(s, n), n.Name, n.Args, n.Pos)
		case *apacheconf.Group:
			err = b.nodes(s, n.Children)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// place gives a message the position of its directive.
func place(pos apacheconf.Pos, err error) error {
	if err == nil {
		return nil
	}
	var e *apacheconf.Error
	var f *apacheconf.Fatal
	var hinted *Hinted
	if errors.As(err, &e) || errors.As(err, &f) {
		return err
	}
	out := &apacheconf.Error{Pos: pos, Msg: err.Error(), Phase: apacheconf.Walking}
	if errors.As(err, &hinted) {
		out.Hint = hinted.Hint
	}
	return out
}

// mindText says of a line that failed, and has no help yet, what may be wrong with its text. Of one that did not fail it
// notes typographic quotes: a section whose path has them matches nothing.
func (c *Config) mindText(err error, name, args string, pos apacheconf.Pos) error {
	e := (*apacheconf.Error)(nil)
	switch failed := errors.As(err, &e); {
	case failed && e.Pos == pos && e.Hint == "":
		e.Hint = oddityOf(name + " " + args)
	case err == nil && strings.Contains(args, "\xe2\x80") && oddityOf(" "+args) == curlyQuotes:
		c.note(Hint{Pos: pos, Name: name, Text: curlyQuotes, Effect: Access, Part: true})
	}
	return err
}

// Hinted is an error whose message gets a line of help.
type Hinted struct{ Msg, Hint string }

func (h *Hinted) Error() string { return h.Msg }

// find is a directive that is known, of a module that is loaded, in a place where it may stand.
func (b *binder) find(s *Scope, m *meaning, name string) (*known, error) {
	k := m.known
	if k == nil || !b.config.has(k) {
		if err := b.passUnknown(name); err != nil {
			return nil, err
		}
		msg := "Invalid command '" + name + "', perhaps misspelled or defined by a module not included in the server configuration"
		return nil, &Hinted{Msg: msg, Hint: b.config.suggest(name, k)}
	}
	if b.config.access != nil {
		if err := b.admit(s, k); err != nil {
			return nil, err
		}
	} else if s.Kind&k.where == 0 && !(k.where&Proxy != 0 && s.inside(Proxy)) && !m.reads {
		return nil, notAllowed(s, k.name)
	}
	if s.Group != nil && k.override&ClassAuthConfig == 0 && !m.reads { // httpd: mod_authz_core.c add_authz_section
		return nil, notAllowed(s, k.name)
	}
	if k.module == "core.c" {
		s.real().Core = true
	}
	if k.also != "" && b.config.lastOf(k.module, k.also) == k.also {
		other := *k
		other.hint = k.alsoHint
		return &other, nil
	}
	return k, nil
}

// lastOf is which of two modules, by their source files, was loaded after the other: its messages are those that count
// (httpd: config.c ap_add_module_commands). "" if neither was.
func (c *Config) lastOf(one, other string) (last string) {
	for _, ident := range c.Tree.Loaded {
		if source, _, _ := (Catalog{}).Source(ident); source == one || source == other {
			last = source
		}
	}
	return last
}

// has reports whether a directive's module is there. A configuration that is plainly a part of one has all
// of httpd's, whether they are obeyed or not.
func (c *Config) has(k *known) bool {
	return c.loaded[k.module] || k.also != "" && c.loaded[k.also] || c.Tree.Partial
}

// elsewhere notes a directive or section of a module that is not to be had here.
func (b *binder) elsewhere(s *Scope, m *meaning, name, raw string, pos apacheconf.Pos) bool {
	if m.known != nil {
		return false
	}
	a := Args{Name: name, Raw: raw, Pos: pos, in: s}
	if m.foreign != nil {
		b.config.noteForeign(m.foreign, a)
		return true
	}
	return b.config.givenUp(name, a)
}

func (b *binder) directive(s *Scope, n *apacheconf.Directive) error {
	m := b.meaning(n.Name)
	if b.elsewhere(s, m, n.Name, n.Args, n.Pos) {
		return nil
	}
	k, err := b.find(s, m, n.Name)
	if err == errPassed {
		return nil
	}
	if err != nil {
		return err
	}
	if m.reads {
		return nil // its module came only afterwards: too late for the reading, and httpd says nothing
	}
	a := Args{Name: k.name, Raw: n.Args, Pos: n.Pos, in: s}
	e := m.row
	if e == nil || e.Set == nil {
		return b.ignore(s, k, a, e)
	}
	if e.Partial != "" {
		b.config.Hint(a, a.Name+": "+e.Partial)
	}
	return k.call(a, func(a Args) error { return e.Set(s, a) })
}

func (b *binder) section(s *Scope, n *apacheconf.Section) error {
	m := b.meaning(n.Name)
	if b.elsewhere(s, m, n.Name, n.Args, n.Pos) {
		return nil // what stands in it is that module's, too
	}
	k, err := b.find(s, m, n.Name)
	if err == errPassed {
		return nil
	}
	if err != nil {
		return place(n.Pos, err)
	}
	if m.reads {
		return nil
	}
	a := Args{Name: k.name, Raw: n.Args, Pos: n.Pos, in: s}
	open := OpenSection
	e := m.row
	if e != nil && e.Open != nil {
		open = e.Open
	} else if sectionKinds[strings.ToLower(k.name)] == 0 && !isLimit(k.name) {
		if err := b.ignore(s, k, a, e); err != nil {
			return place(n.Pos, err)
		}
		open = openView
	}
	child, err := open(s, a)
	if err != nil {
		return place(n.Pos, err)
	}
	if err := b.nodes(child, n.Children); err != nil {
		return err
	}
	if child.after != nil {
		if err := child.after(); err != nil {
			return place(n.Pos, err)
		}
		child.after = nil
	}
	if e == nil || e.Close == nil {
		return nil
	}
	return place(n.Pos, e.Close(child, a))
}

func openView(s *Scope, a Args) (*Scope, error) { return s.View(a.Name[1:]), nil }
