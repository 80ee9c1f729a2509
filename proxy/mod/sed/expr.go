package sed

import (
	"bytes"
	"errors"
)

// expr is a regular expression of sed's own language (httpd: regexp.c sed_compile). Immutable.
type expr struct {
	anchored bool // it begins with ^
	nodes    []node
	groups   int
	prefix   []byte // what every match begins with, mostPrefix bytes of it at most
	width    int    // how many bytes every match has, or anyWidth
	id       int    // from 0 on, in the script
}

const (
	mostPrefix = 32 // a search for more is slow
	anyWidth   = -1
)

// nodeKind says what a node finds.
type nodeKind uint8

const (
	oneByte nodeKind = iota // b
	anyByte                 // any but 0
	oneOf                   // of set
	lineEnd                 // the line's end
	groupBegin
	groupEnd
	groupAgain // what the group b found
)

// node is one thing that is found, and how often.
type node struct {
	kind        nodeKind
	b           byte // a byte, or a group's number
	set         *[256]bool
	many        bool // least and more count; else once
	least, more int
}

// unlimited is what httpd takes for more than any number in a range; a * has no limit.
const (
	unlimited = 20000
	noLimit   = 1 << 62
)

// The sentences of errors (httpd: regexp.c regerr).
const (
	rangeTooLarge = "Range endpoint too large"
	badNumber     = "Bad number"
	digitRange    = "``\\digit'' out of range"
	noDelimiter   = "Illegal or missing delimiter"
	groupBalance  = `\( \) imbalance`
	tooManyGroups = `Too many \(`
	tooManyNumber = `More than 2 numbers given in \{ \}`
	braceExpected = `} expected after \`
	firstExceeds  = `First number exceeds second in \{ \}`
	setBalance    = "[ ] imbalance"
)

const mostGroups = 9

// exprCompiler reads an expression.
type exprCompiler struct {
	*compiler
	e      expr
	opened []byte // groups that are not closed
	closed int
	bytes  int // that httpd's form takes
	target int // the node that a * or a range is about, +1; 0: none
}

// expression reads up to the delimiter; nil: nothing stands there. After an error it is as if nothing was read.
func (c *compiler) expression(delimiter byte) (*expr, error) {
	begin := c.at
	if c.peek() == delimiter {
		c.at++
		return nil, nil
	}
	x := exprCompiler{compiler: c, bytes: 1}
	if c.peek() == '^' {
		c.at++
		x.e.anchored = true
	}
	if err := x.nodes(delimiter); err != nil {
		c.at = begin
		return nil, c.wrong(err.Error())
	}
	c.size += x.bytes
	x.e.findPrefix()
	x.e.findWidth()
	x.e.id = c.exprs
	c.exprs++
	return &x.e, nil
}

// nodes reads to the delimiter.
func (x *exprCompiler) nodes(delimiter byte) error {
	for {
		if x.size+x.bytes >= mostText-1 {
			return errors.New("too much command text")
		}
		b := x.next()
		switch {
		case b == delimiter:
			x.bytes++
			if len(x.opened) > 0 {
				return errors.New(groupBalance)
			}
			return nil
		case b == 0:
			return errors.New(noDelimiter)
		}
		if err := x.node(b, delimiter); err != nil {
			return err
		}
	}
}

// node reads what begins with b.
func (x *exprCompiler) node(b, delimiter byte) error {
	switch b {
	case '.':
		x.put(node{kind: anyByte}, 1)
	case '*':
		x.star()
	case '$':
		if x.peek() != delimiter {
			x.byte(b)
		} else {
			x.put(node{kind: lineEnd}, 1)
		}
	case '[':
		return x.set()
	case '\\':
		return x.escape(x.next())
	default:
		x.byte(b)
	}
	return nil
}

func (x *exprCompiler) put(n node, bytes int) {
	x.e.nodes = append(x.e.nodes, n)
	x.bytes += bytes
	x.target = len(x.e.nodes)
}

func (x *exprCompiler) byte(b byte) { x.put(node{kind: oneByte, b: b}, 2) }

// star repeats what stands in front of it; at the beginning, and behind \( and \), it is a byte. Behind a range it has no
// effect.
func (x *exprCompiler) star() {
	if x.target == 0 {
		x.byte('*')
		return
	}
	switch n := &x.e.nodes[x.target-1]; {
	case n.kind == groupBegin, n.kind == groupEnd:
		x.byte('*')
	case !n.many:
		n.many, n.more = true, noLimit
	}
}

// escape is what follows a backslash: \( \) \{ \n \1, or a byte that loses its meaning.
func (x *exprCompiler) escape(b byte) error {
	switch {
	case b == '(':
		if x.e.groups == mostGroups {
			return errors.New(tooManyGroups)
		}
		x.opened = append(x.opened, byte(x.e.groups))
		x.put(node{kind: groupBegin, b: byte(x.e.groups)}, 2)
		x.e.groups++
	case b == ')':
		n := len(x.opened) - 1
		if n < 0 {
			return errors.New(groupBalance)
		}
		x.put(node{kind: groupEnd, b: x.opened[n]}, 2)
		x.opened = x.opened[:n]
		x.closed++
	case b == '{' && x.target > 0:
		return x.ranged()
	case b == 'n':
		x.byte('\n')
	case '1' <= b && b <= '9':
		if int(b-'1') >= x.closed || bytes.IndexByte(x.opened, b-'1') >= 0 {
			return errors.New(digitRange)
		}
		x.put(node{kind: groupAgain, b: b - '1'}, 2)
	default:
		x.byte(b)
	}
	return nil
}

// ranged reads how often: \{n\}, \{n,\} or \{n,m\}. Behind \), \1 and another range httpd takes the numbers for commands of
// the expression; here they have no effect there.
func (x *exprCompiler) ranged() error {
	least, err := x.count()
	if err != nil {
		return err
	}
	most := least
	if x.line[x.at-1] == ',' {
		switch {
		case x.peek() == '\\':
			x.at++
			most = unlimited + least
		default:
			if most, err = x.count(); err != nil {
				return err
			}
			if x.line[x.at-1] == ',' {
				if x.peek() != '\\' {
					_, err = x.count()
				}
				if err == nil {
					err = errors.New(tooManyNumber)
				}
				return err
			}
		}
	}
	if x.next() != '}' {
		return errors.New(braceExpected)
	}
	if most < least {
		return errors.New(firstExceeds)
	}
	x.bytes += 2
	switch n := &x.e.nodes[x.target-1]; n.kind {
	case groupBegin, groupEnd, groupAgain, lineEnd:
	default:
		if !n.many || n.more == noLimit {
			n.many, n.least, n.more = true, least, most-least
		}
	}
	return nil
}

// count reads a number up to a backslash or a comma, and that.
func (x *exprCompiler) count() (n int, err error) {
	for b := x.next(); ; {
		if b < '0' || b > '9' {
			return 0, errors.New(badNumber)
		}
		n = min(n*10+int(b-'0'), 1000)
		if b = x.next(); b == '\\' || b == ',' {
			break
		}
	}
	if n >= 255 {
		return 0, errors.New(rangeTooLarge)
	}
	return n, nil
}

// set reads [abc], [^abc], [a-z]. A backslash is a byte of it, and so are a ] that comes first and a - at an end. A range
// whose end comes before its beginning has its ends.
func (x *exprCompiler) set() error {
	var set [256]bool
	wide, negated := false, false
	b := x.next()
	if b == '^' {
		negated = true
		b = x.next()
	}
	last := byte(0)
	for {
		if b == 0 {
			return errors.New(setBalance)
		}
		if b == '-' && last != 0 {
			if x.peek() == ']' {
				x.at++
				set['-'] = true
				break
			}
			b = x.next()
			for ; last < b; last++ {
				set[last] = true
			}
		}
		set[b] = true
		wide = wide || b >= 0x80
		last = b
		if b = x.next(); b == ']' {
			break
		}
	}
	if negated {
		for i := range set {
			set[i] = !set[i]
		}
	}
	set[0] = false
	n := 17
	if wide {
		n = 33
	}
	if x.size+x.bytes+n > mostText {
		return errors.New("too much command text")
	}
	x.put(node{kind: oneOf, set: &set}, n)
	return nil
}

// findPrefix looks what a match begins with.
func (e *expr) findPrefix() {
	for _, n := range e.nodes {
		switch {
		case n.kind == groupBegin, n.kind == groupEnd: // these are in no text
		case n.kind == oneByte && !n.many && len(e.prefix) < mostPrefix:
			e.prefix = append(e.prefix, n.b)
		default:
			return
		}
	}
}

// findWidth looks how long a match is.
func (e *expr) findWidth() {
	for i := range e.nodes {
		switch n := &e.nodes[i]; {
		case n.many, n.kind == groupAgain:
			e.width = anyWidth
			return
		case n.kind == oneByte, n.kind == anyByte, n.kind == oneOf:
			e.width++
		}
	}
}
