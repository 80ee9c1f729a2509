package pattern

import "slices"

// Set holds patterns that are asked about the same text, and finds those that can match it by one search for the texts
// that they need. It is safe for use by several goroutines.
type Set struct {
	patterns int
	finder   *finder   // nil when no pattern is looked for
	needing  [][]int32 // by text of the finder: the patterns
	always   []uint64  // bits of the patterns that are not looked for
}

// fewPatterns are asked one by one, as that costs less than a search.
const fewPatterns = 8

// NewSet makes a set of patterns; each is known by its index from then on. nil stands for one that may always match.
func NewSet(patterns []*Pattern) *Set {
	s := &Set{patterns: len(patterns), always: make([]uint64, words(len(patterns)))}
	var texts []text
	known := map[text]int{}
	for i, p := range patterns {
		l := p.searchable()
		if l == nil || len(texts)+len(l.list) > mostOfFinder {
			s.always[i/64] |= 1 << (i % 64)
			continue
		}
		for _, t := range l.list {
			key := text{t, l.fold}
			n, ok := known[key]
			if !ok {
				n = len(texts)
				known[key] = n
				texts, s.needing = append(texts, key), append(s.needing, nil)
			}
			s.needing[n] = append(s.needing[n], int32(i))
		}
	}
	if len(patterns) <= fewPatterns || len(texts) == 0 {
		s.needing, s.always = nil, all(len(patterns))
		return s
	}
	s.finder = newFinder(texts)
	return s
}

// searchable are the texts of which the pattern needs one, nil when a finder can't look for them.
func (p *Pattern) searchable() *literals {
	if p == nil {
		return nil
	}
	if l := p.need.best(); l != nil && l.shortest() >= gramSize {
		return l
	}
	return nil
}

func words(bits int) int { return (bits + 63) / 64 }

// all are n bits, set.
func all(n int) []uint64 {
	b := make([]uint64, words(n))
	for i := range n {
		b[i/64] |= 1 << (i % 64)
	}
	return b
}

// Candidates has a bit for each pattern, the first in the lowest bit of the first word: where it is 0, the pattern does
// not match s. It uses the memory of buf.
func (s *Set) Candidates(text string, buf []uint64) []uint64 {
	buf = append(buf[:0], s.always...)
	if s.finder == nil {
		return buf
	}
	n := len(buf)
	buf = slices.Grow(buf, words(len(s.needing)))
	seen := buf[n : n+words(len(s.needing))] // texts: those that many patterns need are not taken twice
	clear(seen)
	s.finder.each(text, func(t int) bool {
		if word, bit := t/64, uint64(1)<<(t%64); seen[word]&bit == 0 {
			seen[word] |= bit
			for _, i := range s.needing[t] {
				buf[i/64] |= 1 << (i % 64)
			}
		}
		return true
	})
	return buf
}
