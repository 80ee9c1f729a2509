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
	for _, arg := range []string{"^/(a+)+(?!x)$", "^/(?<n>(a+)+(?!x))$"} {
		sec, err := compileSection(&directive.Scope{Kind: directive.Location, Tag: "LocationMatch", Arg: arg, Regex: true})
		if err != nil {
			t.Fatal(err)
		}
		x := new(exchange.Exchange)
		if ok, err := sec.covers(x, "/aa"); !ok || err != nil {
			t.Errorf("%s: %v, %v", arg, ok, err)
		}
		if ok, err := sec.covers(x, "/b"); ok || err != nil {
			t.Errorf("%s: %v, %v", arg, ok, err)
		}
		if _, err := sec.covers(x, "/"+strings.Repeat("a", 64)+"b"); err != exchange.Status(500) {
			t.Errorf("%s: %v", arg, err)
		}
	}
}
