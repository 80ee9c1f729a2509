package apacheconf

import (
	"bytes"
	"strings"
)

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

// How long a logical line may be, with its terminator (httpd: config.c ap_build_config).
const (
	maxLine       = 16 << 20
	maxAccessLine = 8192 // in access files
)

const blanks = " \t\n\v\f\r"

// splitLines joins continued lines and numbers them. A backslash right before the line end, or before
// CR and line end, continues, even one that an empty line's joining brought to the end; at the end of
// the file it continues into nothing. A NUL cuts the rest of its physical line off, a backslash before
// it too does not continue; a backslash that no line end follows stays (httpd: util.c ap_cfg_getline).
func splitLines(text string, longest int) []logicalLine {
	out := make([]logicalLine, 0, strings.Count(text, "\n")+1)
	for n, at := 1, 0; at < len(text); {
		l := logicalLine{first: n}
		start := at
		var joined []byte
		for {
			phys, ended := text[at:], false
			if i := strings.IndexByte(phys, '\n'); i >= 0 {
				phys, ended = phys[:i], true
				at++
			}
			at += len(phys)
			l.last = n
			n++
			if i := strings.IndexByte(phys, 0); i >= 0 {
				phys, ended = phys[:i], false
			}
			if joined == nil && !(ended && strings.HasSuffix(strings.TrimSuffix(phys, "\r"), `\`)) {
				l.text = phys
				break
			}
			joined = append(joined, phys...)
			cut := bytes.TrimSuffix(joined, []byte("\r"))
			if !ended || !bytes.HasSuffix(cut, []byte(`\`)) {
				l.text = string(joined)
				break
			}
			if joined = cut[:len(cut)-1]; at == len(text) {
				l.last, l.text = n, string(joined)
				break
			}
		}
		l.raw = text[start:at]
		l.tooLong = len(l.text) >= longest-1
		l.text = strings.Trim(l.text, blanks)
		out = append(out, l)
	}
	return out
}
