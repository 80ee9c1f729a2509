package wire

import "bytes"

// HeadScan decides when to parse a head that was not whole the last time, so that one that comes byte by
// byte costs no more than in one piece. It looks at each byte once. The zero value is for a head that has
// not been parsed yet. Positions are relative to the head's beginning.
type HeadScan struct {
	Tried int // bytes that were there at the last parsing; 0: it has not been parsed
	seen  int // bytes that were looked through
	line  int // where the first line begins whose end has not been seen
	lines int // whole ones before it
}

// Due reports whether to parse what is there of a head: for the first time, when its first
// or second line is whole, when a line came that decides it, or when so much came that parsing again costs little by the byte.
// decides is asked about each further line, which stands there without its line feed.
func (s *HeadScan) Due(have []byte, decides func(line []byte) bool) bool {
	if s.Tried == 0 {
		return true
	}
	due := len(have) >= s.Tried+s.Tried/2+64
	for s.seen < len(have) {
		n := bytes.IndexByte(have[s.seen:], '\n')
		if n < 0 {
			s.seen = len(have)
			break
		}
		due = due || s.lines < 2 || decides(have[s.line:s.seen+n])
		s.seen += n + 1
		s.line = s.seen
		s.lines++
	}
	return due
}

// Open is how long the line is whose end has not been seen, as of the last call of Due.
func (s *HeadScan) Open() int { return s.seen - s.line }

// EmptyLine reports whether a line without its line feed ends a head.
func EmptyLine(line []byte) bool { return len(line) == 0 || len(line) == 1 && line[0] == '\r' }
