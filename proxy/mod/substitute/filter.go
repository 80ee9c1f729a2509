package substitute

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"

	"balancerd/proxy/exchange"
)

// rules is SUBSTITUTE with those of a chain of scopes.
type rules struct {
	list []rule
	most int64
}

// do has an answer's lines pass through the rules. Its tag and its sum stay, as in httpd.
func (f *rules) do(_ context.Context, x *exchange.Exchange) error {
	r := &x.Res
	r.Length = -1
	r.Header.Del("Content-Length")
	if r.Body != nil && !x.HeadOnly {
		l := &lines{rules: f, x: x}
		r.Streamed = &l.several
		r.Body = exchange.Rewritten(r.Body, func(out io.Writer) exchange.Rewriter { l.out = out; return l })
	}
	return nil
}

// lines cuts a body into lines and puts them through the rules.
type lines struct {
	*rules
	x       *exchange.Exchange
	out     io.Writer
	held    []byte // the beginning of a line
	pass    bool   // what follows belongs to a line that is too long: it passes as it is
	several bool   // a line has ended: httpd gives on one after the other, so that it does not know their length in time
	turn    exchange.Turn

	made  []byte   // what goes out
	loc   []int    // storage
	parts []string // of a line, behind rules with q
	next  []string
}

// turnSize is after how many bytes the event loop goes on without the answer.
const turnSize = 16 << 10

// least is up to which length a line is kept whatever its limit is, which httpd holds only against lines that come in
// several pieces.
const least = 8 << 10

// Write takes a piece.
func (l *lines) Write(p []byte) (int, error) {
	l.turn.Worked(l.x, len(p), turnSize)
	n := len(p)
	l.made = l.made[:0]
	if i := bytes.IndexByte(p, '\n') + 1; i == 0 {
		l.hold(p)
	} else {
		l.several = true
		l.first(p[:i])
		l.rest(p[i:])
	}
	_, err := l.out.Write(l.made)
	return n, err
}

// first ends the line that was begun.
func (l *lines) first(p []byte) {
	if l.pass {
		l.made, l.pass = append(l.made, p...), false
		return
	}
	if len(l.held) == 0 {
		l.line(string(p))
		return
	}
	l.held = append(l.held, p...)
	l.line(string(l.held))
	l.held = l.held[:0]
}

// rest are whole lines, and the beginning of one.
func (l *lines) rest(p []byte) {
	text := string(p)
	for {
		i := strings.IndexByte(text, '\n') + 1
		if i == 0 {
			break
		}
		l.line(text[:i])
		text = text[i:]
	}
	l.hold(p[len(p)-len(text):])
}

// hold keeps the beginning of a line.
func (l *lines) hold(p []byte) {
	switch {
	case l.pass:
		l.made = append(l.made, p...)
	case int64(len(l.held)+len(p)) > max(l.most, least):
		l.tooLong()
		l.made = append(append(l.made, l.held...), p...)
		l.held, l.pass = nil, true
	default:
		l.held = append(l.held, p...)
	}
}

func (l *lines) tooLong() {
	l.x.Log("substitute", exchange.Error, nil, l.x.Arena.Join("AH01328: Line too long, URI ", l.x.Req.Path))
}

// Flush has nothing to do: a line that is not whole waits for its end.
func (l *lines) Flush() error { return nil }

// Close ends the last line.
func (l *lines) Close() error {
	l.made = l.made[:0]
	if len(l.held) > 0 {
		l.line(string(l.held))
	}
	_, err := l.out.Write(l.made)
	return err
}

var errTooLong = errors.New("line too long")

// line puts a line through all rules. One that can't be, or that becomes too long, passes as it is.
func (l *lines) line(text string) {
	l.parts = append(l.parts[:0], text)
	for i := range l.list {
		if err := l.apply(&l.list[i]); err != nil {
			if err == errTooLong {
				l.tooLong()
			} else {
				l.x.Log("substitute", exchange.Error, nil, l.x.Arena.Join("a line can't be decided: ", err.Error()))
			}
			l.made = append(l.made, text...)
			return
		}
	}
	for _, p := range l.parts {
		l.made = append(l.made, p...)
	}
}

// apply puts the parts of a line through a rule.
func (l *lines) apply(r *rule) error {
	l.next = l.next[:0]
	for _, p := range l.parts {
		if err := l.part(r, p); err != nil {
			return err
		}
	}
	l.parts, l.next = l.next, l.parts
	return nil
}

// part replaces all matches in a part of a line.
func (l *lines) part(r *rule, s string) (err error) {
	var made []byte // what came of the part so far, if it is not cut
	at, left, matched := 0, l.most, false
	for at <= len(s) {
		var ok bool
		if l.loc, ok, err = r.find(s[at:], l.loc[:0]); err != nil {
			return err
		}
		if !ok {
			break
		}
		matched = true
		from, to := at+l.loc[0], at+l.loc[1]
		size := len(made)
		made = append(made, s[at:from]...)
		begin := len(made)
		made = r.fill(made, s[at:], l.loc)
		if to == from && to < len(s) { // nothing was found: go on behind the next character
			to++
			made = append(made, s[from:to]...)
		} else if to == from {
			to++
		}
		if left -= int64(len(made) - size); left < 0 {
			return errTooLong
		}
		if r.quick {
			l.next = append(l.next, s[at:from], string(made[begin:]))
			made = made[:0]
		}
		if at = to; r.once {
			break
		}
	}
	tail := s[min(at, len(s)):]
	switch {
	case !matched:
		l.next = append(l.next, s)
	case r.quick:
		l.next = append(l.next, tail)
	default:
		l.next = append(l.next, string(append(made, tail...)))
	}
	return nil
}
