package hcheck

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"balancerd/balancer"
	"balancerd/balancer/method"
)

// farm is a balancer with members n, whose settings change may edit.
func farm(t testing.TB, n int, change func(i int, s *balancer.WorkerSettings)) (*balancer.Farm, []*balancer.Worker) {
	t.Helper()
	spec := balancer.Spec{VHost: "v", Name: "balancer://c", Settings: balancer.NewBalancerSettings(),
		Env: balancer.Env{HCheck: true, Methods: []string{"byrequests"}, Templates: nil}}
	for i := range n {
		a, err := balancer.ParseAddress(fmt.Sprintf("http://10.%d.%d.%d:80", i>>16, i>>8&255, i&255), "/", false)
		if err != nil {
			t.Fatal(err)
		}
		s := balancer.NewWorkerSettings()
		s.Health.Method, s.Health.Interval = balancer.CheckTCP, time.Second
		if change != nil {
			change(i, &s)
		}
		spec.Members = append(spec.Members, balancer.WorkerSpec{Address: a, Settings: s})
	}
	f := balancer.NewFarm(method.Builtin(nil), nil)
	p, err := f.Plan(context.Background(), slices.Values([]balancer.Spec{spec}), nil)
	if err != nil {
		t.Fatal(err)
	}
	f.Commit(p)
	return f, f.Balancer("v", "c").Members()
}

// scheduled is a schedule of these members from now on.
func scheduled(now time.Time, list []*balancer.Worker) *schedule {
	s := &schedule{known: map[*balancer.Worker]*member{}}
	s.update(now, known(list), true)
	return s
}

func known(list []*balancer.Worker) map[*balancer.Worker]*target {
	all := map[*balancer.Worker]*target{}
	for _, w := range list {
		all[w] = &target{}
	}
	return all
}

// starts counts the checks that begin in each step of a time, if each takes as long as takes says; 0: for ever.
func starts(s *schedule, from time.Time, span, step time.Duration, takes func(*balancer.Worker) time.Duration) (perStep []int, of map[*balancer.Worker]int) {
	type end struct {
		m  *member
		at time.Time
	}
	var under []end
	of = map[*balancer.Worker]int{}
	for now := from; now.Before(from.Add(span)); now = now.Add(step) {
		under = slices.DeleteFunc(under, func(e end) bool {
			if e.at.After(now) {
				return false
			}
			s.over(e.m, e.at)
			return true
		})
		n := 0
		for m := s.next(now); m != nil; m = s.next(now) {
			n++
			of[m.Worker]++
			if d := takes(m.Worker); d > 0 {
				under = append(under, end{m, now.Add(d)})
			}
		}
		perStep = append(perStep, n)
	}
	return perStep, of
}

// Ten thousand members that are checked each second are checked evenly, from the first second on.
func TestManyMembersAreCheckedEvenly(t *testing.T) {
	const n, step = 10000, 10 * time.Millisecond
	_, list := farm(t, n, nil)
	now := time.Unix(1e9, 0)
	perStep, of := starts(scheduled(now, list), now, 4*time.Second, step, func(*balancer.Worker) time.Duration { return time.Millisecond })
	even := n * int(step) / int(time.Second)
	total := 0
	for i, k := range perStep {
		total += k
		if k > 2*even {
			t.Errorf("%v after the start %d checks begin at once, evenly it were %d", time.Duration(i)*step, k, even)
		}
	}
	if total < 3*n || total > 4*n {
		t.Errorf("%d checks in four seconds of %d members", total, n)
	}
	for _, w := range list {
		if k := of[w]; k < 3 || k > 4 {
			t.Fatalf("%s: %d checks in four seconds", w.URL(), k)
		}
	}
}

// Few members are checked when their interval is over, as in httpd, but not at once; nobody waits for long ones.
func TestFirstChecks(t *testing.T) {
	for _, c := range []struct {
		interval, from, to time.Duration
		n                  int
	}{
		{200 * time.Millisecond, 200 * time.Millisecond, 201 * time.Millisecond, 1},
		{time.Second, 950 * time.Millisecond, time.Second, 6},
		{100 * time.Millisecond, 5 * time.Millisecond, 100 * time.Millisecond, 20},
		{30 * time.Second, 5*time.Second - 60*time.Millisecond, 5 * time.Second, 6},
		{30 * time.Second, 0, 5 * time.Second, 1000},
	} {
		_, list := farm(t, c.n, func(_ int, s *balancer.WorkerSettings) { s.Health.Interval = c.interval })
		now := time.Unix(1e9, 0)
		s := scheduled(now, list)
		var due []time.Duration
		for at := now; len(due) < c.n; at = at.Add(time.Millisecond) {
			for m := s.next(at); m != nil; m = s.next(at) {
				due = append(due, at.Sub(now))
			}
		}
		if due[0] < c.from || due[c.n-1] > c.to+time.Millisecond {
			t.Errorf("%d members each %v: from %v to %v, want %v to %v", c.n, c.interval, due[0], due[c.n-1], c.from, c.to)
		}
		slices.Sort(due)
		if same := slices.Compact(slices.Clone(due)); c.n <= 20 && len(same) != c.n {
			t.Errorf("%d members each %v: some at the same time: %v", c.n, c.interval, due)
		}
	}
}

