package wire

// Separators are the bytes between the tokens of a list.
type Separators [256]bool

// SeparatorsOf is the table of the given bytes.
func SeparatorsOf(bytes string) *Separators {
	var s Separators
	for i := range len(bytes) {
		s[bytes[i]] = true
	}
	return &s
}

// ConnectionSeparators stand between the names in a Connection field on its way to or from members of AJP, FastCGI, SCGI
// and uwsgi (httpd: proxy_util.c find_conn_headers, which takes blanks apart as well).
var ConnectionSeparators = SeparatorsOf(",; \t")

// next is the first token of a list without the blanks and tabs around it, and what follows it; "" at the end.
func (s *Separators) next(list string) (token, after string) {
	for list != "" {
		end := 0
		for end < len(list) && !s[list[end]] {
			end++
		}
		token, list = list[:end], list[min(end+1, len(list)):]
		if token = TrimBlanks(token); token != "" {
			return token, list
		}
	}
	return "", ""
}

// Lists reports whether a list has a token, in any case.
func (s *Separators) Lists(list, token string) bool {
	for t, after := s.next(list); t != ""; t, after = s.next(after) {
		if EqualFold(t, token) {
			return true
		}
	}
	return false
}

// longList is from how many bytes on the tokens of a list are taken apart once for all questions: a peer may name
// thousands in its Connection field, and send thousands of fields.
const longList = 512

// Tokens are those of a list, of which many names are looked up. The zero value has none.
type Tokens struct {
	text string      // looked through for each name
	by   *Separators // those of text
	many NameSet     // of a long list, in place of text
}

// TokensOf are the tokens of a list.
func TokensOf(list string, by *Separators) Tokens {
	if len(list) <= longList {
		return Tokens{text: list, by: by}
	}
	var many NameSet
	for t, after := by.next(list); t != ""; t, after = by.next(after) {
		many.Add(t)
	}
	return Tokens{many: many}
}

// Has reports whether a name is among them, in any case.
func (t *Tokens) Has(name string) bool {
	return t.text != "" && t.by.Lists(t.text, name) || t.many.Has(name)
}
