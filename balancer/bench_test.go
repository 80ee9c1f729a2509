package balancer_test

import (
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"balancerd/balancer"
	"balancerd/balancer/store/file"
	shared "balancerd/balancer/store/memory"
)

// BenchmarkClaim is a pick and its end: what each proxied request pays.
func BenchmarkClaim(b *testing.B) {
	for _, m := range []string{"byrequests", "bytraffic", "bybusyness"} {
		for _, n := range []int{2, 10, 1000} {
			b.Run(fmt.Sprintf("%s/%d", m, n), func(b *testing.B) {
				r := newRig(b, "lbmethod="+m, make([]string, n)...)
				claim(b, r.b, nil)
			})
		}
	}
}

// BenchmarkSession is a pick by the session's route.
func BenchmarkSession(b *testing.B) {
	for _, n := range []int{10, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			members := make([]string, n)
			for i := range members {
				members[i] = fmt.Sprintf("route=r%d", i)
			}
			r := newRig(b, "stickysession=JSESSIONID|jsessionid", members...)
			claim(b, r.b, &client{path: "/app/index.html", query: "q=1", cookies: "a=b; JSESSIONID=0123456789abcdef.r7"})
		})
	}
}

func claim(b *testing.B, bal *balancer.Balancer, c balancer.Client) {
	now := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		c, err := bal.Claim(c, now)
		if err != nil {
			b.Fatal(err)
		}
		c.Worker.AddTraffic(200, 1000)
		c.Done()
	}
}

// BenchmarkClaimParallel is many requests at a time, on all processors.
func BenchmarkClaimParallel(b *testing.B) {
	for _, m := range []string{"byrequests", "bytraffic", "bybusyness"} {
		for _, n := range []int{10, 1000} {
			b.Run(fmt.Sprintf("%s/%d", m, n), func(b *testing.B) {
				r := newRig(b, "lbmethod="+m, make([]string, n)...)
				now := time.Now()
				if c, err := r.b.Claim(nil, now); err != nil || c.Worker == nil { // the scan's paper is there from now on
					b.Fatal(err)
				}
				b.ReportAllocs()
				b.ResetTimer()
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						c, _ := r.b.Claim(nil, now)
						c.Worker.AddTraffic(200, 1000)
						c.Done()
					}
				})
			})
		}
	}
}

// BenchmarkEdit is an edit of one member of many, kept on the disk and for the process that takes over.
func BenchmarkEdit(b *testing.B) {
	for _, n := range []int{300, 3000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			f := newFarm(file.New(b.TempDir()))
			f.UseMemory(shared.New(func(shared.Kind, *os.File) error { return nil }), balancer.Predecessor{})
			s := specOf(b, "", make([]string, n)...)
			s.Persist = true
			load(b, f, s)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				c := balancer.Change{VHost: "pmain", Balancer: "c", Worker: "http://b7", Form: []balancer.Value{{Name: "w_lf", Text: fmt.Sprint(1 + i%3)}}}
				if err := f.Apply(b.Context(), c); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkCountParallel is what requests under way count on members of their own, without the lock: as
// fast on all processors as on one, for no two members share a cache line.
func BenchmarkCountParallel(b *testing.B) {
	r := newRig(b, "", make([]string, 64)...)
	var next atomic.Int64
	b.RunParallel(func(pb *testing.PB) {
		w := r.b.Members()[next.Add(1)%64]
		for pb.Next() {
			w.AddTraffic(200, 1000)
			if !w.Usable() {
				b.Error("unusable")
			}
		}
	})
}
