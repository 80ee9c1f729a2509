package balancer_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"balancerd/balancer"
	"balancerd/balancer/method"
)

// env is a server with all modules loaded.
var env = balancer.Env{Methods: []string{"heartbeat", "byrequests", "bybusyness", "bytraffic"}, HCheck: true, CPing: true}

// rig is a farm with one balancer, driven by a clock of its own.
type rig struct {
	testing.TB
	farm *balancer.Farm
	b    *balancer.Balancer
	now  time.Time
}

// specOf is balancer://c of b1, b2, … with these parameters each, and parameters of its own.
func specOf(t testing.TB, params string, members ...string) balancer.Spec {
	t.Helper()
	s := balancer.Spec{VHost: "pmain", Name: "balancer://c", Settings: balancer.NewBalancerSettings(), Added: balancer.NewWorkerSettings(), Path: "/", Env: env}
	for p := range strings.FieldsSeq(params) {
		k, v, _ := strings.Cut(p, "=")
		if err := s.Settings.Set(k, v, env); err != nil {
			t.Fatal(p, err)
		}
	}
	for i, m := range members {
		s.Members = append(s.Members, memberOf(t, fmt.Sprintf("http://b%d", i+1), m))
	}
	return s
}

func memberOf(t testing.TB, url, params string) balancer.WorkerSpec {
	t.Helper()
	a, err := balancer.ParseAddress(url, "/run", false)
	if err != nil {
		t.Fatal(err)
	}
	w := balancer.WorkerSpec{Address: a, Settings: balancer.NewWorkerSettings()}
	for p := range strings.FieldsSeq(params) {
		k, v, _ := strings.Cut(p, "=")
		if err := w.Settings.Set(k, v, env); err != nil {
			t.Fatal(p, err)
		}
	}
	return w
}

func newFarm(store balancer.Store) *balancer.Farm {
	return balancer.NewFarm(method.Builtin(new(method.Heartbeat)), store)
}

// load puts specs in force.
func load(t testing.TB, f *balancer.Farm, specs ...balancer.Spec) (gone []*balancer.Worker) {
	t.Helper()
	r, err := f.Plan(context.Background(), slices.Values(specs), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range r.Warnings() {
		t.Error("warning:", w)
	}
	return f.Commit(r)
}

// newRig is a farm with balancer://c of specOf.
func newRig(t testing.TB, params string, members ...string) *rig {
	t.Helper()
	r := &rig{TB: t, farm: newFarm(nil), now: time.Now()}
	load(t, r.farm, specOf(t, params, members...))
	r.b = r.farm.Balancer("pmain", "balancer://c")
	return r
}

// label is b1 for http://b1.
func label(w *balancer.Worker) string { return w.Address().Host }

// picks is n picks, each of a request that ends at once. dead members fail and the next is tried,
// as often as the balancer allows.
func (r *rig) picks(n int, c balancer.Client, dead ...string) string {
	var list []string
	for range n {
		r.now = r.now.Add(time.Millisecond)
		list = append(list, r.serve(c, dead))
	}
	return strings.Join(list, " ")
}

func (r *rig) serve(c balancer.Client, dead []string) string {
	var claims []balancer.Claim
	defer func() {
		for _, c := range claims {
			c.Done()
		}
	}()
	for attempt := 0; ; attempt++ {
		claim, err := r.b.Claim(c, r.now)
		if err != nil {
			return "503"
		}
		claims = append(claims, claim)
		r.now = r.now.Add(time.Microsecond)
		if !contains(dead, label(claim.Worker)) {
			return label(claim.Worker)
		}
		if !claim.Worker.Fail(r.now) || attempt >= r.b.Attempts() {
			return "503"
		}
	}
}

func contains(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}

// column is one value of all members, by comma.
func (r *rig) column(value func(balancer.Snapshot) any) string {
	var list []string
	for _, s := range r.b.Snapshots() {
		list = append(list, fmt.Sprint(value(s)))
	}
	return strings.Join(list, ",")
}

func load1(s balancer.Snapshot) any   { return s.Load }
func elected(s balancer.Snapshot) any { return s.Elected }
func busy(s balancer.Snapshot) any    { return s.Busy }
func status(s balancer.Snapshot) any  { return strings.TrimSpace(s.Status.String()) }

// client is a request.
type client struct{ path, query, cookies string }

func (c client) StickyURL() (path, query string) { return c.path, c.query }
func (c client) Cookies() string                 { return c.cookies }

func expect[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\n got %v\nwant %v", what, got, want)
	}
}
