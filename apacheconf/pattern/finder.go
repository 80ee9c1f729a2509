package pattern

import "math/bits"

// finder looks for many texts in one pass over a subject: of each text it knows three bytes in a row, those that few
// other texts have, in a table of hashes. What the table knows is compared as a whole. (Wu and Manber, "A fast
// algorithm for multi-pattern searching", 1994, without its jumps: subjects are short.)
type finder struct {
	texts []gramText
	first []uint16 // by hash: the first text, counted from 1; 0: none
	shift uint
}

// text is looked for as it stands, or, in lower case, for letters in any case.
type text struct {
	text string
	fold bool
}

// gramText is a text with the place of its three bytes, and the next text with their hash.
type gramText struct {
	text
	at   uint16
	next uint16
}

const (
	gramSize     = 3
	mostOfFinder = 1<<16 - 1
	furthestGram = 256 // where in a long text the three bytes begin at most
)

// newFinder takes texts of three bytes at least, each of them once.
func newFinder(texts []text) *finder {
	n := bits.Len(uint(4*len(texts) + 64))
	f := &finder{texts: make([]gramText, len(texts)), first: make([]uint16, 1<<n), shift: uint(32 - n)}
	for i, t := range texts {
		f.texts[i].text = t
	}
	f.enter()
	return f
}

// enter chooses each text's three bytes and puts it into the table.
func (f *finder) enter() {
	uses := make(map[uint32]int, 4*len(f.texts))
	for i := range f.texts {
		f.texts[i].grams(func(_ int, g uint32) { uses[g]++ })
	}
	for i := range f.texts {
		t := &f.texts[i]
		best, least := uint32(0), 1<<30
		t.grams(func(at int, g uint32) {
			if n := 1024*uses[g] - rareness(g); n < least {
				best, least, t.at = g, n, uint16(at)
			}
		})
		h := f.hash(best)
		t.next, f.first[h] = f.first[h], uint16(i+1)
	}
}

// grams calls f for each three bytes of the text, in lower case.
func (t *gramText) grams(f func(at int, gram uint32)) {
	s := t.text.text
	for i := 0; i+gramSize <= len(s) && i < furthestGram; i++ {
		f(i, uint32(lowers[s[i]])<<16|uint32(lowers[s[i+1]])<<8|uint32(lowers[s[i+2]]))
	}
}

func rareness(gram uint32) int {
	return rarity(byte(gram>>16), true) + rarity(byte(gram>>8), true) + rarity(byte(gram), true)
}

func (f *finder) hash(gram uint32) uint32 { return gram * 0x9E3779B1 >> f.shift }

// each calls found for each text that is in s, as often as it is there, until it returns false.
func (f *finder) each(s string, found func(text int) bool) {
	if len(s) < gramSize {
		return
	}
	gram := uint32(lowers[s[0]])<<8 | uint32(lowers[s[1]])
	for i := gramSize - 1; i < len(s); i++ {
		gram = gram<<8&0xFFFFFF | uint32(lowers[s[i]])
		for n := f.first[f.hash(gram)]; n != 0; n = f.texts[n-1].next {
			t := &f.texts[n-1]
			from := i - (gramSize - 1) - int(t.at)
			if from >= 0 && hasAt(s[from:], t.text.text, t.fold) && !found(int(n-1)) {
				return
			}
		}
	}
}

// any reports whether one of the texts is in s.
func (f *finder) any(s string) bool {
	there := false
	f.each(s, func(int) bool {
		there = true
		return false
	})
	return there
}
