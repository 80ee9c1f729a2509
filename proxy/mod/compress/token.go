package compress

import "strings"

// token takes the next word off a list, up to a comma or semicolon, and with blanks in it or without (httpd: util.c
// ap_get_token). Quoted text is one character.
func token(list string, blanks bool) (word, rest string) {
	list = strings.TrimLeft(list, spaces)
	end := 0
	for end < len(list) && list[end] != ',' && list[end] != ';' && (blanks || strings.IndexByte(spaces, list[end]) < 0) {
		if list[end] == '"' {
			if i := strings.IndexByte(list[end+1:], '"'); i >= 0 {
				end += i + 1
			} else {
				end = len(list) - 1
			}
		}
		end++
	}
	return list[:end], strings.TrimLeft(list[end:], spaces)
}

const spaces = " \t\n\v\f\r"

// acceptable reports whether an Accept-Encoding field takes a coding: it is named, before any empty element, and its first
// parameter is not a q of 0 (httpd: mod_deflate.c deflate_out_filter).
func acceptable(list, coding string) bool {
	word, rest := token(list, false)
	for word != "" && !strings.EqualFold(word, coding) {
		for strings.HasPrefix(rest, ";") {
			_, rest = token(rest[1:], true)
		}
		rest = strings.TrimPrefix(rest, ",")
		if rest == "" {
			return false
		}
		word, rest = token(rest, false)
	}
	if word == "" {
		return false
	}
	q, _ := token(strings.TrimLeft(rest, ";"), true)
	return len(q) < len("q=0") || !strings.HasPrefix("q=0.000", q)
}

// coded reports whether a Content-Encoding names more than that nothing was done. Case counts.
func coded(list string) bool {
	word, rest := token(list, false)
	for word != "" {
		switch word {
		case "identity", "7bit", "8bit", "binary":
		default:
			return true
		}
		if rest == "" || rest[1:] == "" {
			return false
		}
		word, rest = token(rest[1:], false)
	}
	return false
}
