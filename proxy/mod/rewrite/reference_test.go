package rewrite

import (
	"fmt"
	"strings"
	"unicode"
)

// reference is expansion as mod_rewrite does it, character by character over the text itself: what templates are held
// against (httpd: mod_rewrite.c do_expand).
type reference struct {
	groups [2][10]string // of the rule, of the condition
	values map[string]string
	maps   map[string]map[string]string
	escape func(string) string // of groups; nil: they stay as they are
}

// expand is the text, and where the "?" that counts comes from.
func (r *reference) expand(text string, m *marks) string {
	var out strings.Builder
	for i := 0; i < len(text); {
		c := text[i]
		last := i+1 == len(text)
		switch {
		case c != '\\' && c != '$' && c != '%':
			m.see(text[i:i+1], false)
			out.WriteByte(c)
			i++
		case last:
			out.WriteByte(c)
			i++
		case c == '\\':
			out.WriteByte(text[i+1])
			i += 2
		case text[i+1] == '{':
			made, length := r.braced(text[i:])
			m.see(made, length > 2)
			out.WriteString(made)
			i += length
		case '0' <= text[i+1] && text[i+1] <= '9':
			kind := 0
			if c == '%' {
				kind = 1
			}
			made := r.groups[kind][text[i+1]-'0']
			if r.escape != nil {
				made = r.escape(made)
			}
			m.see(made, true)
			out.WriteString(made)
			i += 2
		default:
			out.WriteByte(c)
			i++
		}
	}
	return out.String()
}

func (r *reference) braced(text string) (made string, length int) {
	depth, end := 0, -1
	for i := 1; i < len(text) && end < 0; i++ {
		if text[i] == '{' {
			depth++
		}
		if text[i] == '}' {
			if depth--; depth == 0 {
				end = i
			}
		}
	}
	if end < 0 {
		return text[:2], 2
	}
	inner := text[2:end]
	if text[0] == '%' {
		return r.values[inner], end + 1
	}
	name, key, ok := cutOutside(inner, ':')
	if !ok {
		return text[:2], 2
	}
	key, other, _ := cutOutside(key, '|')
	value, ok := r.maps[name][r.expand(key, nil)]
	if !ok && other != "" {
		value = r.expand(other, nil)
	}
	return value, end + 1
}

// escapeAll is what the flag B makes of a group.
func escapeAll(group string) string {
	var out strings.Builder
	for _, c := range []byte(group) {
		switch {
		case c == '_' || c < 0x80 && (unicode.IsLetter(rune(c)) || unicode.IsDigit(rune(c))):
			out.WriteByte(c)
		case c == ' ':
			out.WriteByte('+')
		default:
			fmt.Fprintf(&out, "%%%02x", c)
		}
	}
	return out.String()
}

// cutOutside is strings.Cut at a character that stands in no braces.
func cutOutside(text string, c byte) (before, after string, found bool) {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == c && depth == 0:
			return text[:i], text[i+1:], true
		case text[i] == '{':
			depth++
		case text[i] == '}':
			depth--
		}
	}
	return text, "", false
}
