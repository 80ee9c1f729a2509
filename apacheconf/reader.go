package apacheconf

import (
	"maps"
	"slices"
	"strings"
)

// reader is one reading of a configuration. Owned by the goroutine that called ParseFile.
type reader struct {
	o          Options
	tree       *Tree
	names      map[string]bool   // that are defined
	values     map[string]string // of names in lower case
	order      []string          // names as they were defined
	loaded     map[string]bool   // identifiers and source files of modules
	macros     map[string]*macro
	depth      int     // of inclusion
	access     *Access // of an access file; nil: a configuration is read
	conditions int     // that are open, one in another
}

func newReader(o Options) *reader {
	r := &reader{o: o, tree: &Tree{ServerRoot: o.ServerRoot}, names: map[string]bool{}, values: map[string]string{}, loaded: map[string]bool{}}
	for _, d := range o.Defines {
		r.define(d, "", false)
	}
	if o.Modules != nil {
		for _, ident := range o.Modules.Builtins() {
			r.markLoaded(ident)
		}
		r.haveOwn()
	}
	return r
}

// haveOwn marks the module that is ours alone: what stands in its <IfModule> httpd passes over.
func (r *reader) haveOwn() { r.loaded["balancerd_module"], r.loaded["mod_balancerd.c"] = true, true }

// assume takes the text as a part of a configuration.
func (r *reader) assume() {
	r.tree.Partial = true
	for _, ident := range r.o.Assumed {
		if !r.loaded[ident] {
			r.markLoaded(ident)
			r.tree.Loaded = append(r.tree.Loaded, ident)
		}
	}
}

func (r *reader) finish() {
	for _, name := range r.order {
		v, has := r.values[strings.ToLower(name)]
		r.tree.Defines = append(r.tree.Defines, Define{Name: name, Value: v, HasValue: has})
	}
}

// source is one text that is read: a file, the command line's directives, a macro's lines.
type source struct {
	name  string
	items []item
	next  int
	line  int // the last line read
}

// cursor walks the lines of a text. A macro that is used stands in front of the rest of the text, as if
// it had been written there: its sections may close outside of it.
type cursor struct {
	source
	under []source // what is read after it
}

func (c *cursor) pos(l *logicalLine) Pos { return Pos{c.name, l.last} }

func (c *cursor) take() *item {
	for c.next >= len(c.items) {
		n := len(c.under) - 1
		if n < 0 {
			return nil
		}
		c.source, c.under = c.under[n], c.under[:n]
	}
	it := &c.items[c.next]
	c.next++
	c.line = it.line.last
	return it
}

// splice puts a text in front of what is left to read. Its lines stand in no file: they are not printed.
func (c *cursor) splice(name, text string) error {
	items, err := parseLines(name, text, maxLine)
	if err != nil {
		return err
	}
	for i := range items {
		items[i].line.raw = ""
	}
	c.under = append(c.under, c.source)
	c.source = source{name: name, items: items}
	return nil
}

// text reads one text: a file or the command line's directives. Sections must close where they open.
func (r *reader) text(name, text string) ([]Node, error) {
	items, err := parseLines(name, text, r.longest())
	if err != nil {
		return nil, &Error{Pos: Pos{name, 1}, Msg: err.Error(), Phase: Reading}
	}
	nodes, open, _, err := r.nodes(&cursor{source: source{name: name, items: items}}, "")
	if err != nil {
		return nil, err
	}
	if len(open) > 0 {
		return nil, notClosed(open)
	}
	return nodes, nil
}

func notClosed(open []*Section) error {
	var lines []string
	for _, s := range slices.Backward(open) {
		lines = append(lines, s.Pos.File+":"+itoa(s.Pos.Line)+": "+s.Name+"> was not closed.")
	}
	return &Error{Pos: open[0].Pos, Msg: strings.Join(lines, "\n"), Phase: Reading}
}

