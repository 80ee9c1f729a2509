package site

import (
	"context"
	"testing"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
)

// TestSteps: steps run in the order of the modules' builders, know whose they are, and cost nothing to run.
func TestSteps(t *testing.T) {
	got := ""
	add := func(name, text string) Builder {
		return func(_ []*directive.Scope, p *Plan) error {
			p.Add(Fixup, name, func(context.Context, *exchange.Exchange) error { got += text; return nil })
			return nil
		}
	}
	first := func(_ []*directive.Scope, p *Plan) error {
		p.AddFirst(Fixup, "Early", func(context.Context, *exchange.Exchange) error { return nil })
		return nil
	}
	s := &Site{}
	p := &Plan{}
	for _, b := range []Builder{s.named("a", add("One", "1")), s.named("b", add("Two", "2")), s.named("c", first)} {
		b(nil, p)
	}
	x := &exchange.Exchange{}
	if err := p.run(context.Background(), x, Fixup); err != nil || got != "12" {
		t.Fatal(err, got)
	}
	for i, want := range []Step{{Module: "c", Name: "Early"}, {Module: "a", Name: "One"}, {Module: "b", Name: "Two"}} {
		if f := p.Steps(Fixup)[i]; f.Module != want.Module || f.Name != want.Name {
			t.Errorf("step %d is %s %s", i, f.Module, f.Name)
		}
	}
	q := &Plan{}
	s.named("c", first)(nil, q)
	if n := testing.AllocsPerRun(100, func() { q.run(context.Background(), x, Fixup) }); n != 0 {
		t.Error(n, "allocations")
	}
	for p := range phases {
		if p.String() == "" {
			t.Error("no name of phase", uint8(p))
		}
	}
}
