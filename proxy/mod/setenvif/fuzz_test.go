package setenvif

import (
	"strings"
	"testing"

	"balancerd/apacheconf/pattern"
)

// FuzzPlainText holds the shortcut for regular expressions that are plain text against the engine.
func FuzzPlainText(f *testing.F) {
	for _, s := range []string{"abc", `a\.b`, `\\`, `a\b`, "a.c", `end\`} {
		f.Add(s, "xabcx")
	}
	f.Fuzz(func(t *testing.T, re, s string) {
		text, ok := plainText(re)
		if !ok || strings.HasSuffix(re, `\`) || strings.ToValidUTF8(re, "") != re {
			return
		}
		p, err := pattern.Compile(re, pattern.Options{})
		if err != nil {
			return
		}
		if ok, err := p.Match(s); ok != strings.Contains(s, text) || err != nil {
			t.Fatalf("%q in %q: %v, %v", re, s, ok, err)
		}
	})
}