// nodes reads up to the line "</until>", or the end when until is empty. open are the sections that
// are left open at the end.
func (r *reader) nodes(c *cursor, until string) (nodes []Node, open []*Section, endRaw string, err error) {
	add := func(n Node) {
		if len(open) > 0 {
			s := open[len(open)-1]
			s.Children = append(s.Children, n)
			return
		}
		nodes = append(nodes, n)
	}
	for it := c.take(); it != nil; it = c.take() {
		if it.line.tooLong {
			return nil, nil, "", &Error{Pos: c.pos(it.line), Phase: Reading, Msg: "Error reading " + c.name + " at line " + itoa(it.line.last) + ": Line too long"}
		}
		if it.kind == comments {
			add(&Comment{Pos: c.pos(it.line), Raw: it.line.raw})
			continue
		}
		if until != "" && len(open) == 0 && it.kind == closes && strings.EqualFold(it.line.text, "</"+until+">") {
			return nodes, nil, it.line.raw, nil
		}
		text := r.expand(it.line.text, c.pos(it.line))
		name, args := Word(text)
		switch {
		case name == "": // an empty word in quotes
			add(&Comment{Pos: c.pos(it.line), Raw: it.line.raw})
		case strings.HasPrefix(name, "</"):
			if err := closeSection(&open, name, it.line.raw); err != nil {
				return nil, nil, "", at(c, err)
			}
		default:
			n, err := r.directive(c, it, name, args, len(open) > 0)
			if err != nil {
				return nil, nil, "", at(c, err)
			}
			if n == nil {
				continue
			}
			add(n)
			if s, ok := n.(*Section); ok {
				if open = append(open, s); len(open) > r.nesting() {
					return nil, nil, "", at(c, errNested)
				}
			}
		}
	}
	return nodes, open, "", nil
}

// at gives an error without a place the cursor's.
func at(c *cursor, err error) error {
	return place(Pos{c.name, c.line}, err)
}

// place gives an error without a place this one.
func place(pos Pos, err error) error {
	if e, ok := err.(*Error); ok {
		return e
	}
	return &Error{Pos: pos, Msg: err.Error(), Phase: Reading}
}

func closeSection(open *[]*Section, name, raw string) error {
	if len(*open) == 0 {
		return msg(name + " without matching <" + name[2:] + " section")
	}
	if !strings.HasSuffix(name, ">") {
		return msg(name + "> directive missing closing '>'")
	}
	name = name[:len(name)-1]
	s := (*open)[len(*open)-1]
	if !strings.EqualFold(name[2:], s.Name[1:]) {
		return msg("Expected </" + s.Name[1:] + "> but saw " + name + ">")
	}
	s.EndRaw = raw
	*open = (*open)[:len(*open)-1]
	return nil
}

// directive stores a directive or section, or obeys it at once.
func (r *reader) directive(c *cursor, it *item, name, args string, nested bool) (Node, error) {
	if len(name) < 2 || name[1] != '/' {
		name = strings.TrimSuffix(name, ">")
	}
	section := strings.HasPrefix(name, "<")
	if section && args == "" {
		args = ">"
	}
	pos := c.pos(it.line)
	if f, ok := readTime(strings.ToLower(name)); ok && r.has(f.module) {
		g := &Group{Name: name, Pos: pos, Raw: it.line.raw}
		if skip, err := r.refused(c, g); skip || err != nil {
			return g, err
		}
		if err := f.do(r, c, g, args); err != nil {
			return nil, place(pos, err)
		}
		return g, nil
	}
	if section {
		return &Section{Name: r.registered(name), Args: args, Pos: pos, Raw: it.line.raw}, nil
	}
	return &Directive{Name: name, Args: args, Pos: pos, Raw: it.line.raw}, nil
}

// registered is a section's name as its module spells it, when that is loaded.
func (r *reader) registered(name string) string {
	if m, ok := r.o.Modules.(interface{ Spelling(string) string }); ok && r.provides(name) {
		return m.Spelling(name)
	}
	return name
}

func (r *reader) has(module string) bool { return module == "" || r.loaded[module] }

func (r *reader) markLoaded(ident string) {
	r.loaded[ident] = true
	if r.o.Modules != nil {
		if src, _, ok := r.o.Modules.Source(ident); ok {
			r.loaded[src] = true
		}
	}
	if m, ok := r.o.Modules.(interface{ Sources(string) []string }); ok {
		for _, src := range m.Sources(ident) {
			r.loaded[src] = true
		}
	}
}

func (r *reader) warn(pos Pos, text string) { r.warnOf("core", pos, text) }

func (r *reader) warnOf(module string, pos Pos, text string) {
	r.tree.Warnings = append(r.tree.Warnings, Warning{Pos: pos, Module: module, Level: "warn", Msg: text})
}

// LoadedModules are the identifiers and source files of all modules that are there.
func (t *Tree) LoadedModules(m ModuleSet) map[string]bool {
	r := &reader{o: Options{Modules: m}, loaded: map[string]bool{}}
	for _, ident := range m.Builtins() {
		r.markLoaded(ident)
	}
	for _, ident := range t.Loaded {
		r.markLoaded(ident)
	}
	r.haveOwn()
	return maps.Clone(r.loaded)
}
