package pattern

import (
	"math/bits"
	"slices"
	"strings"
)

// literals are texts of which a subject must hold one.
type literals struct {
	list  []string
	fold  bool // letters match in any case; the texts are in lower case
	loose bool // there are subjects with one of the texts in some case that the expression does not mean
}

// Bounds of what is kept of an expression's texts.
const (
	mostProduct = 16       // texts that pieces one behind the other combine to
	mostTexts   = 512      // alternatives
	mostBytes   = 16 << 10 // of all texts together
)

func oneOf(texts ...string) *literals { return &literals{list: texts} }

// noText is what takes no bytes. Like all literals it is not changed once it is made.
var noText = oneOf("")

func (l *literals) single() bool { return len(l.list) == 1 }

// shortest is the length of the shortest text.
func (l *literals) shortest() int {
	n := len(l.list[0])
	for _, t := range l.list[1:] {
		n = min(n, len(t))
	}
	return n
}

func (l *literals) bytes() (n int) {
	for _, t := range l.list {
		n += len(t)
	}
	return n
}

// score says how much of the search the texts save: the longer and the fewer the better; 0 when they save nothing.
func (l *literals) score() int {
	if l == nil || l.shortest() == 0 {
		return 0
	}
	n := l.shortest()
	return max(1, 8*min(n, 5)+min(n, 20)-3*bits.Len(uint(len(l.list)-1)))
}

func better(a, b *literals) *literals {
	if a.score() > b.score() {
		return a
	}
	return b
}

// folded are the texts in lower case.
func (l *literals) folded() *literals {
	if l.fold {
		return l
	}
	f := &literals{fold: true, loose: l.loose}
	for _, t := range l.list {
		low := lower(t)
		f.loose = f.loose || hasLetter(t)
		f.list = append(f.list, low)
	}
	slices.Sort(f.list)
	f.list = slices.Compact(f.list)
	return f
}

// alike gives both the same case.
func alike(a, b *literals) (*literals, *literals) {
	if a.fold != b.fold {
		return a.folded(), b.folded()
	}
	return a, b
}

// product are the texts of a, each followed by those of b; nil when there are too many.
func product(a, b *literals) *literals {
	switch {
	case a == noText:
		return b
	case b == noText:
		return a
	}
	n := len(a.list) * len(b.list)
	if n > mostProduct && !a.single() && !b.single() || n > mostTexts || len(b.list)*a.bytes()+len(a.list)*b.bytes() > mostBytes {
		return nil
	}
	a, b = alike(a, b)
	p := &literals{fold: a.fold, loose: a.loose || b.loose}
	for _, x := range a.list {
		for _, y := range b.list {
			p.list = append(p.list, x+y)
		}
	}
	return p
}

// union are the texts of all; nil when some are not known or there are too many.
func union(all ...*literals) *literals {
	u, bytes := &literals{}, 0
	for _, l := range all {
		if l == nil {
			return nil
		}
		u.fold = u.fold || l.fold
		bytes += l.bytes()
	}
	for _, l := range all {
		if u.fold {
			l = l.folded()
		}
		u.list, u.loose = append(u.list, l.list...), u.loose || l.loose
		if len(u.list) > mostTexts || bytes > mostBytes {
			return nil
		}
	}
	slices.Sort(u.list)
	u.list = slices.Compact(u.list)
	return u
}

// lowers has each byte with ASCII letters in lower case.
var lowers = func() (t [256]byte) {
	for c := range t {
		t[c] = lowerByte(byte(c))
	}
	return t
}()

func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		b[i] = lowers[c]
	}
	return string(b)
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func hasLetter(s string) bool {
	for i := range len(s) {
		if isLetter(s[i]) {
			return true
		}
	}
	return false
}

// hasAt reports whether text stands at the beginning of s.
func hasAt(s, text string, fold bool) bool {
	if !fold {
		return strings.HasPrefix(s, text)
	}
	if len(s) < len(text) {
		return false
	}
	for i := range len(text) {
		if lowers[s[i]] != text[i] {
			return false
		}
	}
	return true
}

