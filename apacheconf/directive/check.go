package directive

import (
	"errors"
	"strconv"
	"strings"
)

// OneOf is Check of a directive whose first word is one of these, in any case.
func OneOf(message string, words ...string) func(*Scope, Args) error {
	return func(_ *Scope, a Args) error {
		for _, w := range words {
			if strings.EqualFold(a.Words[0], w) {
				return nil
			}
		}
		return errors.New(message)
	}
}

// Between is Check of a directive whose first word is a number, as C's atoi reads it, of lo to hi.
func Between(lo, hi int, message string) func(*Scope, Args) error {
	return func(_ *Scope, a Args) error {
		if n := Atoi(a.Words[0]); n < lo || n > hi {
			return errors.New(message)
		}
		return nil
	}
}

// NumberIn is Check of a directive whose first word is a number of lo to hi and nothing else; the message ends in what
// was given.
func NumberIn(lo, hi int64, message string) func(*Scope, Args) error {
	return func(_ *Scope, a Args) error {
		if n, err := strconv.ParseInt(a.Words[0], 10, 64); err != nil || n < lo || n > hi {
			return errors.New(message + a.Words[0])
		}
		return nil
	}
}

// HasPrefix reports whether a word begins with one of these, in any case.
func HasPrefix(word string, with ...string) bool {
	for _, p := range with {
		if len(word) >= len(p) && strings.EqualFold(word[:len(p)], p) {
			return true
		}
	}
	return false
}

func set(words string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(words) {
		out[w] = true
	}
	return out
}
