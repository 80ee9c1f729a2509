package directive

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// Atoi reads a number as C's atoi does: blanks, a sign, digits; the rest is ignored, no digits are 0.
func Atoi(s string) int {
	s = strings.TrimLeft(s, " \t\n\v\f\r")
	end := 0
	for end < len(s) && ('0' <= s[end] && s[end] <= '9' || end == 0 && (s[0] == '-' || s[0] == '+')) {
		end++
	}
	n, err := strconv.Atoi(s[:end])
	if err != nil && end > 10 {
		return 1<<31 - 1
	}
	return n
}

// Duration reads a number with an optional unit of time: s…, h…, ms…, mi…; without one it is in unit.
// Anything else is an error (httpd: util.c ap_timeout_parameter_parse).
func Duration(word string, unit time.Duration) (time.Duration, error) {
	if word == "" {
		return 0, nil
	}
	end := 0
	for end < len(word) && '0' <= word[end] && word[end] <= '9' {
		end++
	}
	n, err := strconv.ParseInt(word[:end], 10, 64)
	if err != nil {
		return 0, errors.New("not a time: " + word)
	}
	if rest := strings.ToLower(word[end:]); rest != "" {
		switch {
		case rest[0] == 's':
			unit = time.Second
		case rest[0] == 'h':
			unit = time.Hour
		case strings.HasPrefix(rest, "ms"):
			unit = time.Millisecond
		case strings.HasPrefix(rest, "mi"):
			unit = time.Minute
		default:
			return 0, errors.New("not a unit of time: " + word)
		}
	}
	d := time.Duration(n) * unit
	if n != 0 && d/unit != time.Duration(n) {
		return 0, errors.New("too long a time: " + word)
	}
	return d, nil
}
