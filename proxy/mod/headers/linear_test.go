package headers

import (
	"context"
	"strings"
	"testing"

	"balancerd/proxy/site"
	"balancerd/testdata/linear"
)

// TestEditsAreLinear in the fields' number and length. Patterns with groups are left out: each of their
// matches costs up to some microseconds, whatever is left of the value, which makes no line of it at this size.
func TestEditsAreLinear(t *testing.T) {
	for _, line := range []string{`Header edit* X-E a b`, `Header edit X-E "a*$" b`, `Header merge X-E z`, `Header append X-E z`, `Header unset X-E`,
		`Header set X-E z`, `Header add X-E z`, `Header setifempty X-E z`, `Header note X-E n`, `Header set X-F "expr=%{resp:X-E}%{tolower:%{resp:X-E}}"`, `Header echo ^X`,
		`RequestHeader edit* X-E a b`, `RequestHeader merge X-E z`} {
		t.Run(line, func(t *testing.T) {
			p := plan(t, line)
			for _, piece := range []string{"a", "A, ", `"`, "b,"} {
				input := func(size int) string { return strings.Repeat(piece, size/2/len(piece)) }
				linear.Check(t, 4<<10, input, func(value string) {
					x := sample()
					x.Res.Header.Add("X-E", value)
					x.Req.Header.Add("X-E", value)
					for range len(value) / 64 {
						x.Res.Header.Add("X-E", "aaa")
						x.Req.Header.Add("X-G", "aaa")
					}
					for _, phase := range [][]site.Step{p.Steps(site.Fixup), p.Steps(site.Reply)} {
						for _, step := range phase {
							if err := step.Do(context.Background(), x); err != nil {
								t.Fatal(err)
							}
						}
					}
				})
			}
		})
	}
}
