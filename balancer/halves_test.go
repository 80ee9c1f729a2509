package balancer_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"balancerd/balancer"
	"balancerd/balancer/store/file"
)

// TestHalvesAreSavedApart: an edit writes settings alone, traffic leads to a state alone, and the
// revision grows with each edit only.
func TestHalvesAreSavedApart(t *testing.T) {
	store := &memory{}
	r := start(t, store, two(t, true))
	wrote := func(what, want string) {
		t.Helper()
		expect(t, what, fmt.Sprintf("%d+%d, revision %d", store.saves, store.saved, r.b.Revision()), want)
		store.saves, store.saved = 0, 0
	}
	r.save()
	wrote("at first", "1+1, revision 0")
	r.picks(3, nil)
	r.b.Members()[0].Fail(r.now)
	wrote("traffic alone", "0+0, revision 0")
	r.save()
	wrote("traffic, kept", "0+1, revision 0")
	r.edit("http://b1", "w_lf=3")
	wrote("an edit", "1+0, revision 1")
	r.save()
	wrote("an edit, its state kept", "0+1, revision 1")
	r.edit("http://b1", "w_lf=3")
	wrote("the same edit", "1+0, revision 2")
	load(t, r.farm, two(t, true))
	wrote("a reload", "0+0, revision 2")
	r.save()
	wrote("kept after a reload", "0+1, revision 2")
	b2 := start(t, store, two(t, true)).b
	expect(t, "revision after a restart", b2.Revision(), 2)

	load(t, r.farm, two(t, false))
	expect(t, "revision after a reload that takes edits back", r.b.Revision(), 2)
	r.edit("http://b1", "w_lf=4")
	wrote("an edit that is not kept", "0+0, revision 3")
	r.save()
	wrote("nothing is kept", "0+0, revision 3")
}

// TestSharedMembersShareRevisions: an edit of members changes the settings of all balancers that have them.
func TestSharedMembersShareRevisions(t *testing.T) {
	store := &memory{}
	f := newFarm(store)
	load(t, f, hosts(t, "pone")...)
	if err := f.Apply(context.Background(), balancer.Change{VHost: "ptwo", Balancer: "c", Worker: "http://b1", Form: []balancer.Value{{"w_lf", "5"}}}); err != nil {
		t.Error(err)
	}
	expect(t, "revisions", fmt.Sprint(f.Balancer("pmain", "c").Revision(), f.Balancer("pone", "c").Revision(), f.Balancer("ptwo", "c").Revision()), "1 1 1")
	expect(t, "kept for the host that persists", len(store.settings), 1)
	kept := store.settings["ponebalancer://c"]
	expect(t, "factor", kept.VHost+" "+kept.Members[0].Settings["loadfactor"], "pone 5.00")
}

// TestEditedConditionsOutliveAKill: what an edit did to conditions that no administrator sets, and to the
// figures, holds although the state was kept before it; what happened after it is believed when the state
// was kept after it.
func TestEditedConditionsOutliveAKill(t *testing.T) {
	store := &memory{}
	r := start(t, store, two(t, true))
	r.save()
	r.edit("http://b1", "w_status_C=1", "w_status_D=1", "w_status_N=1")
	again := start(t, store, two(t, true))
	expect(t, "killed after an edit", again.column(status), "Init Drn Dis HcFl,Init Ok")
	again.save()
	again = start(t, store, two(t, true))
	expect(t, "and saved by the next process", again.column(status), "Init Drn Dis HcFl,Init Ok")

	w := again.b.Members()[0]
	for range 9 {
		w.HealthResult(true, again.now) // ends CheckFailed
	}
	again.save()
	expect(t, "healed since", start(t, store, two(t, true)).column(status), "Init Drn Dis,Init Ok")

	again.edit("http://b1", "w_status_D=0", "w_status_N=0")
	again.picks(3, nil)
	next := start(t, store, two(t, true))
	next.b.Sync()
	expect(t, "enabled, so that figures are reset", next.column(load1), "0,0")
	expect(t, "enabled", next.column(status), "Init Ok,Init Ok")
}

// TestAdoptedRevision: a neighbour's edit is an edit.
func TestAdoptedRevision(t *testing.T) {
	r := start(t, &memory{}, two(t, true))
	theirs := balancer.SettingsRecord{VHost: "pmain", Balancer: "balancer://c", Revision: 9, Settings: map[string]string{"timeout": "3"}}
	r.farm.Adopt(theirs)
	expect(t, "newer", r.b.Revision(), 9)
	r.farm.Adopt(theirs)
	expect(t, "not newer", r.b.Revision(), 10)
}

// slow is a store whose disk does not answer the first write of some balancers' settings, or of states,
// until it is let.
type slow struct {
	memory
	gates map[string]*gate
}

type gate struct {
	once         sync.Once
	reached, let chan bool
}

func newSlow(stuck ...string) *slow {
	s := &slow{gates: map[string]*gate{}}
	for _, what := range stuck {
		s.gates[what] = &gate{reached: make(chan bool), let: make(chan bool)}
	}
	return s
}

func (s *slow) wait(what string) {
	if g := s.gates[what]; g != nil {
		g.once.Do(func() {
			close(g.reached)
			<-g.let
		})
	}
}

// reached waits until somebody writes what.
func (s *slow) reached(t testing.TB, what string) {
	t.Helper()
	inTime(t, "the write of "+what, func() { <-s.gates[what].reached })
}

func (s *slow) let(what string) { close(s.gates[what].let) }

func (s *slow) SaveSettings(ctx context.Context, list []balancer.SettingsRecord) error {
	for _, r := range list {
		s.wait(r.Balancer)
	}
	return s.memory.SaveSettings(ctx, list)
}

