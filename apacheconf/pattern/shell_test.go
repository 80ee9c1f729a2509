package pattern

import (
	"regexp"
	"strings"
	"testing"
)

// FuzzShell holds the matcher against a regular expression made of the same pattern.
func FuzzShell(f *testing.F) {
	for _, s := range []string{"*", "a*b?c", "[a-c]*", "[!a]x", `\*`, "a[", "[]]", "/a/*/b", "**", "[a-]", `[\]]`, "[z-a]", "[]", "[!]", "[a-\\"} {
		f.Add(s, "a/x/b", true, false)
		f.Add(s, "aXbXc", false, true)
	}
	f.Fuzz(func(t *testing.T, pattern, text string, path, fold bool) {
		if len(pattern)+len(text) > 200 {
			return
		}
		for _, s := range []string{pattern, text} {
			for i := 0; i < len(s); i++ {
				if s[i] >= 0x80 || s[i] == 0 {
					return
				}
			}
		}
		flags := ShellFlags(0)
		if path {
			flags |= Pathname
		}
		if fold {
			flags |= Fold
		}
		want := globRegexp(pattern, path, fold).MatchString(text)
		if got := Shell(pattern, text, flags); got != want {
			t.Fatalf("%q %q path=%v fold=%v: %v", pattern, text, path, fold, got)
		}
	})
}

// globRegexp writes a shell pattern as a regular expression; sets are spelled out character by character.
func globRegexp(pattern string, path, fold bool) *regexp.Regexp {
	any, flags := "[\\x00-\\xff]", ShellFlags(0)
	if path {
		any, flags = "[^/]", Pathname
	}
	if fold {
		flags |= Fold
	}
	re := "(?s)^"
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '*':
			re += any + "*"
			continue
		case c == '?':
			re += any
			continue
		case c == '[':
			if n, _ := fnSet(pattern[i:], 0, flags); n > 0 {
				re += setRegexp(pattern[i:i+n], flags)
				i += n - 1
				continue
			}
		case c == '\\' && i+1 < len(pattern):
			i++
		}
		one := regexp.QuoteMeta(pattern[i : i+1])
		if fold {
			one = "(?i:" + one + ")"
		}
		re += one
	}
	return regexp.MustCompile(re + "$")
}

func setRegexp(set string, flags ShellFlags) string {
	re := ""
	for c := byte(1); c < 0x80; c++ {
		if _, ok := fnSet(set, c, flags); ok && !(c == '/' && flags&Pathname != 0) {
			re += "|" + regexp.QuoteMeta(string(rune(c)))
		}
	}
	if re == "" {
		return "[^\\x00-\\x{10FFFF}]"
	}
	return "(?:" + re[1:] + ")"
}

func TestShellTime(t *testing.T) {
	if Shell(strings.Repeat("*a", 2000)+"b", strings.Repeat("a", 20000), 0) {
		t.Error("matched")
	}
}

func TestShell(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		pathname, ok  bool
	}{
		{"/w*", "/w", true, true}, {"/w*", "/wx", true, true}, {"/w*", "/w/a", true, false}, {"/w*", "/w/a", false, true},
		{"/x/?", "/x/a", true, true}, {"/x/?", "/x/ab", true, false}, {"/x/?", "/x/", true, false},
		{"/y/[ab]c", "/y/bc", true, true}, {"/y/[ab]c", "/y/cc", true, false}, {"[!a]", "b", false, true}, {"[a-c]x", "bx", false, true},
		{"*.example", "a.example", false, true}, {"*.example", "example", false, false}, {"?.short", "ab.short", false, false},
		{"a\\*b", "a*b", false, true}, {"a\\*b", "axb", false, false}, {"[", "[", false, true}, {"**", "", false, true},
		{"/glob/*/x", "/glob/a/x", true, true}, {"/glob/*/x", "/glob/a/b/x", true, false},
	} {
		if got := Shell(c.pattern, c.text, flags(c.pathname)); got != c.ok {
			t.Errorf("Shell(%q, %q, %v) = %v", c.pattern, c.text, c.pathname, got)
		}
	}
}

func flags(pathname bool) ShellFlags {
	if pathname {
		return Pathname
	}
	return 0
}
