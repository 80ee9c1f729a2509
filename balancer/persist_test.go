package balancer_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"balancerd/balancer"
	"balancerd/balancer/store/file"
)

// memory is a store in memory, which can be made to fail.
type memory struct {
	mu       sync.Mutex
	settings map[string]balancer.SettingsRecord
	states   map[string]balancer.StateRecord
	saves    int // of settings
	saved    int // states
	fail     error
}

func (m *memory) Load(context.Context) (list []balancer.Record, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for k, r := range m.settings {
		record := balancer.Record{Settings: r}
		if s, has := m.states[k]; has {
			record.State = &s
		}
		list = append(list, record)
	}
	return list, nil
}

func (m *memory) SaveSettings(_ context.Context, list []balancer.SettingsRecord) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.saves++
	if m.fail != nil {
		return m.fail
	}
	if m.settings == nil {
		m.settings = map[string]balancer.SettingsRecord{}
	}
	for _, r := range list {
		m.settings[r.VHost+r.Balancer] = r
	}
	return nil
}

func (m *memory) SaveStates(_ context.Context, list []balancer.StateRecord) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.saved += len(list)
	if m.fail != nil {
		return m.fail
	}
	if m.states == nil {
		m.states = map[string]balancer.StateRecord{}
	}
	for _, r := range list {
		m.states[r.VHost+r.Balancer] = r
	}
	return nil
}

func (m *memory) setFail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail = err
}

// start is a new process with these specs.
func start(t testing.TB, store balancer.Store, specs ...balancer.Spec) *rig {
	t.Helper()
	r := &rig{TB: t, farm: newFarm(store), now: time.Now()}
	load(t, r.farm, specs...)
	r.b = r.farm.Balancer("pmain", "c")
	return r
}

// page is what the manager shows of a balancer.
func (r *rig) page() string {
	most, used := r.b.MaxMembers()
	s := r.b.Settings()
	list := []string{fmt.Sprintf("%d[%d] %s %v %s %d", most, used, s.Sticky, s.Timeout, s.Method.V, s.MaxAttempts.V)}
	for i, w := range r.b.Members() {
		list = append(list, strings.Join([]string{label(w), r.row(i, route, factor, status, elected, load1)}, " | "))
	}
	return strings.Join(list, "\n")
}

func two(t testing.TB, persist bool) balancer.Spec {
	s := specOf(t, "stickysession=S|p growth=2", "route=r1", "route=r2")
	s.Persist = persist
	return s
}

// save is what Keep does every few seconds.
func (r *rig) save() {
	r.Helper()
	if err := r.farm.Save(context.Background()); err != nil {
		r.Error(err)
	}
}

// edits is what the case "BalancerPersist keeps what the manager changed" does.
func edits(r *rig) {
	r.picks(3, nil)
	r.edit("http://b1", "w_status_D=1", "w_lf=3")
	r.edit("", "b_lbm=bytraffic", "b_tmo=9", "b_ss=N|n")
	if err := r.farm.Apply(context.Background(), balancer.Change{VHost: "pmain", Balancer: "c", Add: "http://b3"}); err != nil {
		r.Error(err)
	}
}

const edited = `4[%d] N|n 9s bytraffic 1
b1 | r1 | 3.00 | Init Dis | 2 | 300
b2 | r2 | 1.00 | Init Ok | 1 | 100
b3 |  | 1.00 | Init Dis | 0 | 0`

const untouched = `4[2] S|p 0s byrequests 1
b1 | r1 | 1.00 | Init Ok | 0 | 0
b2 | r2 | 1.00 | Init Ok | 0 | 0`

// TestPersistOn: edits, conditions, counters and nonce survive a reload and a restart; the file's
// parameters of a known member do not count, as in httpd.
func TestPersistOn(t *testing.T) {
	store := file.New(t.TempDir())
	r := start(t, store, two(t, true))
	edits(r)
	expect(t, "edited", r.page(), fmt.Sprintf(edited, 3))
	nonce, members := r.b.Settings().Nonce.V, r.b.Members()
	r.edit("http://b1", "w_ls=0") // looks
	expect(t, "looked", r.page(), fmt.Sprintf(edited, 3))
	load(t, r.farm, two(t, true))
	expect(t, "reloaded", r.page(), fmt.Sprintf(edited, 2))
	if !reflect.DeepEqual(members, r.b.Members()) {
		t.Error("other workers")
	}
	expect(t, "room", r.b.HasFreeSlot(), true)

	r2 := start(t, store, two(t, true)) // no Save, no Keep: as after kill -9
	expect(t, "killed", r2.page(), strings.NewReplacer("| 2 | 300", "| 0 | 0", "| 1 | 100", "| 0 | 0").Replace(fmt.Sprintf(edited, 2)))
	expect(t, "nonce", r2.b.Settings().Nonce.V, nonce)

	r.save()
	r = start(t, store, two(t, true))
	expect(t, "restarted", r.page(), fmt.Sprintf(edited, 2))
	expect(t, "nonce", r.b.Settings().Nonce.V, nonce)

	s := specOf(t, "stickysession=S|p growth=2 timeout=4 failonstatus=500", "route=changed loadfactor=9", "route=r2")
	s.Persist = true
	r = start(t, store, s)
	expect(t, "file changed", r.page(), fmt.Sprintf(edited, 2))
	expect(t, "but this is the file's", len(r.b.Settings().FailOnStatus), 1)
	load(t, r.farm, s)
	expect(t, "and reloaded", r.page(), fmt.Sprintf(edited, 2))
}

