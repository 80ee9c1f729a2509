package manager

import "strconv"

// out is a document's text, as far as it is printed.
type out struct{ b []byte }

// put prints texts as they are.
func (o *out) put(texts ...string) {
	b := o.b
	for _, s := range texts {
		b = append(b, s...)
	}
	o.b = b
}

func (o *out) int(n int64) { o.b = strconv.AppendInt(o.b, n, 10) }

func (o *out) uint(n uint64) { o.b = strconv.AppendUint(o.b, n, 10) }

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
