package apacheconf

import (
	"errors"
	"math"
	"strings"
)

// Access is what the reading of an access file (.htaccess) must know beside its text.
type Access struct {
	Tree    *Tree           // of the configuration: its names, values and ServerRoot hold
	Loaded  map[string]bool // identifiers and source files of the modules that are there; only read
	Modules ModuleSet
	// Allows says whether a directive that acts while the text is read ("<IfModule", "Define") may stand in the file:
	// an error is the message, skip passes over it.
	Allows func(name string) (skip bool, err error)
}

// maxNested is how deep sections and conditions of an access file may stand in one another: whoever may write the file
// must not choose how much stack its reading takes.
const maxNested = 100

// ParseAccess reads the text of an access file. Nothing may be included, defined or loaded in it. The error is an
// *Error; what an access file's reader logs is its Msg alone.
func ParseAccess(name, text string, a *Access) (*Tree, error) {
	r := &reader{o: Options{Modules: a.Modules}, access: a, loaded: a.Loaded, names: map[string]bool{}, values: map[string]string{}}
	r.tree = &Tree{File: name, ServerRoot: a.Tree.ServerRoot, RuntimeDir: a.Tree.RuntimeDir}
	for _, d := range a.Tree.Defines {
		r.define(d.Name, d.Value, d.HasValue)
	}
	nodes, err := r.text(name, text)
	r.tree.Nodes = nodes
	return r.tree, err
}

func (r *reader) longest() int {
	if r.access != nil {
		return maxAccessLine
	}
	return maxLine
}

// refused tells whether a directive that acts while the text is read is passed over in an access file, with all that
// stands in it, or is an error there.
func (r *reader) refused(c *cursor, g *Group) (skip bool, err error) {
	if r.access == nil {
		return false, nil
	}
	skip, err = r.access.Allows(r.registered(g.Name))
	if err == nil && skip && strings.HasPrefix(g.Name, "<") {
		err = r.skip(c, g)
	}
	return skip, err
}

// nesting is how deep sections and conditions may stand in one another.
func (r *reader) nesting() int {
	if r.access != nil {
		return maxNested
	}
	return math.MaxInt
}

var errNested = errors.New("Sections are nested too deeply")
