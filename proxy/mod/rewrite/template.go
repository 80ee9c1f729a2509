package rewrite

import "strings"

// template is a text with references: a substitution, a condition's test string, the value of E, CO, T or H.
// Immutable.
type template struct {
	parts      []part
	ruleGroups bool // $n stands in it
	condGroups bool // %n does
}

// part is one piece of a template.
type part struct {
	kind  kind
	text  string    // of a literal; the name of a map
	group int       // $n, %n
	value variable  // %{NAME}; nil for one that does not exist
	key   *template // ${map:key|other}
	other *template // nil: none
}

type kind uint8

const (
	literal   kind = iota
	protected      // a character behind a backslash
	ruleGroup      // $n
	condGroup      // %n
	value          // %{NAME}
	mapped         // ${map:key|other}
)

// parseTemplate reads a text (httpd: mod_rewrite.c do_expand). Whatever is no reference stands for itself.
func parseTemplate(text string) *template {
	t := &template{}
	for text != "" {
		n := strings.IndexAny(text, `\$%`)
		if n < 0 {
			t.literal(text)
			break
		}
		t.literal(text[:n])
		text = text[n:]
		text = text[t.reference(text):]
	}
	return t
}

func (t *template) literal(text string) {
	n := len(t.parts)
	switch {
	case text == "":
	case n > 0 && t.parts[n-1].kind == literal:
		t.parts[n-1].text += text
	default:
		t.parts = append(t.parts, part{text: text})
	}
}

// reference reads what begins with \, $ or %, and returns how long it is.
func (t *template) reference(text string) (length int) {
	switch {
	case len(text) == 1:
		t.literal(text)
		return 1
	case text[0] == '\\':
		t.parts = append(t.parts, part{kind: protected, text: text[1:2]})
		return 2
	case text[1] == '{':
		return t.braced(text)
	case '0' <= text[1] && text[1] <= '9':
		t.group(text[0], int(text[1]-'0'))
		return 2
	}
	t.literal(text[:1])
	return 1
}

func (t *template) group(sign byte, n int) {
	p := part{kind: ruleGroup, group: n}
	if sign == '%' {
		p.kind = condGroup
	}
	t.ruleGroups, t.condGroups = t.ruleGroups || sign == '$', t.condGroups || sign == '%'
	t.parts = append(t.parts, p)
}

// braced reads %{NAME} or ${map:key|other}.
func (t *template) braced(text string) (length int) {
	end := inBraces(text[2:], '}')
	if end >= 0 && text[0] == '%' {
		t.parts = append(t.parts, part{kind: value, value: variableNamed(text[2 : 2+end])})
		return end + 3
	}
	colon := -1
	if end >= 0 {
		colon = inBraces(text[2:], ':')
	}
	if colon < 0 {
		t.literal(text[:2])
		return 2
	}
	key, other, has := text[3+colon:2+end], "", false
	if bar := inBraces(key, '|'); bar >= 0 {
		key, other, has = key[:bar], key[bar+1:], true
	}
	p := part{kind: mapped, text: text[2 : 2+colon], key: parseTemplate(key)}
	t.refersIn(p.key)
	if has && other != "" {
		p.other = parseTemplate(other)
		t.refersIn(p.other)
	}
	t.parts = append(t.parts, p)
	return end + 3
}

func (t *template) refersIn(inner *template) {
	t.ruleGroups, t.condGroups = t.ruleGroups || inner.ruleGroups, t.condGroups || inner.condGroups
}

// inBraces is where a character stands first that is in no braces of its own; -1 when the braces end before.
func inBraces(text string, c byte) int {
	depth := 1
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == c && depth == 1:
			return i
		case text[i] == '}':
			if depth--; depth == 0 {
				return -1
			}
		case text[i] == '{':
			depth++
		}
	}
	return -1
}

