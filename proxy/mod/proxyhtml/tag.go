package proxyhtml

import (
	"html"
	"strings"
)

// attribute is one of a start tag's, by its place in the tag's text.
type attribute struct {
	name      string // lower case
	from, to  int    // its value, with quotes; equal: it has none
	value     string // without quotes and references
	otherwise string // the value as it is to be
	differs   bool
}

// tag is a start tag as the rules make it: what need not be changed stays as it was written. A <meta> that names the
// charset, which is not that of the page any more, goes.
func (p *page) tag(element string, raw []byte) []byte {
	if element == "meta" && p.charset.convert && metaType.Match(raw) {
		return nil
	}
	text := string(raw)
	list := attributes(text)
	changed := false
	for i := range list {
		a := &list[i]
		a.otherwise = p.valueOf(element, a)
		a.differs = a.to > a.from && a.otherwise != a.value
		changed = changed || a.differs
	}
	if !changed {
		return raw
	}
	var b strings.Builder
	at := 0
	for _, a := range list {
		if a.differs {
			b.WriteString(text[at:a.from] + `"` + escaper.Replace(a.otherwise) + `"`)
			at = a.to
		}
	}
	b.WriteString(text[at:])
	return []byte(b.String())
}

// escaper is what libxml2's output escapes.
var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;")

// valueOf is the value of an attribute as it is to be.
func (p *page) valueOf(element string, a *attribute) string {
	v := a.value
	switch {
	case p.links[element][a.name]:
		v = link(p.rules, v)
	case p.extended && p.event[a.name]:
		v = script(p.rules, v, true)
	}
	if p.lower {
		v = lowered(v)
	}
	if p.dos {
		v = strings.ReplaceAll(v, `\`, "/")
	}
	return v
}

// lowered is a text with its ASCII letters in lower case.
func lowered(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

const blanks = " \t\n\f\r"

// attributes are those of a start tag (HTML standard, 13.2.5.32 and following).
func attributes(tag string) (list []attribute) {
	i := 1
	for i < len(tag) && strings.IndexByte(blanks+"/>", tag[i]) < 0 { // the element's name
		i++
	}
	for {
		for i < len(tag) && strings.IndexByte(blanks+"/", tag[i]) >= 0 {
			i++
		}
		if i >= len(tag) || tag[i] == '>' {
			return list
		}
		begin := i
		for i++; i < len(tag) && strings.IndexByte(blanks+"/>=", tag[i]) < 0; {
			i++
		}
		a := attribute{name: lowered(tag[begin:i])}
		j := i
		for j < len(tag) && strings.IndexByte(blanks, tag[j]) >= 0 {
			j++
		}
		if j < len(tag) && tag[j] == '=' {
			for j++; j < len(tag) && strings.IndexByte(blanks, tag[j]) >= 0; {
				j++
			}
			i = a.read(tag, j)
		}
		list = append(list, a)
	}
}

// read reads the value that begins at i, and returns where it ends.
func (a *attribute) read(tag string, i int) int {
	a.from, a.to = i, i
	if i == len(tag) || tag[i] == '>' {
		return i
	}
	inner, end := i, len(tag)
	if q := tag[i]; q == '"' || q == '\'' {
		inner++
		n := strings.IndexByte(tag[inner:], q)
		if n < 0 {
			return len(tag)
		}
		end = inner + n
		a.to = end + 1
	} else {
		if n := strings.IndexAny(tag[i:], blanks+">"); n >= 0 {
			end = i + n
		}
		a.to = end
	}
	a.value = html.UnescapeString(tag[inner:end])
	return a.to
}