// edge looks for texts at one end of a subject.
type edge struct {
	literals
	end  bool    // at the end, not at the beginning
	both bool    // the text is all of the subject
	may  byteSet // the bytes that may stand there
}

func newEdge(l *literals, end, both bool) *edge {
	e := &edge{literals: *l, end: end, both: both}
	for _, t := range l.list {
		if t == "" {
			e.may = byteSet{}.not()
			break
		}
		e.may.add(t[e.at(len(t))])
	}
	if l.fold {
		e.may = e.may.folded()
	}
	return e
}

// at is the place of the byte in question of n.
func (e *edge) at(n int) int {
	if e.end {
		return n - 1
	}
	return 0
}

func (e *edge) in(s string) bool {
	if len(e.list) > 1 && s != "" && !e.may.has(s[e.at(len(s))]) {
		return false
	}
	for _, t := range e.list {
		switch {
		case len(t) > len(s), e.both && len(t) != len(s):
		case e.end && hasAt(s[len(s)-len(t):], t, e.fold), !e.end && hasAt(s, t, e.fold):
			return true
		}
	}
	return false
}

// needle looks for one text anywhere, by its rarest byte.
type needle struct {
	text string
	fold bool
	at   int     // of the rarest byte
	rare [2]byte // the byte in both cases
}

// usual are the bytes of URLs and browsers' names, the most frequent first (counted in the fields of some hundred
// browsers' requests). Others are rarer.
const usual = "/eatoin0.rs1l2cd-;mp3h4u (5)6g7bfwM=8&9kvyxS,A_WTCKLGzjq:PIFENXHROUDBVQYJZ"

// rarity is higher for rarer bytes.
func rarity(c byte, fold bool) int {
	rank := func(c byte) int {
		if i := strings.IndexByte(usual, c); i >= 0 {
			return i
		}
		return len(usual)
	}
	if fold && isLetter(c) {
		return min(rank(c|0x20), rank(c&^0x20)) - len(usual)/4 // two searches
	}
	return rank(c)
}

func newNeedle(text string, fold bool) needle {
	n := needle{text: text, fold: fold}
	for i := range len(text) {
		if rarity(text[i], fold) > rarity(text[n.at], fold) {
			n.at = i
		}
	}
	if text != "" {
		c := text[n.at]
		n.rare = [2]byte{c, c}
		if fold && isLetter(c) {
			n.rare[1] = c &^ 0x20
		}
	}
	return n
}

// index is where the text begins first, -1 when it is not there.
func (n *needle) index(s string) int {
	if n.text == "" {
		return 0
	}
	i := n.first(s, n.rare[0])
	if n.rare[1] != n.rare[0] {
		if i >= 0 {
			s = s[:min(len(s), i+len(n.text)-1)] // only what begins before
		}
		if j := n.first(s, n.rare[1]); j >= 0 {
			return j
		}
	}
	return i
}

// first is where the text begins first with this form of its rarest byte.
func (n *needle) first(s string, c byte) int {
	for from := n.at; from < len(s); {
		i := strings.IndexByte(s[from:], c)
		if i < 0 {
			return -1
		}
		from += i
		if hasAt(s[from-n.at:], n.text, n.fold) {
			return from - n.at
		}
		from++
	}
	return -1
}

// search looks for texts anywhere.
type search struct {
	literals
	needles []needle // of few texts
	finder  *finder  // of many
}

// fewTexts are looked for one after the other, as long as there are no more.
const fewTexts = 3

// newSearch is nil when there is no cheap way to look for the texts.
func newSearch(l *literals) *search {
	s := &search{literals: *l}
	if len(l.list) > fewTexts {
		if l.shortest() < gramSize {
			return nil
		}
		texts := make([]text, len(l.list))
		for i, t := range l.list {
			texts[i] = text{t, l.fold}
		}
		s.finder = newFinder(texts)
		return s
	}
	for _, t := range l.list {
		s.needles = append(s.needles, newNeedle(t, l.fold))
	}
	return s
}

func (s *search) in(subject string) bool {
	if s.finder != nil {
		return s.finder.any(subject)
	}
	for i := range s.needles {
		if s.needles[i].index(subject) >= 0 {
			return true
		}
	}
	return false
}
