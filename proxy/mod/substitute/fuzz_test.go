package substitute

import (
	"regexp"
	"strings"
	"testing"

	"balancerd/proxy/site/sitetest"
)

// FuzzLines: what comes of a body does not depend on the pieces that it comes in, and is what Go's own engine makes of
// each line.
func FuzzLines(f *testing.F) {
	f.Add("a foo\nfoo\r\n\n\nlast f.o", 3)
	f.Add("\n", 1)
	f.Add("oofoo\xff\xfe foooo", 2)
	body, piece := "", 1
	mods := modules(func(string) sitetest.Answer { return sitetest.Answer{Body: body, Piece: piece} })
	text := sitetest.New(f, preload, "SetOutputFilter SUBSTITUTE\nSubstitute s/fo/b$1/n\n", mods...)
	re := sitetest.New(f, preload, "SetOutputFilter SUBSTITUTE\nSubstitute s/f(o+)/<$1>/\n", mods...)
	groups := regexp.MustCompile("f(o+)")
	f.Fuzz(func(t *testing.T, s string, n int) {
		if len(s) == 0 || len(s) > 4096 {
			return
		}
		body, piece = s, max(1, n%200)
		if got, want := sitetest.Body(text.Get("GET / HTTP/1.1")), strings.ReplaceAll(s, "fo", "b$1"); got != want {
			t.Fatalf("%q: %q, want %q", s, got, want)
		}
		if got, want := sitetest.Body(re.Get("GET / HTTP/1.1")), groups.ReplaceAllString(s, "<$1>"); got != want {
			t.Fatalf("%q: %q, want %q", s, got, want)
		}
	})
}
