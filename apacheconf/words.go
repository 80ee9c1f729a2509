package apacheconf

import "strings"

// Word takes the first word of a text by httpd's rules: a quoted one runs to its closing quote, or to
// the end when there is none; within, a backslash protects the quote and itself. An unquoted one runs
// to the next blank. rest has no leading blanks (httpd: util.c ap_getword_conf).
func Word(args string) (word, rest string) {
	s := strings.TrimLeft(args, blanks)
	if s == "" {
		return "", ""
	}
	if q := s[0]; q == '"' || q == '\'' {
		end := 1
		for end < len(s) && s[end] != q {
			if s[end] == '\\' && end+1 < len(s) && (s[end+1] == q || s[end+1] == '\\') {
				end++
			}
			end++
		}
		word = unquote(s[1:min(end, len(s))], q)
		if end < len(s) {
			end++
		}
		return word, strings.TrimLeft(s[min(end, len(s)):], blanks)
	}
	end := strings.IndexAny(s, blanks)
	if end < 0 {
		end = len(s)
	}
	return unquote(s[:end], 0), strings.TrimLeft(s[end:], blanks)
}

// unquote takes the backslash before a quote or another backslash away.
func unquote(s string, q byte) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) && (s[i+1] == '\\' || q != 0 && s[i+1] == q) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// Word2 is Word but for a word that begins with "{": it runs to the brace that closes it, the outer
// braces taken off (httpd: util.c ap_getword_conf2).
func Word2(args string) (word, rest string) {
	s := strings.TrimLeft(args, blanks)
	if s == "" || s[0] != '{' {
		return Word(args)
	}
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return s[1:i], strings.TrimLeft(s[i+1:], blanks)
			}
		}
	}
	return s[1:], ""
}

// Words takes all words of a text.
func Words(args string) []string {
	var out []string
	for args = strings.TrimLeft(args, blanks); args != ""; {
		var w string
		w, args = Word(args)
		out = append(out, w)
	}
	return out
}
