package site

import (
	"context"
	"reflect"
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
		if f := p.Steps(Fixup)[i]; f.Module != want.Module || f.Name != want.Name {
			t.Errorf("step %d is %s %s", i, f.Module, f.Name)
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

// Whatever a Builder sets in a plan is in the plans that share it: of the server, and behind it.
func TestPlansHaveWhatBuildersSet(t *testing.T) {
	set := func(_ []*directive.Scope, p *Plan) error {
		v := reflect.ValueOf(p).Elem()
		for i := range v.NumField() {
			if f := v.Field(i); f.CanSet() && v.Type().Field(i).Name != "Anew" { // which is the site's to set
				f.Set(filled(f.Type()))
			}
		}
		for phase := range phases {
			p.Add(phase, "step", nil)
		}
		p.HandlerFor("name", nil)
		p.Observe(nil)
		return nil
	}
	main := &directive.Scope{Kind: directive.Main}
	c := compiler{builders: []builder{{&Module{Reads: []string{}}, set}, {&Module{}, func([]*directive.Scope, *Plan) error { return nil }}}}
	own, err := c.server(main)
	if err != nil {
		t.Fatal(err)
	}
	behind, err := c.extend(own, []*directive.Scope{{Kind: directive.Location}})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []*Plan{own, behind} {
		v := reflect.ValueOf(p).Elem()
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && f.Name != "Anew" && v.Field(i).IsZero() {
				t.Errorf("%s is not set", f.Name)
			}
		}
		for phase := range phases {
			if len(p.Steps(phase)) != 1 {
				t.Errorf("%v: %d steps", phase, len(p.Steps(phase)))
			}
		}
		if _, ok := p.HandlerNamed("name"); !ok || len(p.observers) != 1 {
			t.Error("a handler or an observer is lost")
		}
	}
}

// filled is a value that is not the zero value.
func filled(typ reflect.Type) reflect.Value {
	v := reflect.New(typ).Elem()
	switch typ.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.String:
		v.SetString("x")
	case reflect.Pointer:
		v.Set(reflect.New(typ.Elem()))
	case reflect.Func:
		v.Set(reflect.MakeFunc(typ, func([]reflect.Value) []reflect.Value { return []reflect.Value{reflect.Zero(typ.Out(0))} }))
	case reflect.Interface:
		v.Set(reflect.ValueOf(exchange.HandlerFunc(func(context.Context, *exchange.Exchange) error { return nil })))
	}
	return v
}

// local stands for the core.
func local(_ []*directive.Scope, p *Plan) error {
	p.Local = &exchange.Local{}
	return nil
}