// TestPersistOff: a reload begins anew, but with the same workers.
func TestPersistOff(t *testing.T) {
	store := &memory{}
	r := start(t, store, two(t, false))
	nonce := r.b.Settings().Nonce.V
	members := r.b.Members()
	key := new(int)
	members[0].Attach(key, "pool")
	edits(r)
	members[0].AddTraffic(5, 5)
	members[1].HealthResult(false, r.now)
	underWay, _ := r.b.Claim(nil, r.now)
	gone := load(t, r.farm, two(t, false))
	expect(t, "reloaded", r.page(), untouched)
	if len(gone) != 1 || label(gone[0]) != "b3" {
		t.Error("gone:", gone)
	}
	if r.b.Settings().Nonce.V == nonce {
		t.Error("the nonce stays")
	}
	if s := r.b.Snapshots()[0]; s.Sent+s.Read != 0 || s.Busy != 0 {
		t.Errorf("%+v", s)
	}
	again := r.b.Members()
	if again[0] != members[0] || again[1] != members[1] || again[0].Attached(key) != "pool" {
		t.Error("other workers")
	}
	next, _ := r.b.Claim(nil, r.now)
	underWay.Done()
	expect(t, "who began before the reload does not count", r.column(busy), "1,0")
	next.Done()
	expect(t, "ended", r.column(busy), "0,0")
	expect(t, "saves", store.saves, 0)

	s := specOf(t, "nonce=fixed", "")
	load(t, r.farm, s)
	expect(t, "fixed nonce", r.b.Settings().Nonce.V, "fixed")
}

// TestPersistSwitched: what was kept while On comes back when it is On again.
func TestPersistSwitched(t *testing.T) {
	store := &memory{}
	r := start(t, store, two(t, true))
	r.picks(3, nil)
	r.edit("http://b1", "w_lf=3")
	r.edit("", "b_max=7", "b_sforce=1")
	want := "4[2] S|p 0s byrequests 7\nb1 | r1 | 3.00 | Init Ok | 2 | 300\nb2 | r2 | 1.00 | Init Ok | 1 | 100"
	expect(t, "on", r.page(), want)
	r.save()
	load(t, r.farm, two(t, false))
	expect(t, "off", r.page(), untouched)
	load(t, r.farm, two(t, true))
	expect(t, "on again", r.page(), want)
	expect(t, "nofailover", r.b.Settings().NoFailover.V, true)
}

// TestPersistAndTheFile: members that the file no longer names go, new ones come as configured,
// added ones stay, also with less room.
func TestPersistAndTheFile(t *testing.T) {
	store := &memory{}
	r := start(t, store, two(t, true))
	edits(r)
	r.save()
	s := specOf(t, "growth=1")
	s.Persist = true
	s.Members = []balancer.WorkerSpec{memberOf(t, "http://b4", "loadfactor=2"), memberOf(t, "http://b1", "")}
	want := "3[2] N|n 9s bytraffic 1\nb4 |  | 2.00 | Init Ok | 0 | 0\nb1 | r1 | 3.00 | Init Dis | 2 | 300\nb3 |  | 1.00 | Init Dis | 0 | 0"
	r2 := start(t, store, s)
	expect(t, "restarted", r2.page(), want)
	load(t, r.farm, s)
	expect(t, "reloaded", r.page(), want)
	expect(t, "room", r.b.HasFreeSlot(), false)

	s.Members = append(s.Members, memberOf(t, "http://b3", "loadfactor=5")) // named now, known already
	load(t, r.farm, s)
	expect(t, "named", r.page(), strings.Replace(want, "3[2]", "4[3]", 1))
	s.Members = s.Members[:2]
	load(t, r.farm, s)
	expect(t, "and no longer", len(r.b.Members()), 2)
}

