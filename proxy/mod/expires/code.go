package expires

import (
	"errors"
	"strings"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
)

// code is when something expires: seconds after the request, or after the file's last change.
type code struct {
	modified bool
	seconds  int32 // as in httpd they wrap
}

// readCode reads the last word of a directive.
func readCode(a directive.Args) (code, error) {
	c, problem := parseCode(a.Words[len(a.Words)-1])
	if problem != "" {
		return c, errors.New("'" + a.Name + " " + strings.Join(a.Words, " ") + "': bad expires code, " + problem)
	}
	return c, nil
}

// units are those of a time, by what a word has to begin with, and in the order in which they are tried.
var units = []struct {
	prefix  string
	seconds int32
}{
	{"y", 365 * 24 * 3600}, {"mo", 30 * 24 * 3600}, {"w", 7 * 24 * 3600}, {"d", 24 * 3600}, {"h", 3600}, {"mi", 60}, {"s", 1},
}

// parseCode reads "A3600", "M3600", whatever follows the letter, or "access plus 1 month 2 days" (httpd: mod_expires.c
// check_code). problem is what is wrong, "" for nothing.
func parseCode(text string) (c code, problem string) {
	if text != "" && (text[0] == 'A' || text[0] == 'M') {
		return code{text[0] == 'M', number(text[1:])}, ""
	}
	word, rest := apacheconf.Word(text)
	switch {
	case directive.HasPrefix(word, "n", "a"):
	case directive.HasPrefix(word, "m"):
		c.modified = true
	default:
		return c, "unrecognised <base> '" + word + "'"
	}
	if word, rest = apacheconf.Word(rest); directive.HasPrefix(word, "p") {
		word, rest = apacheconf.Word(rest)
	}
	for ; word != ""; word, rest = apacheconf.Word(rest) {
		if word[0] < '0' || word[0] > '9' {
			return c, "numeric value expected <num> '" + word + "'"
		}
		n := number(word)
		if word, rest = apacheconf.Word(rest); word == "" {
			return c, "missing <type>"
		}
		factor := unit(word)
		if factor == 0 {
			return c, "unrecognised <type>'" + word + "'"
		}
		c.seconds += factor * n
	}
	return c, ""
}

func unit(word string) int32 {
	for _, u := range units {
		if directive.HasPrefix(word, u.prefix) {
			return u.seconds
		}
	}
	return 0
}

// number reads a number as C's atoi does where a long has 64 bits.
func number(s string) int32 {
	n, _, _ := directive.Leading(s)
	return int32(n)
}
