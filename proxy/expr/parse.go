package expr

import (
	"errors"
	"strings"

	"balancerd/apacheconf/pattern"
)

// maxDepth bounds how deep an expression nests (httpd: the parser's YYMAXDEPTH).
const maxDepth = 10000

// parser reads an expression by recursive descent. Its errors are those of httpd's grammar: what was
// found where something else was expected, then the last thing that was wrong with a name
// (httpd: util_expr_parse.y; ap_expr_parse joins the two).
type parser struct {
	s     scanner
	o     Options
	ahead token
	has   bool // ahead holds the next token
	depth int

	syntax string // what the grammar says
	name   string // what the scanner or a table says, the last one
	failed bool   // the grammar has given up
}

func newParser(text string, o Options, whole bool) *parser {
	text, _, _ = strings.Cut(text, "\x00")
	p := &parser{o: o, s: scanner{src: text, whole: whole}}
	if whole {
		p.s.mode = inString
	}
	return p
}

// finish is the error of the whole.
func (p *parser) finish() error {
	switch {
	case p.syntax != "" && p.name != "":
		return errors.New(p.syntax + ": " + p.name)
	case p.syntax != "":
		return errors.New(p.syntax)
	case p.name != "":
		return errors.New(p.name)
	}
	return nil
}

// next looks at the next token. Once the grammar has given up there are no more.
func (p *parser) next() token {
	if p.failed {
		return tEnd
	}
	if !p.has {
		p.ahead, p.has = p.s.next(), true
		if p.ahead == tError {
			p.name = p.s.fault
		}
	}
	return p.ahead
}

// take goes past the next token and is its text.
func (p *parser) take() string {
	p.has = false
	return p.s.text
}

// expect goes past a token that must be there; others are what a message lists beside it.
func (p *parser) expect(t token, others ...token) string {
	if p.next() == t {
		return p.take()
	}
	return p.unexpected(append([]token{t}, others...)...)
}

// unexpected gives up. Up to four expected tokens are listed, in the grammar's order.
func (p *parser) unexpected(expecting ...token) string {
	if p.failed {
		return ""
	}
	msg := "syntax error, unexpected " + p.next().String()
	for i, t := range expecting {
		if i == 0 {
			msg += ", expecting " + t.String()
		} else {
			msg += " or " + t.String()
		}
	}
	return p.give(msg)
}

func (p *parser) give(msg string) string {
	p.failed, p.syntax = true, msg
	return ""
}

// deeper counts nesting; call what it returns to go back.
func (p *parser) deeper() (back func()) {
	p.depth++
	if p.depth > maxDepth && !p.failed {
		p.give("memory exhausted")
	}
	return func() { p.depth-- }
}

// condition is a whole condition.
func (p *parser) condition() test {
	t := p.or()
	p.end()
	return t
}

func (p *parser) end() {
	if p.next() != tEnd {
		p.unexpected(tEnd)
	}
}

func (p *parser) or() test {
	defer p.deeper()()
	left := p.and()
	if p.next() != tOr {
		return left
	}
	p.take()
	return &either{left, p.or()}
}

func (p *parser) and() test {
	defer p.deeper()()
	left := p.not()
	if p.next() != tAnd {
		return left
	}
	p.take()
	return &both{left, p.and()}
}

func (p *parser) not() test {
	if p.next() != tNot {
		return p.simple()
	}
	defer p.deeper()()
	p.take()
	return &not{p.not()}
}

// simple is a condition without and, or, not around it.
func (p *parser) simple() test {
	switch p.next() {
	case tTrue, tFalse:
		is := p.ahead == tTrue
		p.take()
		return truth(is)
	case tOpen:
		p.take()
		t := p.or()
		p.closing()
		return t
	case tUnary:
		name := p.take()
		w := p.word()
		p.next() // httpd has seen one token more when it looks the name up
		return p.unaryOp(name, w)
	case tError:
		p.failed = true // the scanner's words alone
		return truth(false)
	}
	return p.comparison()
}

func (p *parser) closing() {
	if p.next() == tClose {
		p.take()
		return
	}
	p.unexpected(tOr, tAnd, tClose)
}

