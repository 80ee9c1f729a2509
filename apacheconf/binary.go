package apacheconf

import (
	"encoding/binary"
	"errors"
	"math"
)

// The form in which a tree goes from the process that read it to the one that serves it: strings and
// numbers one after the other, both with a varint in front. Files' names are written once.
//
//	version, File, ServerRoot, RuntimeDir, Defines, Loaded, Partial, Skipped, Notes, Unknown, LoadModules, Includes, Warnings, Nodes
//
// Lines as they were written (Raw, EndRaw, Body) and comments stay behind: the walk needs none of them.
const binaryVersion = 2

// The kinds of node in the binary form.
const (
	binaryDirective = iota
	binarySection
	binaryGroup
)

// ErrBinary is a text that AppendBinary did not make.
var ErrBinary = errors.New("not a configuration tree, or one of another version")

// AppendBinary appends the tree as DecodeTree reads it. It never fails.
func (t *Tree) AppendBinary(b []byte) ([]byte, error) {
	e := encoder{b: b, files: map[string]uint64{}}
	e.number(binaryVersion)
	for _, s := range []string{t.File, t.ServerRoot, t.RuntimeDir} {
		e.text(s)
	}
	e.number(uint64(len(t.Defines)))
	for _, d := range t.Defines {
		e.text(d.Name)
		e.text(d.Value)
		e.flag(d.HasValue)
	}
	e.number(uint64(len(t.Loaded)))
	for _, l := range t.Loaded {
		e.text(l)
	}
	e.flag(t.Partial)
	e.number(uint64(len(t.Skipped)))
	for _, s := range t.Skipped {
		e.text(s.Module)
		e.pos(s.Pos)
	}
	e.number(uint64(len(t.Notes)))
	for _, n := range t.Notes {
		e.pos(n.Pos)
		e.text(n.Text)
	}
	e.number(uint64(len(t.Unknown)))
	for _, u := range t.Unknown {
		e.text(u.Ident)
		e.pos(u.Pos)
	}
	e.number(uint64(len(t.LoadModules)))
	for _, l := range t.LoadModules {
		e.text(l.Ident)
		e.pos(l.Pos)
	}
	e.number(uint64(len(t.Includes)))
	for _, i := range t.Includes {
		e.number(uint64(i.Depth))
		e.pos(Pos{i.File, i.Line})
	}
	e.number(uint64(len(t.Warnings)))
	for _, w := range t.Warnings {
		e.pos(w.Pos)
		e.text(w.Module)
		e.text(w.Level)
		e.text(w.Msg)
	}
	e.nodes(t.Nodes)
	return e.b, nil
}

// DecodeTree reads what AppendBinary wrote: the same tree without the lines as they were written. The
// error is ErrBinary.
func DecodeTree(b []byte) (*Tree, error) {
	d := decoder{rest: string(b)}
	if d.number() != binaryVersion {
		return nil, ErrBinary
	}
	t := &Tree{File: d.text(), ServerRoot: d.text(), RuntimeDir: d.text()}
	for range d.count() {
		t.Defines = append(t.Defines, Define{d.text(), d.text(), d.flag()})
	}
	for range d.count() {
		t.Loaded = append(t.Loaded, d.text())
	}
	t.Partial = d.flag()
	for range d.count() {
		t.Skipped = append(t.Skipped, Skipped{d.text(), d.pos()})
	}
	for range d.count() {
		t.Notes = append(t.Notes, Note{d.pos(), d.text()})
	}
	for range d.count() {
		t.Unknown = append(t.Unknown, Load{d.text(), d.pos()})
	}
	for range d.count() {
		t.LoadModules = append(t.LoadModules, Load{d.text(), d.pos()})
	}
	for range d.count() {
		depth := int(d.number())
		p := d.pos()
		t.Includes = append(t.Includes, Include{depth, p.Line, p.File})
	}
	for range d.count() {
		t.Warnings = append(t.Warnings, Warning{d.pos(), d.text(), d.text(), d.text()})
	}
	t.Nodes = d.nodes(0)
	if d.bad || d.rest != "" {
		return nil, ErrBinary
	}
	return t, nil
}

