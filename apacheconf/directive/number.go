package directive

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

// Leading is the number that s begins with, behind blanks and with a sign, and what follows it; without a digit it is 0,
// and all of s follows. The error is strconv.ErrRange for one that 64 bits can't hold; n is then the least or the greatest
// that they can (C: strtoll, base 10).
func Leading(s string) (n int64, rest string, err error) {
	t := strings.TrimLeft(s, " \t\n\v\f\r")
	end := 0
	if t != "" && (t[0] == '-' || t[0] == '+') {
		end++
	}
	digits := end
	for end < len(t) && '0' <= t[end] && t[end] <= '9' {
		end++
	}
	if end == digits {
		return 0, s, nil
	}
	if n, err = strconv.ParseInt(t[:end], 10, 64); err != nil {
		err = strconv.ErrRange
	}
	return n, t[end:], err
}

// Atoi reads a number as C's atoi does: blanks, a sign, digits; the rest is ignored, no digits are 0. One that 64 bits
// can't hold is the greatest, or the least, of 32.
func Atoi(s string) int {
	n, _, err := Leading(s)
	switch {
	case err == nil:
		return int(n)
	case n < 0:
		return math.MinInt32
	}
	return math.MaxInt32
}

// Duration reads a number, which may have a plus, with an optional unit of time: s…, h…, ms…, mi…; without one it is in unit.
// Anything else is an error (httpd: util.c ap_timeout_parameter_parse).
func Duration(word string, unit time.Duration) (time.Duration, error) {
	if word == "" {
		return 0, nil
	}
	end := len(word) - len(strings.TrimPrefix(word, "+"))
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