func (p *parser) comparison() test {
	left := p.word()
	op := p.next()
	switch {
	case op == tBinary:
		name := p.take()
		right := p.word()
		p.next()
		return p.binaryOp(name, left, right)
	case op == tIn:
		p.take()
		return p.membership(left)
	case op == tReg || op == tNRE:
		p.take()
		return p.regex(left, op == tNRE)
	case tEQ <= op && op <= tStrGE && !p.failed:
		p.take()
		return newComparison(op, left, p.word(), p.o.SSLCompat)
	}
	p.unexpected()
	return truth(false)
}

// membership is what follows in: a list in braces, or a function that returns one.
func (p *parser) membership(needle word) test {
	switch p.next() {
	case tID:
		name := p.take()
		return p.listFunc(name, needle, p.argument())
	case tBraceOpen:
		p.take()
		return p.list(needle)
	}
	p.unexpected(tID, tBraceOpen)
	return truth(false)
}

func (p *parser) list(needle word) test {
	m := &member{needle: needle}
	for {
		m.of = append(m.of, p.word())
		switch p.next() {
		case tComma:
			p.take()
			continue
		case tBraceClose:
			p.take()
			return m
		}
		p.unexpected(tBraceClose, tComma)
		return m
	}
}

func (p *parser) regex(left word, negate bool) test {
	t := p.next()
	if t != tRegex && t != tRegexI {
		p.unexpected(tRegex, tRegexI)
		return truth(false)
	}
	text, delim := p.take(), p.s.around
	re, err := pattern.Compile(text, pattern.Options{Fold: t == tRegexI})
	if err != nil {
		p.give("Failed to compile regular expression")
		return truth(false)
	}
	return &match{subject: left, re: re, groups: re.Groups() > 0, negate: negate, source: text, delim: delim, fold: t == tRegexI}
}

// argument is (word) behind a function's name.
func (p *parser) argument() word {
	p.expect(tOpen)
	w := p.word()
	if p.next() != tClose {
		p.unexpected(tConcat, tClose)
		return w
	}
	p.take()
	return w
}

// word is one operand: parts joined by dots.
func (p *parser) word() word {
	defer p.deeper()()
	w := p.part()
	if p.failed || p.next() != tConcat {
		return w
	}
	p.take()
	return joined(w, p.word())
}

func (p *parser) part() word {
	switch p.next() {
	case tDigit:
		return number(p.take())
	case tVarBegin:
		return p.variable()
	case tBackref:
		return group(p.take()[0] - '0')
	case tID:
		name := p.take()
		return p.stringFunc(name, p.argument())
	case tStrBegin:
		p.take()
		if p.next() == tStrEnd {
			p.take()
			return literal("")
		}
		w := p.str(inQuotes)
		if p.next() == tStrEnd {
			p.take()
		}
		return w
	}
	p.unexpected()
	return literal("")
}

// place is what a string stands in; it decides what a message says was expected.
type place uint8

const (
	inQuotes place = iota
	inArgument
	inExpression
)

// str is a string's parts up to the token that does not belong to it.
func (p *parser) str(in place) word {
	var w word
	for !p.failed {
		var part word
		switch p.next() {
		case tString:
			part = literal(p.take())
		case tVarBegin:
			part = p.variable()
		case tBackref:
			part = group(p.take()[0] - '0')
		default:
			p.strEnd(w == nil, in)
			if w == nil {
				return literal("")
			}
			return w
		}
		if w == nil {
			w = part
		} else {
			w = joined(w, part)
		}
	}
	if w == nil {
		return literal("")
	}
	return w
}

// strEnd checks what stands behind a string's parts.
func (p *parser) strEnd(empty bool, in place) {
	t := p.next()
	switch {
	case empty && t == tError:
		p.failed = true // the scanner's words alone
	case empty:
		p.unexpected(tError, tString, tBackref, tVarBegin)
	case in == inQuotes && t != tStrEnd:
		p.unexpected(tString, tBackref, tStrEnd, tVarBegin)
	case in == inArgument && t != tVarEnd:
		p.unexpected(tString, tBackref, tVarBegin, tVarEnd)
	}
}

// variable is %{NAME} or %{function:argument}.
func (p *parser) variable() word {
	defer p.deeper()()
	p.take()
	name := p.expect(tID)
	switch p.next() {
	case tVarEnd:
		p.take()
		return p.variableNamed(name)
	case tColon:
		p.take()
		w := p.str(inArgument)
		if p.next() != tVarEnd {
			return w
		}
		p.take()
		return p.stringFunc(name, w)
	}
	p.unexpected(tVarEnd, tColon)
	return literal("")
}
