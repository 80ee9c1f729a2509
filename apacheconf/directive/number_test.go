package directive

import (
	"math"
	"strconv"
	"testing"
)

// TestLeading: numbers as glibc's strtoll reads them.
func TestLeading(t *testing.T) {
	for _, c := range []struct {
		text string
		n    int64
		rest string
		err  error
	}{
		{"", 0, "", nil},
		{" ", 0, " ", nil},
		{"+", 0, "+", nil},
		{" -x", 0, " -x", nil},
		{"x5", 0, "x5", nil},
		{"5", 5, "", nil},
		{" \t\n\v\f\r+05 ", 5, " ", nil},
		{"-5k", -5, "k", nil},
		{"0x10", 0, "x10", nil},
		{"--5", 0, "--5", nil},
		{"9223372036854775807", math.MaxInt64, "", nil},
		{"9223372036854775808b", math.MaxInt64, "b", strconv.ErrRange},
		{"-9223372036854775808", math.MinInt64, "", nil},
		{"-9223372036854775809", math.MinInt64, "", strconv.ErrRange},
	} {
		if n, rest, err := Leading(c.text); n != c.n || rest != c.rest || err != c.err {
			t.Errorf("%q is %d and %q, %v; want %d and %q, %v", c.text, n, rest, err, c.n, c.rest, c.err)
		}
	}
}

// TestAtoi: what is no number is 0.
func TestAtoi(t *testing.T) {
	for text, want := range map[string]int{"": 0, "x": 0, "-": 0, " 12x": 12, "-7": -7, "+7": 7, "99999999999999999999": 1<<31 - 1, "-99999999999999999999": -1 << 31} {
		if got := Atoi(text); got != want {
			t.Errorf("%q is %d, want %d", text, got, want)
		}
	}
}