type encoder struct {
	b     []byte
	files map[string]uint64 // numbers of the files' names that were written
}

func (e *encoder) number(n uint64) { e.b = binary.AppendUvarint(e.b, n) }

func (e *encoder) text(s string) {
	e.number(uint64(len(s)))
	e.b = append(e.b, s...)
}

func (e *encoder) flag(on bool) {
	n := uint64(0)
	if on {
		n = 1
	}
	e.number(n)
}

// pos writes a place: the file's number, a new one with its name behind it, and the line.
func (e *encoder) pos(p Pos) {
	n, known := e.files[p.File]
	if !known {
		n = uint64(len(e.files))
		e.files[p.File] = n
	}
	e.number(n)
	if !known {
		e.text(p.File)
	}
	e.number(uint64(p.Line))
}

func (e *encoder) nodes(list []Node) {
	n := uint64(0)
	for _, node := range list {
		if _, comment := node.(*Comment); !comment {
			n++
		}
	}
	e.number(n)
	for _, node := range list {
		e.node(node)
	}
}

func (e *encoder) node(n Node) {
	switch n := n.(type) {
	case *Directive:
		e.head(binaryDirective, n.Name, n.Pos)
		e.text(n.Args)
	case *Section:
		e.head(binarySection, n.Name, n.Pos)
		e.text(n.Args)
		e.nodes(n.Children)
	case *Group:
		e.head(binaryGroup, n.Name, n.Pos)
		e.flag(n.Outside)
		e.nodes(n.Children)
	}
}

func (e *encoder) head(kind uint64, name string, p Pos) {
	e.number(kind)
	e.text(name)
	e.pos(p)
}

// decoder reads from the front of rest. What it can't read is zero, and bad.
type decoder struct {
	rest  string
	files []string
	bad   bool
}

func (d *decoder) number() uint64 {
	var n uint64
	for i := 0; i < len(d.rest) && i < binary.MaxVarintLen64; i++ {
		c := d.rest[i]
		n |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			d.rest = d.rest[i+1:]
			return n
		}
	}
	d.fail()
	return 0
}

// count is a number of things that follow, each at least a byte long.
func (d *decoder) count() int {
	n := d.number()
	if n > uint64(len(d.rest)) {
		d.fail()
		return 0
	}
	return int(n)
}

func (d *decoder) fail() { d.bad, d.rest = true, "" }

func (d *decoder) text() string {
	n := d.count()
	s := d.rest[:n]
	d.rest = d.rest[n:]
	return s
}

func (d *decoder) flag() bool { return d.number() == 1 }

func (d *decoder) pos() Pos {
	n := d.number()
	if n == uint64(len(d.files)) && !d.bad {
		d.files = append(d.files, d.text())
	}
	line := d.number()
	if n >= uint64(len(d.files)) || line > math.MaxInt32 {
		d.fail()
		return Pos{}
	}
	return Pos{d.files[n], int(line)}
}

// deepest is how many levels of sections and inclusions are decoded: more than the reading lets through.
const deepest = 10_000

func (d *decoder) nodes(depth int) []Node {
	n := d.count()
	if n == 0 || depth > deepest {
		d.bad = d.bad || n > 0
		return nil
	}
	list := make([]Node, 0, n)
	for range n {
		if node := d.node(depth); node != nil {
			list = append(list, node)
		}
	}
	return list
}

func (d *decoder) node(depth int) Node {
	kind, name, pos := d.number(), d.text(), d.pos()
	switch {
	case d.bad:
		return nil
	case kind == binaryDirective:
		return &Directive{Name: name, Pos: pos, Args: d.text()}
	case kind == binarySection:
		s := &Section{Name: name, Pos: pos, Args: d.text()}
		s.Children = d.nodes(depth + 1)
		return s
	case kind == binaryGroup:
		g := &Group{Name: name, Pos: pos, Outside: d.flag()}
		g.Children = d.nodes(depth + 1)
		return g
	}
	d.fail()
	return nil
}
