package balancer_test

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"testing"

	"balancerd/balancer"
	shared "balancerd/balancer/store/memory"
	"balancerd/testdata/linear"
)

// TestLoadsAreLinear: a configuration of 5,000 balancers, or of as many workers or members, is planned and
// put in force in a time that grows with their number alone, the first time and as a reload.
func TestLoadsAreLinear(t *testing.T) {
	if testing.Short() {
		t.Skip("measures, which other work beside it disturbs")
	}
	const most = 5000
	type configuration struct {
		specs   []balancer.Spec
		workers []balancer.WorkerSpec
	}
	member := func(i int) balancer.WorkerSpec { return memberOf(t, fmt.Sprintf("http://b%d", i), "") }
	for what, of := range map[string]func(n int) (c configuration){
		"balancers": func(n int) (c configuration) {
			for i := range n {
				s := specOf(t, "")
				s.Name, s.Persist, s.Members = fmt.Sprintf("balancer://c%d", i), true, []balancer.WorkerSpec{member(0), member(1)}
				c.specs = append(c.specs, s)
			}
			return c
		},
		"virtual hosts that share members": func(n int) (c configuration) {
			for i := range n {
				s := specOf(t, "", "", "")
				if s.VHost = fmt.Sprintf("p%d", i); i > 0 {
					s.Owner, s.Members = "p0", nil
				}
				c.specs = append(c.specs, s)
			}
			return c
		},
		"members": func(n int) (c configuration) {
			s := specOf(t, "")
			s.Persist = true
			for i := range n {
				s.Members = append(s.Members, member(i))
			}
			c.specs = append(c.specs, s)
			return c
		},
		"plain workers": func(n int) (c configuration) {
			for i := range n {
				w := member(i)
				w.VHost = "pmain"
				c.workers = append(c.workers, w)
			}
			return c
		},
	} {
		t.Run(what, func(t *testing.T) {
			linear.CheckWithin(t, 110, most/16, of, func(c configuration) {
				store := &memory{}
				f := newFarm(store)
				for range 2 {
					p, err := f.Plan(context.Background(), slices.Values(c.specs), slices.Values(c.workers))
					if err != nil {
						t.Fatal(err)
					}
					f.Commit(p)
					for _, s := range c.specs {
						if f.Balancer(s.VHost, s.Name) == nil {
							t.Fatal("no", s.Name)
						}
					}
				}
			})
		})
	}
}

// TestPicksAmongManyMembers: sixteen times as many members make a pick hardly dearer, by each method and by a
// session's route.
func TestPicksAmongManyMembers(t *testing.T) {
	if testing.Short() {
		t.Skip("measures, which other work beside it disturbs")
	}
	for _, params := range []string{"lbmethod=byrequests", "lbmethod=bytraffic", "lbmethod=bybusyness", "stickysession=S"} {
		t.Run(params, func(t *testing.T) {
			of := func(n int) *rig {
				members := make([]string, n)
				for i := range members {
					members[i] = fmt.Sprintf("route=r%d loadfactor=%d", i, 1+i%3)
				}
				return newRig(t, params, members...)
			}
			c := &client{query: "S=x.r190"}
			linear.CheckWithin(t, 6, 200, of, func(r *rig) {
				for range 1000 {
					claim, err := r.b.Claim(c, r.now)
					if err != nil {
						t.Fatal(err)
					}
					claim.Worker.AddTraffic(200, 1000)
					claim.Done()
				}
			})
		})
	}
}

// TestEditsAreLinear: ten times the members of the balancer that is edited cost at most fifteen times the memory, and a time
// that grows with them alone; the balancers beside it cost nothing.
func TestEditsAreLinear(t *testing.T) {
	if testing.Short() {
		t.Skip("measures, which other work beside it disturbs")
	}
	of := func(balancers, members int) *balancer.Farm {
		f := newFarm(&memory{})
		f.UseMemory(shared.New(func(shared.Kind, *os.File) error { return nil }), balancer.Predecessor{})
		var specs []balancer.Spec
		for i := range balancers {
			s := specOf(t, "", make([]string, members)...)
			s.Persist = true
			if i > 0 {
				s.Name = fmt.Sprintf("balancer://c%d", i)
			}
			specs = append(specs, s)
		}
		load(t, f, specs...)
		return f
	}
	factor := 0
	edit := func(f *balancer.Farm) {
		factor++
		c := balancer.Change{VHost: "pmain", Balancer: "c", Worker: "http://b1", Form: []balancer.Value{{Name: "w_lf", Text: fmt.Sprint(1 + factor%50)}}}
		if err := f.Apply(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	allocated := func(f *balancer.Farm) uint64 {
		var before, after runtime.MemStats
		edit(f)
		runtime.ReadMemStats(&before)
		for range 5 {
			edit(f)
		}
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	if few, most := allocated(of(1, 200)), allocated(of(1, 2000)); most > 15*few {
		t.Errorf("%d bytes are allocated among 200 members, %d among 2000", few, most)
	}
	if few, most := allocated(of(20, 2)), allocated(of(200, 2)); most > 2*few {
		t.Errorf("%d bytes are allocated among 20 balancers, %d among 200", few, most)
	}
	linear.CheckWithin(t, 32, 200, func(n int) *balancer.Farm { return of(1, n) }, edit)
	linear.CheckWithin(t, 4, 20, func(n int) *balancer.Farm { return of(n, 2) }, edit)
}

// TestFindingABalancerCostsNothing: not even memory, however its name is written.
func TestFindingABalancerCostsNothing(t *testing.T) {
	r := newRig(t, "", "")
	for _, name := range []string{"c", "C", "balancer://c", "BALANCER://C/some/path"} {
		if n := testing.AllocsPerRun(100, func() {
			if r.farm.Balancer("pmain", name) != r.b {
				t.Error(name)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	for _, name := range []string{"", "cc", "balancer://", "http://c", "balancer:///c"} {
		if r.farm.Balancer("pmain", name) != nil {
			t.Errorf("%q means a balancer", name)
		}
	}
}

// TestPickSaysWhoAsks: a method learns the candidates, the session's route and the client.
func TestPickSaysWhoAsks(t *testing.T) {
	var got []string
	m := balancer.Method{Name: "byrequests", Best: func(p *balancer.Pick) *balancer.Worker {
		_, query := p.Client.StickyURL()
		got = append(got, fmt.Sprint(len(p.Candidates), " ", p.Key, " ", query, " ", p.Data))
		return p.Candidates[0]
	}}
	f := balancer.NewFarm([]balancer.Method{m}, nil)
	load(t, f, specOf(t, "stickysession=S", "route=r1", "route=r2"))
	r := &rig{TB: t, farm: f, b: f.Balancer("pmain", "c")}
	r.picks(1, &client{query: "S=x.gone"})
	r.picks(1, &client{query: "S=x.r2"})
	r.picks(1, &client{query: "q"})
	expect(t, "picks", fmt.Sprint(got), "[2 gone S=x.gone <nil> 2  q <nil>]")
}
