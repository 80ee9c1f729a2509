package manager

import (
	"io"
	"strconv"
)

// piece is how many bytes are collected before they are passed on: the page of ten thousand members takes no
// more memory than that of one.
const piece = 16 << 10

// out is a document under way.
type out struct {
	w   io.Writer
	b   []byte
	err error // the first of w; what follows is not written
}

func newOut(w io.Writer) *out { return &out{w: w, b: make([]byte, 0, piece+piece/4)} }

// put prints texts as they are.
func (o *out) put(texts ...string) {
	for _, s := range texts {
		o.b = append(o.b, s...)
	}
}

func (o *out) int(n int64) { o.b = strconv.AppendInt(o.b, n, 10) }

func (o *out) uint(n uint64) { o.b = strconv.AppendUint(o.b, n, 10) }

// pass hands on what was collected if that is enough for a piece.
func (o *out) pass() {
	if len(o.b) >= piece {
		o.flush()
	}
}

func (o *out) flush() {
	if o.err == nil && len(o.b) > 0 {
		_, o.err = o.w.Write(o.b)
	}
	o.b = o.b[:0]
}

// end hands on the rest.
func (o *out) end() error {
	o.flush()
	return o.err
}

// replace prints s with the bytes that the table names replaced.
func (o *out) replace(s string, table *[256]string) {
	done := 0
	for i := range len(s) {
		if by := table[s[i]]; by != "" {
			o.put(s[done:i], by)
			done = i + 1
		}
	}
	o.put(s[done:])
}

// The escapes of HTML. In table cells and headings, which programs read without undoing entities, it is
// httpd's (httpd: util.c ap_escape_html). Everywhere else, in text and in values of attributes in quotes of
// either kind, it is all that a browser could take for markup.
var (
	httpdEntities = [256]string{'&': "&amp;", '<': "&lt;", '>': "&gt;", '"': "&quot;"}
	allEntities   = [256]string{'&': "&amp;", '<': "&lt;", '>': "&gt;", '"': "&#34;", '\'': "&#39;", '+': "&#43;", 0: "\ufffd"}
)

// text prints s as the text of a cell or heading.
func (o *out) text(s string) { o.replace(s, &httpdEntities) }

// safe prints s as any other text, or between quotes as an attribute's value.
func (o *out) safe(s string) { o.replace(s, &allEntities) }
