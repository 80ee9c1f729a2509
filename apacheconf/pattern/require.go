package pattern

import (
	"regexp/syntax"
	"slices"
)

// requirement is what a subject must have so that an expression can match. It is looked for before any engine runs,
// and often is all that decides.
type requirement struct {
	least  int // bytes
	prefix *edge
	suffix *edge
	inside *search
	whole  bool // a subject that has all this matches

	index *needle // set when the expression is one text without groups: where it is found is the match
	rest  bool    // the expression is ^text(.*) with the text in prefix: its only group is what follows the text
}

// verdict is what a requirement says of a subject.
type verdict uint8

const (
	maybe verdict = iota
	no
	yes
)

func (r *requirement) judge(s string) verdict {
	switch {
	case len(s) < r.least,
		r.prefix != nil && !r.prefix.in(s),
		r.suffix != nil && !r.suffix.in(s),
		r.inside != nil && !r.inside.in(s):
		return no
	case r.whole:
		return yes
	}
	return maybe
}

// best are the texts that tell this expression from others best, nil when there are none.
func (r *requirement) best() *literals {
	var l *literals
	if r.prefix != nil {
		l = better(&r.prefix.literals, l)
	}
	if r.suffix != nil {
		l = better(&r.suffix.literals, l)
	}
	if r.inside != nil {
		l = better(&r.inside.literals, l)
	}
	return l
}

// require finds an expression's requirement. decides: the expression is all that is asked, so its texts may decide;
// not so when it stands for one that says more. groups: how many capture.
func require(re *syntax.Regexp, decides bool, groups int) (r requirement) {
	nodes := flatten(re, nil)
	begin, end := false, false
	for len(nodes) > 0 && nodes[0].Op == syntax.OpBeginText {
		begin, nodes = true, nodes[1:]
	}
	for n := len(nodes) - 1; n >= 0 && nodes[n].Op == syntax.OpEndText; n-- {
		end, nodes = true, nodes[:n]
	}
	p := sequence(nodes)
	r.least = p.least
	if begin && p.head.score() > 0 {
		r.prefix = newEdge(p.head, false, false)
	}
	if end && p.tail.score() > 0 {
		r.suffix = newEdge(p.tail, true, false)
	}
	if p.best.score() > 0 && (r.prefix == nil || p.best != p.head) && (r.suffix == nil || p.best != p.tail) {
		r.inside = newSearch(p.best)
	}
	if decides {
		r.decide(nodes, p, begin, end)
		r.rest = begin && groups == 1 && isRest(nodes)
		if groups > 0 {
			r.index = nil
		}
	}
	return r
}

// decide makes the requirement one that decides, when all of the expression is texts, perhaps with .* around. p is what
// is known of the nodes.
func (r *requirement) decide(nodes []*syntax.Regexp, p piece, begin, end bool) {
	dots := false
	for len(nodes) > 0 && isAll(nodes[0]) {
		begin, dots, nodes = false, true, nodes[1:]
	}
	for n := len(nodes) - 1; n >= 0 && isAll(nodes[n]); n-- {
		end, dots, nodes = false, true, nodes[:n]
	}
	if dots {
		p = sequence(nodes)
	}
	if p.exact == nil || p.exact.loose || p.asks {
		return
	}
	var inside *search
	if !begin && !end && p.exact.shortest() > 0 {
		if inside = newSearch(p.exact); inside == nil {
			return
		}
	}
	*r = requirement{least: p.least, inside: inside, whole: true}
	switch {
	case begin:
		r.prefix = newEdge(p.exact, false, end)
	case end:
		r.suffix = newEdge(p.exact, true, false)
	}
	if !dots && (begin || !end) && p.exact.single() {
		n := newNeedle(p.exact.list[0], p.exact.fold)
		r.index = &n
	}
}

// flatten makes one list of pieces that follow each other; groups around several do not matter.
func flatten(re *syntax.Regexp, list []*syntax.Regexp) []*syntax.Regexp {
	switch {
	case re.Op == syntax.OpConcat:
		for _, sub := range re.Sub {
			list = flatten(sub, list)
		}
		return list
	case re.Op == syntax.OpCapture && re.Sub[0].Op == syntax.OpConcat:
		return flatten(re.Sub[0], list)
	}
	return append(list, re)
}

// isAll reports whether a piece is .* or (.*), which takes whatever there is.
func isAll(re *syntax.Regexp) bool {
	if re.Op == syntax.OpCapture {
		re = re.Sub[0]
	}
	return re.Op == syntax.OpStar && re.Sub[0].Op == syntax.OpAnyChar
}

// isRest reports whether a list is a text and (.*), which takes all that follows.
func isRest(nodes []*syntax.Regexp) bool {
	n := len(nodes) - 1
	if n < 0 || nodes[n].Op != syntax.OpCapture || !isAll(nodes[n]) || nodes[n].Sub[0].Flags&syntax.NonGreedy != 0 {
		return false
	}
	p := sequence(nodes[:n])
	return p.exact != nil && p.exact.single() && !p.exact.loose && !p.asks
}

// piece is what is known of a part of an expression.
type piece struct {
	least int       // bytes of a match
	exact *literals // all that it matches, nil when that is not known
	head  *literals // a match begins with one of these, and
	tail  *literals // ends with one of these, and
	best  *literals // holds one of these
	asks  bool      // it asks for more than texts: \b, ^ and $ within
}