// openHost is the length of a beginning "scheme://host" behind which no text of the configuration ends the host: what
// references bring must, by a slash. 0 where the host ends by itself, or is made of references.
func (t *template) openHost() int {
	if len(t.parts) < 2 || t.parts[0].kind != literal {
		return 0
	}
	first := t.parts[0].text
	_, host, ok := strings.Cut(first, "://")
	if !ok || host == "" || strings.ContainsAny(host, "/?") {
		return 0
	}
	if i := strings.LastIndexByte(host, ':'); i >= 0 && strings.Trim(host[i+1:], "0123456789") == "" && host[i+1:] != "" {
		return len(first) // behind a port nothing else may follow
	}
	for i := range t.parts[1:] {
		if p := &t.parts[1+i]; (p.kind == literal || p.kind == protected) && strings.IndexByte(p.text, '/') >= 0 {
			return 0
		}
	}
	return len(first)
}

func hasMark(text string) bool { return strings.IndexByte(text, '?') >= 0 }

// marks follows where the "?" of an expanded substitution comes from that begins the query: from the substitution's
// own text or from what was put into it. The first counts, with QSL the last.
type marks struct {
	latest bool // the last counts
	known  bool
	unsafe bool
}

// see looks at a piece of the result. m may be nil: nobody wants to know.
func (m *marks) see(text string, expanded bool) {
	if m != nil && (m.latest || !m.known) && hasMark(text) {
		m.known, m.unsafe = true, expanded
	}
}

// expand is a template's text. r, when it is not nil, is the rule whose flags say how groups are escaped.
func (p *pass) expand(t *template, r *rule, m *marks) string {
	switch len(t.parts) {
	case 0:
		return ""
	case 1:
		text := p.part(&t.parts[0], r)
		if k := t.parts[0].kind; k != protected {
			m.see(text, k != literal)
		}
		return text
	}
	start := len(p.buffer)
	for i := range t.parts {
		q := &t.parts[i]
		text := p.part(q, r)
		if q.kind != protected {
			m.see(text, q.kind != literal)
		}
		p.buffer = append(p.buffer, text...)
	}
	made := p.keep(p.buffer[start:])
	p.buffer = p.buffer[:start]
	return made
}

// keep makes a text. What later rounds make is not held until the exchange's end.
func (p *pass) keep(b []byte) string {
	if p.round > 1 {
		return string(b)
	}
	return p.x.Arena.Bytes(b)
}

// part is the text of a piece.
func (p *pass) part(q *part, r *rule) string {
	switch q.kind {
	case ruleGroup:
		return p.escaped(p.rule.text(q.group), r)
	case condGroup:
		return p.escaped(p.cond.text(q.group), r)
	case value:
		if q.value == nil {
			return ""
		}
		return q.value(p, p.x)
	case mapped:
		return p.mapped(q, r)
	}
	return q.text
}

// mapped asks a map, and takes the other text where that has nothing.
func (p *pass) mapped(q *part, r *rule) string {
	text, ok := p.lookUp(q.text, p.expand(q.key, r, nil))
	if !ok && q.other != nil {
		return p.expand(q.other, r, nil)
	}
	return text
}

// escaped is a group as B has it.
func (p *pass) escaped(group string, r *rule) string {
	if group == "" || r == nil || r.flags&escapeGroups == 0 {
		return group
	}
	text := r.escapeGroup(group)
	if p.traced {
		p.traceDir(5, "escaping backreference '", group, "' to '", text, "'")
	}
	return text
}

// groups are the texts that a regular expression has found.
type groups struct {
	source string
	loc    [20]int
	n      int // of loc
}

// set keeps the first ten of pairs of offsets.
func (g *groups) set(source string, loc []int) {
	g.source, g.n = source, copy(g.loc[:], loc)
}

// text is that of a number; "" when there is none.
func (g *groups) text(n int) string {
	if 2*n+1 >= g.n || g.loc[2*n] < 0 {
		return ""
	}
	return g.source[g.loc[2*n]:g.loc[2*n+1]]
}
