package method

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"balancerd/balancer"
)

// TestLeastMoved: whatever the factors, the one with the least bytes for its factor, the earlier of equals.
func TestLeastMoved(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		spec := balancer.Spec{VHost: "p1", Name: "balancer://c", Settings: balancer.NewBalancerSettings(), Env: balancer.Env{Methods: []string{"byrequests"}}}
		for i := range 1 + random.IntN(8) {
			a, _ := balancer.ParseAddress(fmt.Sprintf("http://127.0.0.1:%d", i+1), "", false)
			w := balancer.WorkerSpec{Address: a, Settings: balancer.NewWorkerSettings()}
			if err := w.Settings.Set("loadfactor", fmt.Sprint(1+random.IntN(100)), balancer.Env{}); err != nil {
				t.Fatal(err)
			}
			spec.Members = append(spec.Members, w)
		}
		f := balancer.NewFarm(Builtin(new(Heartbeat)), nil)
		r, err := f.Plan(context.Background(), slices.Values([]balancer.Spec{spec}), nil)
		if err != nil {
			t.Fatal(err)
		}
		f.Commit(r)
		members := f.Balancer("p1", "c").Members()
		limit := int64(1) << (4 + random.IntN(58)) / 2
		for range 50 {
			w := members[random.IntN(len(members))]
			w.AddTraffic(random.Int64N(limit)/50, random.Int64N(limit)/50)
			if got, want := leastMoved(&balancer.Pick{Candidates: members}), divided(members); got != want {
				t.Fatalf("%s, want %s", got.URL(), want.URL())
			}
		}
	}
}

func divided(members []*balancer.Worker) (best *balancer.Worker) {
	var least int64
	for _, w := range members {
		sent, read := w.Traffic()
		if moved := sent/w.Factor() + read/w.Factor(); best == nil || moved < least {
			best, least = w, moved
		}
	}
	return best
}