// A check that never ends holds up no other member, and is not made again beside itself.
func TestSlowChecksDelayNobody(t *testing.T) {
	_, list := farm(t, 40, nil)
	now := time.Unix(1e9, 0)
	_, of := starts(scheduled(now, list), now, 10*time.Second, time.Millisecond, func(w *balancer.Worker) time.Duration {
		switch slices.Index(list, w) % 4 {
		case 0:
			return 0
		case 1:
			return 1500 * time.Millisecond
		}
		return time.Millisecond
	})
	for i, w := range list {
		want := [4]int{1, 4, 9, 9}[i%4]
		if k := of[w]; k < want || k > want+1 {
			t.Errorf("member %d: %d checks in ten seconds, want %d", i, k, want)
		}
	}
}

func TestEditsChangeTheSchedule(t *testing.T) {
	f, list := farm(t, 4, func(i int, s *balancer.WorkerSettings) {
		if i == 3 {
			s.Health.Method = balancer.CheckNone
		}
	})
	now := time.Unix(1e9, 0)
	s := scheduled(now, list)
	if len(s.queue) != 3 {
		t.Fatalf("%d members wait, want three", len(s.queue))
	}
	edit := func(i int, values ...balancer.Value) {
		t.Helper()
		c := balancer.Change{VHost: "v", Balancer: "c", Worker: list[i].URL(), Form: values, Check: len(values) == 0}
		if err := f.Apply(context.Background(), c); err != nil {
			t.Fatal(err)
		}
		s.update(now, known(f.Balancer("v", "c").Members()), false)
	}
	due := func() (list []int) {
		for m := s.next(now); m != nil; m = s.next(now) {
			i := slices.IndexFunc(f.Balancer("v", "c").Members(), func(w *balancer.Worker) bool { return w == m.Worker })
			list = append(list, i)
			s.over(m, now)
		}
		slices.Sort(list)
		return list
	}
	now = now.Add(100 * time.Millisecond)
	if got := due(); len(got) > 0 {
		t.Errorf("%v are due too early", got)
	}
	edit(0)
	if got := due(); !slices.Equal(got, []int{0}) {
		t.Errorf("asked for the first: %v", got)
	}
	now = now.Add(5 * time.Second)
	if got := due(); !slices.Equal(got, []int{0, 1, 2}) {
		t.Errorf("all that have a method: %v", got)
	}
	now = now.Add(5 * time.Second)
	edit(0, balancer.Value{Name: "w_hm", Text: "NONE"})
	edit(1, balancer.Value{Name: "w_status_S", Text: "1"})
	edit(2, balancer.Value{Name: "w_hi", Text: "20000"})
	if got := due(); len(got) > 0 {
		t.Errorf("without method, stopped, and not due yet: %v", got)
	}
	edit(3, balancer.Value{Name: "w_hm", Text: "TCP"})
	edit(1, balancer.Value{Name: "w_status_S", Text: "0"})
	if got := due(); !slices.Equal(got, []int{1, 3}) {
		t.Errorf("with a method, and started: %v", got)
	}
	if err := f.Apply(context.Background(), balancer.Change{VHost: "v", Balancer: "c", Worker: list[0].URL(), Check: true}); err != balancer.ErrNotChecked {
		t.Errorf("a check of a member without a method: %v", err)
	}
}

// A member that is no longer there when its check ends is not checked again.
func TestMembersThatGo(t *testing.T) {
	_, list := farm(t, 2, nil)
	now := time.Unix(1e9, 0)
	s := scheduled(now, list)
	now = now.Add(time.Second)
	gone := s.next(now)
	s.update(now, known([]*balancer.Worker{list[1-slices.Index(list, gone.Worker)]}), false)
	s.over(gone, now)
	for range 5 {
		now = now.Add(time.Second)
		for m := s.next(now); m != nil; m = s.next(now) {
			if m.Worker == gone.Worker {
				t.Fatal("checked though it is no member")
			}
			s.over(m, now)
		}
	}
	if len(s.known) != 1 || len(s.queue) != 1 {
		t.Errorf("%d members are known, %d wait", len(s.known), len(s.queue))
	}
}

// What a check costs of the schedule's time does not grow with the members.
func BenchmarkSchedule(b *testing.B) {
	_, list := farm(b, 10000, nil)
	now := time.Unix(1e9, 0)
	s := scheduled(now, list)
	b.ReportAllocs()
	for b.Loop() {
		m := s.next(now)
		if m == nil {
			now = now.Add(time.Millisecond)
			continue
		}
		s.over(m, now)
	}
}
