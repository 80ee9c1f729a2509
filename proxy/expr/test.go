package expr

import (
	"strings"

	"balancerd/apacheconf/pattern"
)

// test is a condition. Immutable.
type test interface {
	holds(*run) bool
	print(*strings.Builder)
}

// truth is true or false.
type truth bool

func (t truth) holds(*run) bool { return bool(t) }

func (t truth) print(b *strings.Builder) {
	if t {
		b.WriteString("true")
	} else {
		b.WriteString("false")
	}
}

// not is !x.
type not struct{ x test }

func (n *not) holds(r *run) bool { return !n.x.holds(r) }

func (n *not) print(b *strings.Builder) {
	b.WriteString("! ")
	n.x.print(b)
}

// either is a || b; b is only looked at when a does not hold.
type either struct{ a, b test }

func (e *either) holds(r *run) bool        { return e.a.holds(r) || e.b.holds(r) }
func (e *either) print(b *strings.Builder) { printPair(b, e.a, " || ", e.b) }

// both is a && b; b is only looked at when a holds.
type both struct{ a, b test }

func (e *both) holds(r *run) bool        { return e.a.holds(r) && e.b.holds(r) }
func (e *both) print(b *strings.Builder) { printPair(b, e.a, " && ", e.b) }

func printPair(b *strings.Builder, left test, op string, right test) {
	b.WriteByte('(')
	left.print(b)
	b.WriteString(op)
	right.print(b)
	b.WriteByte(')')
}

// comparison is a == b and its kin: the two words' order, and which orders satisfy.
type comparison struct {
	a, b  word
	order func(a, b string) int // negative, 0, positive
	sign  signs
	op    string
}

// signs says which results of an order satisfy.
type signs struct{ less, equal, more bool }

// comparisons has the operators from tEQ to tGE and tStrEQ to tStrGE.
var comparisons = map[token]struct {
	op    string
	order func(a, b string) int
	sign  signs
}{
	tEQ:    {"-eq", compareInts, signs{equal: true}},
	tNE:    {"-ne", compareInts, signs{less: true, more: true}},
	tLT:    {"-lt", compareInts, signs{less: true}},
	tLE:    {"-le", compareInts, signs{less: true, equal: true}},
	tGT:    {"-gt", compareInts, signs{more: true}},
	tGE:    {"-ge", compareInts, signs{more: true, equal: true}},
	tStrEQ: {"==", strings.Compare, signs{equal: true}},
	tStrNE: {"!=", strings.Compare, signs{less: true, more: true}},
	tStrLT: {"<", strings.Compare, signs{less: true}},
	tStrLE: {"<=", strings.Compare, signs{less: true, equal: true}},
	tStrGT: {">", strings.Compare, signs{more: true}},
	tStrGE: {">=", strings.Compare, signs{more: true, equal: true}},
}

func newComparison(op token, a, b word, ssl bool) test {
	c := comparisons[op]
	order := c.order
	if ssl {
		order = compareLengths
	}
	return &comparison{a: a, b: b, order: order, sign: c.sign, op: c.op}
}

func (c *comparison) holds(r *run) bool {
	n := c.order(c.a.text(r), c.b.text(r))
	return n < 0 && c.sign.less || n == 0 && c.sign.equal || n > 0 && c.sign.more
}

func (c *comparison) print(b *strings.Builder) { printWords(b, c.a, c.op, c.b) }

func printWords(b *strings.Builder, left word, op string, right word) {
	left.print(b)
	b.WriteString(" " + op + " ")
	right.print(b)
}

// compareInts is the order of the numbers at the beginning of two texts; no number is 0
// (httpd: util_expr_eval.c intstrcmp).
func compareInts(a, b string) int {
	x, y := leadingInt(a), leadingInt(b)
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

// leadingInt is C's strtoll: blanks, a sign, digits; what is too large is the largest there is.
func leadingInt(s string) int64 {
	s = strings.TrimLeft(s, " \t\n\v\f\r")
	negative := strings.HasPrefix(s, "-")
	if negative || strings.HasPrefix(s, "+") {
		s = s[1:]
	}
	const top = 1<<63 - 1
	n := uint64(0)
	for i := 0; i < len(s) && isDigit(s[i]); i++ {
		d := uint64(s[i] - '0')
		if n > (top-d)/10 {
			if negative {
				return -top - 1
			}
			return top
		}
		n = n*10 + d
	}
	if negative {
		return -int64(n)
	}
	return int64(n)
}

// compareLengths is SSLRequire's order: the shorter is the smaller (httpd: util_expr_eval.c strcmplex).
func compareLengths(a, b string) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}

// member is word in {word, …}. httpd looks from the last to the first, which nobody can tell but by
// the files that functions read.
type member struct {
	needle word
	of     []word
}

func (m *member) holds(r *run) bool {
	needle := m.needle.text(r)
	for i := len(m.of) - 1; i >= 0; i-- {
		if m.of[i].text(r) == needle {
			return true
		}
	}
	return false
}

func (m *member) print(b *strings.Builder) {
	m.needle.print(b)
	b.WriteString(" in {")
	for i, w := range m.of {
		if i > 0 {
			b.WriteString(", ")
		}
		w.print(b)
	}
	b.WriteByte('}')
}

// memberOf is word in function(argument).
type memberOf struct {
	needle word
	name   string
	f      func(*run, string) []string
	arg    word
}

func (m *memberOf) holds(r *run) bool {
	needle := m.needle.text(r)
	for _, s := range m.f(r, m.arg.text(r)) {
		if s == needle {
			return true
		}
	}
	return false
}

func (m *memberOf) print(b *strings.Builder) {
	m.needle.print(b)
	b.WriteString(" in " + m.name + "(")
	m.arg.print(b)
	b.WriteByte(')')
}

// match is word =~ /regex/. Only an expression with groups touches $0 to $9: they may hold what a
// former one found (httpd: util_expr_eval.c ap_expr_eval_comp).
type match struct {
	subject word
	re      *pattern.Pattern
	groups  bool
	negate  bool

	source string // as written
	delim  byte
	fold   bool
}

func (m *match) holds(r *run) bool {
	s := m.subject.text(r)
	if !m.groups {
		ok, err := m.re.Match(s)
		r.decided(err)
		return ok != m.negate
	}
	g := &r.groups
	loc, ok, err := m.re.Find(s, g.Loc[:0])
	r.decided(err)
	g.Ran, g.Set, g.Source = true, ok, s
	if ok {
		g.Loc = loc
	}
	return ok != m.negate
}

func (m *match) print(b *strings.Builder) {
	m.subject.print(b)
	if m.negate {
		b.WriteString(" !~ ")
	} else {
		b.WriteString(" =~ ")
	}
	if m.delim != '/' {
		b.WriteByte('m')
	}
	b.WriteByte(m.delim)
	b.WriteString(m.source)
	b.WriteByte(m.delim)
	if m.fold {
		b.WriteByte('i')
	}
}
