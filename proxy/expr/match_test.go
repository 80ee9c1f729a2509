package expr

import (
	"net/netip"
	"regexp"
	"strings"
	"testing"
)

func TestSubnet(t *testing.T) {
	for _, c := range []struct{ net, in, out string }{
		{"10.1.2.3", "10.1.2.3 ::ffff:10.1.2.3", "10.1.2.4 ::1"},
		{"10", "10.0.0.0 10.255.255.255", "11.0.0.0 ::a00:0"},
		{"10.1.", "10.1.9.9", "10.2.0.0"},
		{"0.0", "0.0.5.5", "0.1.0.0"},
		{"10.1.2.3/8", "10.9.9.9", "11.0.0.0"},
		{"10.1.2.3/255.255.0.0", "10.1.9.9", "10.2.0.0"},
		{"10.1.2.128/25", "10.1.2.200", "10.1.2.127"},
		{"10.1.2.3/32", "10.1.2.3", "10.1.2.2"},
		{"::1", "::1", "::2 0.0.0.1"},
		{"2001:db8::/33", "2001:db8:7fff::", "2001:db8:8000::"},
		{"fe80::/10", "fe80::1%eth0", "fec0::1"},
	} {
		n, ok := ParseSubnet(c.net)
		if !ok {
			t.Errorf("%s refused", c.net)
			continue
		}
		for _, a := range strings.Fields(c.in) {
			if !n.Holds(netip.MustParseAddr(a)) {
				t.Errorf("%s does not hold %s", c.net, a)
			}
		}
		for _, a := range strings.Fields(c.out) {
			if n.Holds(netip.MustParseAddr(a)) {
				t.Errorf("%s holds %s", c.net, a)
			}
		}
	}
	for _, s := range []string{"", "x", "10.256", "10..1", ".", "1.2.3.4.5", "10/8", "10.0.0.0/0", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x",
		"::1/255.0.0.0", "::/129", "::ffff:1.2.3.4", "fe80::1%eth0", "1000000000000000", "+1.2"} {
		if _, ok := ParseSubnet(s); ok {
			t.Errorf("%q taken", s)
		}
	}
}

// FuzzFnmatch holds the matcher against a regular expression made of the same pattern.
func FuzzFnmatch(f *testing.F) {
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
		flags := fnFlags(0)
		if path {
			flags |= fnPathname
		}
		if fold {
			flags |= fnFold
		}
		want := globRegexp(pattern, path, fold).MatchString(text)
		if got := fnmatch(pattern, text, flags); got != want {
			t.Fatalf("%q %q path=%v fold=%v: %v", pattern, text, path, fold, got)
		}
	})
}

// globRegexp writes a shell pattern as a regular expression; sets are spelled out character by character.
func globRegexp(pattern string, path, fold bool) *regexp.Regexp {
	any, flags := "[\\x00-\\xff]", fnFlags(0)
	if path {
		any, flags = "[^/]", fnPathname
	}
	if fold {
		flags |= fnFold
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

func setRegexp(set string, flags fnFlags) string {
	re := ""
	for c := byte(1); c < 0x80; c++ {
		if _, ok := fnSet(set, c, flags); ok && !(c == '/' && flags&fnPathname != 0) {
			re += "|" + regexp.QuoteMeta(string(rune(c)))
		}
	}
	if re == "" {
		return "[^\\x00-\\x{10FFFF}]"
	}
	return "(?:" + re[1:] + ")"
}

func TestFnmatchTime(t *testing.T) {
	if fnmatch(strings.Repeat("*a", 2000)+"b", strings.Repeat("a", 20000), 0) {
		t.Error("matched")
	}
}
