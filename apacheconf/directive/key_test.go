package directive

import "testing"

// TestMergedAsWalked: sections of a kind are joined among themselves, those of <Proxy> one by one behind the servers'.
func TestMergedAsWalked(t *testing.T) {
	said := NewKey("said", func(outer, inner string) string { return "(" + outer + " " + inner + ")" })
	scope := func(kind Where, text string) *Scope {
		s := &Scope{Kind: kind}
		if text != "" {
			*said.In(s) = text
		}
		return s
	}
	chain := []*Scope{scope(Main, "m"), scope(VHost, "v"), scope(Directory, "d1"), scope(Directory, ""), scope(Directory, "d2"), scope(Files, ""), scope(Location, "l1"), scope(Location, "l2"), scope(Location, "l3"), scope(If, "i")}
	for _, c := range []struct {
		chain []*Scope
		want  string
	}{
		{nil, ""},
		{chain[5:6], ""},
		{chain[1:2], "v"},
		{chain[2:6], "(d1 d2)"},
		{chain, "((((m v) (d1 d2)) ((l1 l2) l3)) i)"},
		{[]*Scope{chain[0], scope(Proxy, "p1"), scope(Proxy, "p2"), chain[6], chain[7]}, "(((m p1) p2) (l1 l2))"},
	} {
		if got := said.Merged(c.chain...); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}