// TestPersistRestoresConditions: error, time of error and figures come back, requests under way do
// not.
func TestPersistRestoresConditions(t *testing.T) {
	store := &memory{}
	s := specOf(t, "forcerecovery=Off", "retry=3600 hcpasses=5", "status=+H")
	s.Persist = true
	r := start(t, store, s)
	r.b.Claim(nil, r.now)
	w := r.b.Members()[0]
	w.Fail(r.now)
	w.HealthResult(true, r.now)
	w.AddTraffic(11, 22)
	if err := r.farm.Save(context.Background()); err != nil {
		t.Error(err)
	}
	r2 := start(t, store, s)
	old, got := r.b.Snapshots()[0], r2.b.Snapshots()[0]
	if !old.ErrorTime.Round(0).Equal(got.ErrorTime.Round(0)) { // by the wall: what is kept has no other clock
		t.Error(got.ErrorTime, old.ErrorTime)
	}
	old.ErrorTime, got.ErrorTime, old.Busy = time.Time{}, time.Time{}, 0
	if !reflect.DeepEqual(got, old) {
		t.Errorf("\n got %+v\nwant %+v", got, old)
	}
	expect(t, "status", r2.column(status), "Init Err,Init Stby Ok")
	expect(t, "still in error", r2.picks(1, nil), "b2")

	for k := range store.states {
		store.states[k].Members[0].ErrorTime = time.Now().AddDate(1, 0, 0)
	}
	r3 := start(t, store, s)
	if e := r3.b.Snapshots()[0].ErrorTime; time.Until(e) > 0 {
		t.Error("an error in the future holds:", e)
	}
}

// TestPersistStale: an enabled member has the figures reset after a restart, as httpd's first look
// does.
func TestPersistStale(t *testing.T) {
	store := &memory{}
	r := start(t, store, two(t, true))
	r.edit("http://b1", "w_status_D=1")
	r.picks(3, nil)
	r.edit("http://b1", "w_status_D=0", "w_lf=2")
	r.b.Sync()
	expect(t, "before", r.column(load1), "200,100")
	r = start(t, store, two(t, true))
	r.b.Sync()
	expect(t, "after", r.column(load1), "0,0")
}

// TestBadRecords: what is kept but wrong is told, and the file's word holds.
func TestBadRecords(t *testing.T) {
	dir := t.TempDir()
	store := file.New(dir)
	r := start(t, store, two(t, true))
	edits(r)
	r.save()
	path := filepath.Join(dir, "settings.json")
	all, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(strings.TrimSpace(string(all)), "\n")
	_, last, _ := strings.Cut(lines[len(lines)-1], ",") // without its sum: edited by hand
	whole := lines[0] + "{" + last + "\n"
	for _, c := range []struct{ from, to, warning, page string }{
		{whole, whole[:300], path, untouched},
		{`"3.00"`, `"300"`, "balancer://c: kept state: loadfactor=300: LoadFactor must be a number between 1..100",
			strings.Replace(fmt.Sprintf(edited, 2), "3.00", "1.00", 1)},
		{`"bytraffic"`, `"gone"`, "balancer://c: kept state: lbmethod=gone: unknown lbmethod", strings.NewReplacer("bytraffic", "byrequests", "| 300", "| 0", "| 100", "| 0").Replace(fmt.Sprintf(edited, 2))}, // which resets loads
		{`"http://b3"`, `"http//b3"`, "balancer://c: kept state: URL must be absolute!: http//b3", fmt.Sprintf(edited, 2)[:strings.Index(edited, "\nb3")-1]},
	} {
		text := strings.Replace(whole, c.from, c.to, 1)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		f := newFarm(store)
		plan, err := f.Plan(context.Background(), slices.Values([]balancer.Spec{two(t, true)}), nil)
		if err != nil || len(plan.Warnings()) != 1 || !strings.HasPrefix(plan.Warnings()[0].Error(), c.warning) {
			t.Errorf("%.20s: %v %v", c.to, err, plan.Warnings())
		}
		f.Commit(plan)
		r := &rig{TB: t, farm: f, b: f.Balancer("pmain", "c")}
		expect(t, c.to, r.page(), c.page)
	}
}

// TestHostPersists: BalancerPersist of one virtual host keeps its settings and the members of all.
func TestHostPersists(t *testing.T) {
	store := &memory{}
	f := newFarm(store)
	load(t, f, hosts(t, "pone")...)
	one := &rig{TB: t, farm: f, b: f.Balancer("pone", "c"), now: time.Now()}
	one.picks(3, nil)
	for _, h := range []string{"pone", "ptwo"} {
		if err := f.Apply(context.Background(), balancer.Change{VHost: h, Balancer: "c", Form: []balancer.Value{{"b_tmo", "5"}}}); err != nil {
			t.Error(err)
		}
	}
	one.save()
	check := func(f *balancer.Farm) {
		t.Helper()
		two := &rig{TB: t, farm: f, b: f.Balancer("ptwo", "c")}
		expect(t, "members", two.column(elected)+" "+two.column(load1), "2,1 -100,100")
		expect(t, "settings", fmt.Sprint(f.Balancer("pone", "c").Settings().Timeout, two.b.Settings().Timeout), "5s 0s")
	}
	load(t, f, hosts(t, "pone")...)
	check(f)
	f = newFarm(store)
	load(t, f, hosts(t, "pone")...)
	check(f)
}