func (s *slow) SaveStates(ctx context.Context, list []balancer.StateRecord) error {
	s.wait("states")
	return s.memory.SaveStates(ctx, list)
}

// inTime fails the test when do does not end.
func inTime(t testing.TB, what string, do func()) {
	t.Helper()
	ended := make(chan bool)
	go func() {
		defer close(ended)
		do()
	}()
	select {
	case <-ended:
	case <-time.After(30 * time.Second):
		t.Fatal("waits: " + what)
	}
}

func twoBalancers(t testing.TB) []balancer.Spec {
	specs := []balancer.Spec{two(t, true), two(t, true)}
	specs[1].Name = "balancer://other"
	return specs
}

// TestADiskKeepsNobodyWaiting: while settings and then the states of all are being written, edits take effect, a
// reload is put in force, and requests are served. An edit is answered when it is kept, and not before; while
// states are written edits are kept.
func TestADiskKeepsNobodyWaiting(t *testing.T) {
	store := newSlow("balancer://c", "states")
	f := newFarm(store)
	specs := twoBalancers(t)
	load(t, f, specs...)
	answered := make(chan error, 9)
	edit := func(name string) {
		answered <- f.Apply(context.Background(), balancer.Change{VHost: "pmain", Balancer: name, Worker: "http://b1", Form: []balancer.Value{{"w_lf", "5"}}})
	}
	answers := func(n int) {
		t.Helper()
		inTime(t, "the answers", func() {
			for range n {
				if err := <-answered; err != nil {
					t.Error(err)
				}
			}
		})
	}
	go edit("c")
	store.reached(t, "balancer://c")
	saved := make(chan error, 1)
	go func() { saved <- f.Save(context.Background()) }() // waits for the settings, then writes states

	others := func() {
		t.Helper()
		load(t, f, specs...)
		for _, name := range []string{"c", "other"} {
			b := f.Balancer("pmain", name)
			for b.Members()[0].Settings().LoadFactor != 500 {
				time.Sleep(time.Millisecond)
			}
			if _, err := b.Claim(nil, time.Now()); err != nil {
				t.Error(err)
			}
		}
	}
	go edit("other")
	inTime(t, "others, while the settings are written", others)
	expect(t, "answered before it was kept", len(answered), 0)
	store.let("balancer://c")
	answers(2)
	store.reached(t, "states")
	inTime(t, "others, while the states are written", others)
	inTime(t, "edits, while the states are written", func() { edit("c"); edit("other") })
	answers(2)
	expect(t, "saved", len(saved), 0)
	store.let("states")
	inTime(t, "the end of Save", func() {
		if err := <-saved; err != nil {
			t.Error(err)
		}
	})
	expect(t, "revisions", fmt.Sprint(store.settings["pmainbalancer://c"].Revision, store.settings["pmainbalancer://other"].Revision), "2 2")
}

// TestOneSaveHoldsManyEdits: who edits a balancer while its settings are being written waits for one more
// write, not for one each.
func TestOneSaveHoldsManyEdits(t *testing.T) {
	store := newSlow("balancer://c")
	r := start(t, store, two(t, true))
	done := make(chan error, 9)
	edit := func() { done <- r.edit("http://b1", "w_lf=2") }
	go edit()
	store.reached(t, "balancer://c")
	for range 8 {
		go edit()
	}
	inTime(t, "the edits", func() {
		for r.b.Revision() < 9 {
			time.Sleep(time.Millisecond)
		}
	})
	store.let("balancer://c")
	inTime(t, "the answers", func() {
		for range 9 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	})
	expect(t, "saves", store.saves, 2)
	expect(t, "revision", store.settings["pmainbalancer://c"].Revision, 9)
}

// TestReloadThatForgets: a save that a reload without BalancerPersist overtakes does not replace what is
// kept by what began anew.
func TestReloadThatForgets(t *testing.T) {
	store := newSlow("balancer://c")
	f := newFarm(store)
	specs := twoBalancers(t)
	load(t, f, specs...)
	other := &rig{TB: t, farm: f, b: f.Balancer("pmain", "other"), now: time.Now()}
	other.picks(3, nil)
	saved := make(chan error, 1)
	save := func() { saved <- f.Save(context.Background()) }
	go save()
	store.reached(t, "balancer://c") // of settings, of both; the states come after it
	specs[1].Persist = false
	inTime(t, "the reload", func() { load(t, f, specs...) })
	store.let("balancer://c")
	inTime(t, "the end of Save", func() {
		if err := <-saved; err != nil {
			t.Error(err)
		}
	})
	if r, has := store.states["pmainbalancer://other"]; has {
		t.Errorf("kept of the one that began anew: %+v", r)
	}
}

// TestOldFile: a server that finds a file of an earlier version goes on with it, and keeps it in the journals.
func TestOldFile(t *testing.T) {
	text, err := os.ReadFile("store/file/testdata/version1.json")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "pmain_c.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	spec := specOf(t, "growth=2", "retry=3600")
	spec.Persist = true
	r := start(t, file.New(dir), spec)
	nonce := r.b.Settings().Nonce.V
	snapshots := func(r *rig) string { // without Sync: it would reset the figures
		return fmt.Sprint(r.column(status), r.column(elected), r.column(load1), r.column(factor), r.b.Settings().Timeout)
	}
	before := snapshots(r)
	expect(t, "nonce", nonce, "c1bdb8e4-5bb9-4f47-b1a4-4cd3e4ba1cd2")
	expect(t, "before any save", before, "Init Dis Err HcFl,Init Drn Dis2,0300,03.00,1.009s")
	r.save()
	r = start(t, file.New(dir), spec)
	expect(t, "in the journals", snapshots(r), before)
	if list, _ := filepath.Glob(filepath.Join(dir, "*")); len(list) != 2 {
		t.Error(list)
	}
}
