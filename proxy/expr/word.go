package expr

import (
	"strconv"
	"strings"

	"balancerd/proxy/exchange"
)

// word is an operand: something that has a text. Immutable.
type word interface {
	text(*run) string
	print(*strings.Builder)
}

// literal is a string without anything to put in.
type literal string

func (l literal) text(*run) string { return string(l) }

func (l literal) print(b *strings.Builder) {
	b.WriteByte('\'')
	escape(b, string(l))
	b.WriteByte('\'')
}

// escape writes s so that it means itself in a string or argument.
func escape(b *strings.Builder, s string) {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '\n':
			b.WriteString(`\n`)
			continue
		case '\'', '"', '\\', '%', '$', '}':
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
}

// number is a bare number. It differs from a string in that it is no constant argument (-R 10).
type number string

func (n number) text(*run) string         { return string(n) }
func (n number) print(b *strings.Builder) { b.WriteString(string(n)) }

// group is $n.
type group int

func (g group) text(r *run) string       { return r.groups.Group(int(g)) }
func (g group) print(b *strings.Builder) { b.WriteString("$" + strconv.Itoa(int(g))) }

// value is %{NAME}.
type value struct {
	name string
	of   func(*exchange.Exchange) string
	vary string // the request field that it is, for Vary
}

func (v *value) text(r *run) string {
	if v.vary != "" {
		r.needs(v.vary)
	}
	return v.of(r.x)
}

func (v *value) print(b *strings.Builder) { b.WriteString("%{" + v.name + "}") }

// body is %{HC_BODY}, which only an expression for health checks shows.
type body struct{ name string }

func (body) text(r *run) string         { return hcBody(r) }
func (w body) print(b *strings.Builder) { b.WriteString("%{" + w.name + "}") }

// call is function(argument).
type call struct {
	name string
	f    func(*run, string) string
	arg  word
}

func (c *call) text(r *run) string { return c.f(r, c.arg.text(r)) }

func (c *call) print(b *strings.Builder) {
	b.WriteString(c.name + "(")
	c.arg.print(b)
	b.WriteByte(')')
}

// concat is two or more words in a row; none of them is a concat itself.
type concat []word

func joined(a, b word) word {
	return append(parts(a), parts(b)...)
}

func parts(w word) concat {
	if c, ok := w.(concat); ok {
		return c
	}
	return concat{w}
}

func (c concat) text(r *run) string {
	var few [8]string
	texts := few[:0]
	only := ""
	for _, w := range c {
		if t := w.text(r); t != "" {
			texts = append(texts, t)
			only = t
		}
	}
	if len(texts) <= 1 {
		return only
	}
	return r.x.Arena.Join(texts...)
}

func (c concat) print(b *strings.Builder) {
	for i, w := range c {
		if i > 0 {
			b.WriteString(" . ")
		}
		w.print(b)
	}
}

// printString prints a word as it stands inside of a string; quote is what surrounds it.
func printString(b *strings.Builder, w word, quote string) {
	b.WriteString(quote)
	for _, p := range parts(w) {
		switch p := p.(type) {
		case literal:
			escape(b, string(p))
		case *call:
			b.WriteString("%{" + p.name + ":")
			printString(b, p.arg, "")
			b.WriteByte('}')
		default:
			p.print(b)
		}
	}
	b.WriteString(quote)
}