// TestSaveErrors: an edit holds although it cannot be kept, which is told once in a row.
func TestSaveErrors(t *testing.T) {
	store := &memory{fail: errors.New("disk full")}
	r := start(t, store, two(t, true))
	for i, repeated := range []bool{false, true} {
		err := r.edit("http://b1", fmt.Sprintf("w_ls=%d", i+1))
		var failed *balancer.SaveError
		if !errors.As(err, &failed) || failed.Repeated != repeated || !errors.Is(err, store.fail) {
			t.Errorf("%d: %v", i, err)
		}
		expect(t, "holds", r.row(0, lbset), fmt.Sprint(i+1))
	}
	store.fail = nil
	if err := r.farm.Save(context.Background()); err != nil || len(store.settings) != 1 || len(store.states) != 1 {
		t.Error(err)
	}
	saves := store.saves + store.saved
	if err := r.farm.Save(context.Background()); err != nil || store.saves+store.saved != saves {
		t.Error("saved though nothing changed")
	}
	store.fail = errors.New("again")
	var failed *balancer.SaveError
	if err := r.edit("http://b1", "w_ls=9"); !errors.As(err, &failed) || failed.Repeated {
		t.Error(err)
	}
}

// TestKeep saves what traffic changed every few seconds, and at the end; failures are told once.
func TestKeep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &memory{}
		r := start(t, store, two(t, true))
		ctx, stop := context.WithCancel(context.Background())
		var told []string
		done := make(chan bool)
		go func() {
			r.farm.Keep(ctx, 5*time.Second, func(err error) { told = append(told, err.Error()) })
			close(done)
		}()
		pass := func(d time.Duration) {
			time.Sleep(d)
			synctest.Wait()
		}
		pass(6 * time.Second)
		expect(t, "first", fmt.Sprint(store.saves, store.saved), "1 1")
		pass(20 * time.Second)
		expect(t, "nothing changed", fmt.Sprint(store.saves, store.saved), "1 1")
		r.picks(1, nil)
		store.setFail(errors.New("disk full"))
		pass(20 * time.Second)
		expect(t, "told", strings.Join(told, ";"), "balancer state is not kept: disk full")
		store.setFail(nil)
		pass(5 * time.Second)
		r.picks(1, nil)
		stop()
		<-done
		for _, rec := range store.states {
			expect(t, "at the end", rec.Members[0].Elected+rec.Members[1].Elected, 2)
		}
		expect(t, "settings", store.saves, 1)
	})
}

// TestAdopt: a neighbour's edits hold here, its figures and errors do not, and it is not kept again.
func TestAdopt(t *testing.T) {
	theirs, ours := &memory{}, &memory{}
	a, b := start(t, theirs, two(t, true)), start(t, ours, two(t, true))
	edits(a)
	a.edit("http://b2", "w_status_H=1")
	a.b.Members()[1].Fail(time.Now())
	a.farm.Save(context.Background())
	b.picks(1, nil)
	for _, r := range theirs.settings {
		b.farm.Adopt(r)
	}
	saves := ours.saves
	b.farm.Save(context.Background())
	expect(t, "saves", ours.saves, saves)
	expect(t, "page", b.page(), "4[3] N|n 9s bytraffic 1\nb1 | r1 | 3.00 | Init Dis | 1 | -100\nb2 | r2 | 1.00 | Init Stby Ok | 0 | 100\nb3 |  | 1.00 | Init Dis | 0 | 0")
	b.farm.Adopt(balancer.SettingsRecord{VHost: "nobody", Balancer: "balancer://c"})
}

// watcher is a store that others write to.
type watcher struct{ list []balancer.SettingsRecord }

func (w watcher) Watch(ctx context.Context, changed func(balancer.SettingsRecord)) error {
	for _, r := range w.list {
		changed(r)
	}
	return ctx.Err()
}

func TestWatch(t *testing.T) {
	r := start(t, nil, two(t, true))
	w := watcher{[]balancer.SettingsRecord{{VHost: "pmain", Balancer: "balancer://c", Settings: map[string]string{"timeout": "3"}}}}
	if err := r.farm.Watch(context.Background(), w); err != nil {
		t.Error(err)
	}
	expect(t, "timeout", r.b.Settings().Timeout, 3*time.Second)
}
