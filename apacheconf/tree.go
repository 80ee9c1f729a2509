package apacheconf

import (
	"path/filepath"
	"strings"
)

// Tree is what a configuration's text says, with the read-time directives obeyed: variables expanded,
// conditions decided, files included, macros used. Comments and the lines as they were written are
// kept, so that each file can be printed again.
type Tree struct {
	Nodes      []Node
	File       string // the main file
	ServerRoot string
	RuntimeDir string   // DefaultRuntimeDir, absolute; "" when not set
	Defines    []Define // in force at the end, in order of definition: -S prints them
	Loaded     []string // identifiers by LoadModule, in order; before them those that were assumed
	// Partial: the files load neither a process manager nor mod_unixd nor mod_authz_core, without which no httpd
	// with loadable modules starts: a file of sites-available, or what a tutorial shows.
	Partial     bool
	LoadModules []Load // the LoadModule lines
	Skipped     []Skipped
	Notes       []Note
	Unknown     []Load    // modules that we know nothing of
	Includes    []Include // the files read, as -t -D DUMP_INCLUDES prints them
	Warnings    []Warning
}

// Define is one defined name.
type Define struct {
	Name, Value string
	HasValue    bool
}

// Load is a LoadModule line.
type Load struct {
	Ident string
	Pos   Pos
}

// Note is what whoever completes a part of a configuration has to say of it.
type Note struct {
	Pos  Pos
	Text string
}

// Skipped is an <IfModule> of a module that is not there, and was passed over.
type Skipped struct {
	Module string // as the section has it
	Pos    Pos
}

// Include is one file that was read: Depth 0 is the main file, Line the line that included it.
type Include struct {
	Depth, Line int
	File        string
}

// Node is a *Directive, *Section, *Group or *Comment.
type Node interface{ Where() Pos }

// Directive is one directive that the walk will execute.
type Directive struct {
	Name string // as written, unquoted, a final ">" taken off
	Args string // everything after the name, variables expanded
	Pos  Pos
	Raw  string // the lines as written
}

// Section is <Name args> … </Name>.
type Section struct {
	Name     string // with "<": "<Location"
	Args     string // with what follows the last ">"
	Pos      Pos
	Children []Node
	Raw      string
	EndRaw   string
}

// Group is a read-time directive that stood here and what it brought: the contents of a condition
// that held, of included files, of a macro. The walk passes through it.
type Group struct {
	Name     string // "<IfDefine", "Include", "Use", "Define" …
	Pos      Pos
	Children []Node
	Raw      string
	Body     string // the lines of a condition that did not hold, or of a macro, as written
	EndRaw   string
	Outside  bool // Children come from other texts than this file
}

// Comment is a comment or an empty line.
type Comment struct {
	Pos Pos
	Raw string
}

// Where is the node's place.
func (d *Directive) Where() Pos { return d.Pos }

// Where is the place of the opening line.
func (s *Section) Where() Pos { return s.Pos }

// Where is the place of the directive.
func (g *Group) Where() Pos { return g.Pos }

// Where is the place of the comment.
func (c *Comment) Where() Pos { return c.Pos }

// Path makes a path absolute: relative ones begin at ServerRoot (httpd: config.c ap_server_root_relative).
func (t *Tree) Path(rel string) string { return absolute(t.ServerRoot, rel) }

// RuntimePath makes a path absolute: relative ones begin at DefaultRuntimeDir, "logs" below
// ServerRoot by default (httpd: config.c ap_runtime_dir_relative).
func (t *Tree) RuntimePath(rel string) string {
	dir := t.RuntimeDir
	if dir == "" {
		dir = t.Path("logs")
	}
	return absolute(dir, rel)
}

func absolute(dir, rel string) string {
	if strings.HasPrefix(rel, "/") {
		return filepath.Clean(rel)
	}
	return filepath.Join(dir, rel)
}
