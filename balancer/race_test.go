package balancer_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"balancerd/balancer"
)

// TestTogether lets requests, edits, looks, health checks, saves and reloads meet; for the race
// detector, and to see that nothing is lost on the way.
func TestTogether(t *testing.T) {
	store := &memory{}
	spec := func(i int) balancer.Spec {
		s := specOf(t, "stickysession=S growth=9 failonstatus=500", "route=r1 retry=0", "route=r2 redirect=r3 retry=0", fmt.Sprintf("route=r3 status=+H loadfactor=%d", 1+i%3))
		s.Persist = true
		return s
	}
	f := newFarm(store)
	load(t, f, spec(0))
	b := f.Balancer("pmain", "c")
	ctx, stop := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer stop()
	var wg sync.WaitGroup
	often := func(n int, do func(i int)) {
		for range n {
			wg.Go(func() {
				for i := 0; ctx.Err() == nil; i++ {
					do(i)
				}
			})
		}
	}
	often(4, func(i int) {
		c, err := b.Claim(cookie(fmt.Sprintf("S=x.r%d", i%4)), time.Now())
		if err != nil {
			return
		}
		c.Worker.AddTraffic(1, 2)
		switch i % 50 {
		case 0:
			c.Worker.Fail(time.Now())
		case 1:
			c.Worker.Connected()
		case 2:
			b.FailedStatus(c.Worker, 500, time.Now())
		}
		c.Done()
	})
	often(1, func(i int) {
		method := []string{"byrequests", "bytraffic", "bybusyness"}[i%3]
		f.Apply(ctx, balancer.Change{VHost: "pmain", Balancer: "c", Worker: "http://b2", Form: []balancer.Value{{"w_lf", fmt.Sprint(1 + i%9)}, {"w_status_D", fmt.Sprint(i % 2)}, {"b_lbm", method}}})
	})
	often(1, func(i int) {
		b.Sync()
		b.Snapshots()
		b.MaxMembers()
		f.Balancers("pmain")
		b.Members()[i%3].HealthResult(i%3 != 0, time.Now())
	})
	often(1, func(i int) {
		load(t, f, spec(i))
		f.Save(ctx)
		time.Sleep(time.Millisecond)
	})
	wg.Wait()
	expect(t, "nobody is under way", b.Members()[0].Busy()+b.Members()[1].Busy()+b.Members()[2].Busy(), 0)
	if f.Balancer("pmain", "c") != b {
		t.Error("another balancer")
	}
}

// TestBusyAddsUp: with many requests and no reload each claim is counted once and given back once.
func TestBusyAddsUp(t *testing.T) {
	r := newRig(t, "lbmethod=bybusyness", "", "", "")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 2000 {
				c, err := r.b.Claim(nil, r.now)
				if err != nil {
					t.Error(err)
				}
				c.Worker.AddTraffic(1, 2)
				c.Done()
			}
		})
	}
	wg.Wait()
	var picks uint64
	var bytes int64
	for _, s := range r.b.Snapshots() {
		picks, bytes = picks+s.Elected, bytes+s.Sent+s.Read
	}
	expect(t, "elected", picks, 16000)
	expect(t, "bytes", bytes, 48000)
	expect(t, "busy", r.column(busy), "0,0,0")
}

func TestClaimCostsNothing(t *testing.T) {
	r := newRig(t, "stickysession=S", "route=r1", "route=r2", "status=+R", "status=+H lbset=2", "status=+D")
	var c balancer.Client = &client{path: "/x", query: "q=1", cookies: "S=x.r2"}
	for _, c := range []balancer.Client{nil, c} {
		n := testing.AllocsPerRun(200, func() {
			claim, _ := r.b.Claim(c, r.now)
			claim.Worker.AddTraffic(1, 1)
			claim.Done()
		})
		expect(t, "allocations", n, 0)
	}
}
