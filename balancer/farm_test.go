package balancer_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"balancerd/balancer"
)

// TestPlanIsPure: a plan that is not committed changes nothing.
func TestPlanIsPure(t *testing.T) {
	store := &memory{}
	r := start(t, store, two(t, true))
	edits(r)
	r.b.Sync()
	before, saves := r.page(), store.saves
	s := specOf(t, "lbmethod=bybusyness timeout=3", "", "loadfactor=7", "")
	plan, err := r.farm.Plan(context.Background(), slices.Values([]balancer.Spec{s}), nil)
	if err != nil {
		t.Fatal(err)
	}
	if plan.Balancer("pmain", "c") != r.b {
		t.Error("another balancer")
	}
	expect(t, "page", r.page(), before)
	expect(t, "saves", store.saves, saves)
	s.Env.Methods = []string{"byrequests"}
	if _, err := r.farm.Plan(context.Background(), slices.Values([]balancer.Spec{s}), nil); err == nil || err.Error() != "Cannot find LB Method: bybusyness" {
		t.Error(err)
	}
}

// hosts is a balancer of the main server that two virtual hosts have as well.
func hosts(t testing.TB, persist string) []balancer.Spec {
	main := specOf(t, "growth=3", "", "")
	list := []balancer.Spec{main}
	for _, h := range []string{"pone", "ptwo"} {
		s := specOf(t, "growth=3")
		s.VHost, s.Owner, s.Persist = h, "pmain", h == persist
		list = append(list, s)
	}
	return list
}

// TestHostsShareMembers: each virtual host has settings, nonce and room of its own, but the members
// are the same.
func TestHostsShareMembers(t *testing.T) {
	f := newFarm(nil)
	load(t, f, hosts(t, "")...)
	one := &rig{TB: t, farm: f, b: f.Balancer("pone", "BALANCER://C/x"), now: time.Now()}
	twob := &rig{TB: t, farm: f, b: f.Balancer("ptwo", "c"), now: time.Now()}
	expect(t, "picks of one", one.picks(3, nil), "b1 b2 b1")
	expect(t, "as two sees it", twob.column(elected)+" "+twob.column(load1), "2,1 -100,100")
	expect(t, "picks of two", twob.picks(2, nil), "b2 b1")
	if one.b.Settings().Nonce == twob.b.Settings().Nonce || one.b.Members()[0] != twob.b.Members()[0] {
		t.Error("nonce or members")
	}
	expect(t, "slots", one.b.SlotID()+" "+twob.b.SlotID(), "pone_c ptwo_c")
	for name, want := range map[string]string{"a-b": "pone_a_b", "a.b_1": "pone_a_b_1", "\u00e9~(": "pone_xx__"} {
		s := specOf(t, "")
		s.VHost, s.Name = "pone", balancer.Prefix+name
		odd := newFarm(nil)
		load(t, odd, s)
		expect(t, "slot of "+name, odd.Balancer("pone", name).SlotID(), want)
	}
	apply := func(host string, c balancer.Change) {
		t.Helper()
		c.VHost, c.Balancer = host, "c"
		if err := f.Apply(context.Background(), c); err != nil {
			t.Error(err)
		}
	}
	apply("pone", balancer.Change{Form: []balancer.Value{{"b_lbm", "bytraffic"}}})
	expect(t, "methods", one.b.Settings().Method.V+" "+twob.b.Settings().Method.V, "bytraffic byrequests")
	apply("pone", balancer.Change{Worker: "http://b1", Form: []balancer.Value{{"w_status_D", "1"}}})
	expect(t, "disabled on both", twob.row(0, status), "Init Dis")
	apply("pone", balancer.Change{Add: "http://b3"})
	mostOne, usedOne := one.b.MaxMembers()
	mostTwo, usedTwo := twob.b.MaxMembers()
	expect(t, "rooms", fmt.Sprint(mostOne, usedOne, mostTwo, usedTwo, len(twob.b.Members())), "5 3 5 2 3")
	expect(t, "listed", len(f.Balancers("pone"))+len(f.Balancers("ptwo"))+len(f.Balancers("pmain"))+len(f.Balancers("")), 3)
}

// TestPlainWorkers: they live on by host and name, and say when they are gone.
func TestPlainWorkers(t *testing.T) {
	f := newFarm(nil)
	plan := func(urls ...string) []*balancer.Worker {
		var specs []balancer.WorkerSpec
		for _, u := range urls {
			host, url, _ := strings.Cut(u, " ")
			s := memberOf(t, url, "")
			s.VHost = host
			specs = append(specs, s)
		}
		r, err := f.Plan(context.Background(), nil, slices.Values(specs))
		if err != nil {
			t.Fatal(err)
		}
		return f.Commit(r)
	}
	plan("pmain http://a/", "pone http://a/", "pmain http://b/", "pmain http://a/")
	expect(t, "count", fmt.Sprint(len(f.Workers("pmain")), len(f.Workers("pone"))), "2 1")
	a, one := f.Workers("pmain")[0], f.Workers("pone")[0]
	if a == one {
		t.Error("hosts share a worker")
	}
	a.AddTraffic(1, 1)
	gone := plan("pmain unix:/s|http://a/", "pmain http://b/", "pmain http://a/")
	if len(gone) != 1 || gone[0] != one || f.Workers("pmain")[2] != a {
		t.Error(gone)
	}
	if s := a.Snapshot(); s.Sent != 0 {
		t.Error("counters live on")
	}
	expect(t, "socket", f.Workers("pmain")[0].Name(), "unix:/s|http://a/")
}

func TestAttach(t *testing.T) {
	r := newRig(t, "", "")
	w := r.b.Members()[0]
	a, b := new(int), new(int)
	if w.Attached(a) != nil || w.Attach(a, "x") != "x" || w.Attach(a, "y") != "x" || w.Attach(b, "z") != "z" || w.Attached(b) != "z" {
		t.Error("attach")
	}
	if m := w.Attachments(); len(m) != 2 || m[a] != "x" {
		t.Error(m)
	}
	if w.Detach(a) != "x" || w.Detach(a) != nil || w.Attached(a) != nil || w.Attached(b) != "z" {
		t.Error("detach")
	}
	if n := testing.AllocsPerRun(100, func() { w.Attached(b) }); n != 0 {
		t.Error("allocations:", n)
	}
}
