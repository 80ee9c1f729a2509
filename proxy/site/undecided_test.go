package site

import (
	"strings"
	"testing"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
)

// TestUndecidedSection: a section whose expression can't be decided in time refuses the request, for
// it may be the one that forbids it.
func TestUndecidedSection(t *testing.T) {
	for _, arg := range []string{"^/(a+)+(?:(?<=q)ba)?$", "^/(?<n>(a+)+(?:(?<=q)ba)?)$"} {
		sec, err := compileSection(&directive.Scope{Kind: directive.Location, Tag: "LocationMatch", Arg: arg, Regex: true})
		if err != nil {
			t.Fatal(err)
		}
		x := new(exchange.Exchange)
		if !sec.covers(x, "/aa") || sec.covers(x, "/b") || x.Undecided {
			t.Errorf("%s: /aa %v, /b %v, undecided %v", arg, sec.covers(x, "/aa"), sec.covers(x, "/b"), x.Undecided)
		}
		if sec.covers(x, "/"+strings.Repeat("a", 64)+"ba") || !x.Undecided {
			t.Errorf("%s: undecided %v", arg, x.Undecided)
		}
	}
}