func exactly(l *literals) piece {
	return piece{least: l.shortest(), exact: l, head: l, tail: l, best: l}
}

// inspect finds what is known of a node.
func inspect(re *syntax.Regexp) piece {
	switch re.Op {
	case syntax.OpEmptyMatch:
		return exactly(noText)
	case syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText, syntax.OpEndText, syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		p := exactly(noText)
		p.asks = true
		return p
	case syntax.OpLiteral:
		return inspectText(re)
	case syntax.OpCharClass:
		return inspectClass(re)
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return piece{least: 1}
	case syntax.OpCapture:
		return inspect(re.Sub[0])
	case syntax.OpConcat:
		return sequence(re.Sub)
	case syntax.OpAlternate:
		return alternatives(re.Sub)
	case syntax.OpQuest:
		p := inspect(re.Sub[0])
		return piece{exact: union(p.exact, noText), asks: p.asks}.spread()
	case syntax.OpPlus:
		return repeated(re.Sub[0], 1)
	case syntax.OpRepeat:
		if re.Min == re.Max && re.Min <= mostProduct {
			return sequence(slices.Repeat(re.Sub, re.Min))
		}
		return repeated(re.Sub[0], re.Min)
	case syntax.OpStar:
		return repeated(re.Sub[0], 0)
	}
	return piece{asks: true}
}

// spread is a piece that knows of nothing but exact.
func (p piece) spread() piece {
	p.head, p.tail, p.best = p.exact, p.exact, p.exact
	return p
}

// repeated is a piece that comes at least n times. What it matches exactly is not known, as nobody knows how often.
func repeated(re *syntax.Regexp, n int) piece {
	p := inspect(re)
	if n == 0 {
		return piece{asks: p.asks}
	}
	return piece{least: min(n*p.least, maxSubject), head: p.head, tail: p.tail, best: p.best, asks: p.asks}
}

func inspectText(re *syntax.Regexp) piece {
	text := make([]byte, 0, len(re.Rune))
	for _, r := range re.Rune {
		c, ok := narrowRune(r)
		if !ok {
			return piece{} // no subject holds it
		}
		text = append(text, c)
	}
	l := oneOf(string(text))
	if re.Flags&syntax.FoldCase != 0 && hasLetter(string(text)) {
		l = l.folded()
		l.loose = false // that is what was meant
	}
	return exactly(l)
}

// mostOfClass is how many characters of a class are told apart.
const mostOfClass = 4

func inspectClass(re *syntax.Regexp) piece {
	var bytes byteSet
	for i := 0; i < len(re.Rune); i += 2 {
		for c := range 256 {
			if r := wideRune(byte(c)); re.Rune[i] <= r && r <= re.Rune[i+1] {
				bytes.add(byte(c))
			}
		}
	}
	l := &literals{fold: bytes == bytes.folded() && bytes.hasAny(ranges("az"))}
	for c := range 256 {
		if bytes.has(byte(c)) && !(l.fold && lowers[c] != byte(c)) {
			l.list = append(l.list, string([]byte{byte(c)}))
		}
	}
	if len(l.list) == 0 || len(l.list) > mostOfClass {
		return piece{least: 1}
	}
	return exactly(l)
}

// sequence is what is known of pieces that follow each other. Texts that touch become one; a piece that is more than
// texts ends them.
func sequence(list []*syntax.Regexp) piece {
	all := piece{exact: noText}
	run := all.exact
	for _, re := range list {
		p := inspect(re)
		all.least = min(all.least+p.least, maxSubject)
		all.asks = all.asks || p.asks
		if p.exact != nil {
			if longer := product(run, p.exact); longer != nil {
				run = longer
				continue
			}
		}
		if p.head != nil {
			if longer := product(run, p.head); longer != nil {
				run = longer
			}
		}
		all.end(run)
		all.best = better(p.best, all.best)
		if run = p.tail; run == nil {
			run = noText
		}
	}
	if all.exact != nil {
		all.exact = run
		return all.spread()
	}
	all.best = better(run, all.best)
	all.tail = run
	return all
}

// end notes texts that a piece of another kind ended.
func (p *piece) end(run *literals) {
	if p.exact != nil {
		p.exact, p.head = nil, run
	}
	p.best = better(run, p.best)
}

// alternatives is what is known when one of several pieces matches: what all of them know.
func alternatives(list []*syntax.Regexp) piece {
	pieces := make([]piece, len(list))
	all := piece{least: maxSubject}
	for i, re := range list {
		p := inspect(re)
		pieces[i], all.least, all.asks = p, min(all.least, p.least), all.asks || p.asks
	}
	if all.exact = unionOf(pieces, func(p *piece) *literals { return p.exact }); all.exact != nil {
		return all.spread()
	}
	all.head = unionOf(pieces, func(p *piece) *literals { return p.head })
	all.tail = unionOf(pieces, func(p *piece) *literals { return p.tail })
	all.best = unionOf(pieces, func(p *piece) *literals { return p.best })
	return all
}

func unionOf(pieces []piece, of func(*piece) *literals) *literals {
	list := make([]*literals, len(pieces))
	for i := range pieces {
		list[i] = of(&pieces[i])
	}
	return union(list...)
}
