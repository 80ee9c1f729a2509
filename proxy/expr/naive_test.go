package expr

import (
	"strconv"
	"strings"

	"balancerd/proxy/exchange"
)

// naive is a second interpreter, written plainly from the language's rules rather than as nodes that
// know what they do: the judge of the first one.
func naive(t test, x *exchange.Exchange) bool {
	n := &naiveRun{x: x}
	return n.test(t)
}

type naiveRun struct {
	x      *exchange.Exchange
	groups []string
}

func (n *naiveRun) test(t test) bool {
	switch t := t.(type) {
	case truth:
		return bool(t)
	case *not:
		return !n.test(t.x)
	case *either:
		if n.test(t.a) {
			return true
		}
		return n.test(t.b)
	case *both:
		if !n.test(t.a) {
			return false
		}
		return n.test(t.b)
	case *comparison:
		return n.compare(t)
	case *member:
		needle, found := n.word(t.needle), false
		for _, w := range t.of {
			found = n.word(w) == needle || found
		}
		return found
	case *match:
		return n.match(t)
	}
	return t.holds(&run{x: n.x, o: &Options{}, groups: n.captures()})
}

func (n *naiveRun) compare(t *comparison) bool {
	a, b := n.word(t.a), n.word(t.b)
	if i := strings.Index("-eq-ne-lt-le-gt-ge", t.op); t.op[0] == '-' && i >= 0 {
		x, y := naiveInt(a), naiveInt(b)
		return [...]bool{x == y, x != y, x < y, x <= y, x > y, x >= y}[i/3]
	}
	return map[string]bool{"==": a == b, "!=": a != b, "<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[t.op]
}

func naiveInt(s string) int64 {
	s = strings.TrimLeft(s, " \t\n\v\f\r")
	end := 0
	for end < len(s) && (isDigit(s[end]) || end == 0 && (s[0] == '-' || s[0] == '+')) {
		end++
	}
	v, _ := strconv.ParseInt(s[:end], 10, 64) // out of range: the nearest there is
	return v
}

func (n *naiveRun) match(t *match) bool {
	s := n.word(t.subject)
	loc, ok, _ := t.re.Find(s, nil)
	if t.re.Groups() > 0 {
		n.groups = nil
		for i := 0; ok && i < len(loc); i += 2 {
			g := ""
			if loc[i] >= 0 {
				g = s[loc[i]:loc[i+1]]
			}
			n.groups = append(n.groups, g)
		}
	}
	return ok != t.negate
}

func (n *naiveRun) word(w word) string {
	switch w := w.(type) {
	case literal:
		return string(w)
	case number:
		return string(w)
	case concat:
		s := ""
		for _, p := range w {
			s += n.word(p)
		}
		return s
	case group:
		if int(w) < len(n.groups) {
			return n.groups[w]
		}
		return ""
	case *call:
		return w.f(&run{x: n.x, o: &Options{}}, n.word(w.arg))
	}
	return w.text(&run{x: n.x, o: &Options{}})
}

// captures are the groups for the nodes that are not written twice.
func (n *naiveRun) captures() Captures {
	c := Captures{Set: n.groups != nil}
	for _, g := range n.groups {
		c.Loc = append(c.Loc, len(c.Source), len(c.Source)+len(g))
		c.Source += g
	}
	return c
}
