package apacheconf

import "strings"

// logicalLine is a line after continuation: what directives see, and where it stood.
type logicalLine struct {
	text        string // joined, without surrounding white space
	raw         string // the physical lines as they stand in the file, with their ends
	first, last int    // physical line numbers
	tooLong     bool
}

// item is a logical line and what it does.
type item struct {
	line *logicalLine
	kind itemKind
}

type itemKind uint8

const (
	comments itemKind = iota // a comment or an empty line
	opens                    // <Name …>
	closes                   // </Name>
	says                     // a directive
)

// maxLine is the longest logical line that httpd takes, with its terminator (httpd: config.c).
const maxLine = 16 << 20

const blanks = " \t\n\v\f\r"

// splitLines joins continued lines and numbers them. A backslash right before the line end, or before
// CR and line end, continues, even one that an empty line's joining brought to the end; a NUL cuts the rest of its physical line off; a backslash at the end of
// the file stays (httpd: util.c ap_cfg_getline).
func splitLines(text string) []logicalLine {
	var out []logicalLine
	for n, at := 1, 0; at < len(text); {
		l := logicalLine{first: n}
		var whole string
		start := at
		for at < len(text) {
			var phys string
			var ended bool
			if i := strings.IndexByte(text[at:], '\n'); i >= 0 {
				phys, ended = text[at:at+i], true
				at += i + 1
			} else {
				phys, at = text[at:], len(text)
			}
			l.last = n
			n++
			if i := strings.IndexByte(phys, 0); i >= 0 {
				phys = phys[:i]
			}
			whole += phys
			cut := strings.TrimSuffix(whole, "\r")
			if !ended || !strings.HasSuffix(cut, `\`) {
				break
			}
			whole = cut[:len(cut)-1]
		}
		l.raw = text[start:at]
		l.tooLong = len(whole) >= maxLine-1
		l.text = strings.Trim(whole, blanks)
		out = append(out, l)
	}
	return out
}
