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
	c := compiler{builders: []builder{{&Module{}, local}, {&Module{Name: "a"}, add("One", "1")}, {&Module{Name: "b"}, add("Two", "2")}, {&Module{Name: "c"}, first}}}
	p, err := c.server(&directive.Scope{Kind: directive.Main})
	if err != nil {
		t.Fatal(err)
	}
	x := &exchange.Exchange{}
	if err := p.run(context.Background(), x, Fixup); err != nil || got != "12" {
		t.Fatal(err, got)
	}
	for i, want := range []Step{{Module: "c", Name: "Early"}, {Module: "a", Name: "One"}, {Module: "b", Name: "Two"}} {
		if s := p.Steps(Fixup)[i]; s.Module != want.Module || s.Name != want.Name {
			t.Errorf("step %d is %s %s", i, s.Module, s.Name)
		}
	}
	q := &Plan{}
	first(nil, q)
	if n := testing.AllocsPerRun(100, func() { q.run(context.Background(), x, Fixup) }); n != 0 {
		t.Error(n, "allocations")
	}
	for p := range phases {
		if p.String() == "" {
			t.Error("no name of phase", uint8(p))
		}
	}
}

// local stands for the core.
func local(_ []*directive.Scope, p *Plan) error {
	p.Local = &exchange.Local{}
	return nil
}
