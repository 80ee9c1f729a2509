package balancer_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"balancerd/balancer"
)

func cookie(text string) client { return client{path: "/", cookies: text} }

// TestRoutes is the table of sticky sessions, as observed on httpd 2.4.71.
func TestRoutes(t *testing.T) {
	members := []string{"route=r1", "route=r2 status=+N", "route=r3 status=+H", "route=r4 status=+D redirect=r1", "route=r5 status=+D", "route=r2"}
	r := newRig(t, "stickysession=S", members...)
	for _, c := range []struct{ route, picks string }{
		{"r1", "b1 b1 b1"}, {"r2", "b2 b2 b2"}, {"r3", "b3 b3 b3"}, {"r4", "b1 b1 b1"}, {"r5", "b6 b6 b6"}, {"r6", "b6 b6 b6"}, {"r7", "b6 b6 b6"},
	} {
		expect(t, c.route, r.picks(3, cookie("S=x."+c.route)), c.picks)
	}
	expect(t, "no session", r.picks(4, nil), "b6 b6 b6 b1")
	expect(t, "status", r.column(status), "Init Ok,Init Drn Ok,Init Stby Ok,Init Dis,Init Dis,Init Ok")
	expect(t, "elected", r.column(elected), "7,3,3,0,0,12")
	expect(t, "loads", r.column(load1), "-100,0,0,0,0,100")
}

// TestClaimTells is what the BALANCER_ variables are made of.
func TestClaimTells(t *testing.T) {
	r := newRig(t, "stickysession=S|p", "route=r1", "route=r2 redirect=r3 retry=600", "route=r3", "")
	type facts struct {
		worker, name, route     string
		found, changed, byRoute bool
	}
	for _, c := range []struct {
		client client
		want   facts
	}{
		{client{}, facts{"b1", "", "", false, true, false}},
		{cookie("S=x.r1"), facts{"b1", "S", "r1", true, false, true}},
		{client{path: "/b", query: "p=x.r2"}, facts{"b2", "p", "r2", true, false, true}},
		{cookie("S=x.r9"), facts{"b3", "S", "r9", true, true, false}},
		{cookie("S=x."), facts{"b4", "S", "", true, true, false}},
		{cookie("S=x"), facts{"b2", "", "", false, true, false}},
	} {
		got, err := r.b.Claim(c.client, r.now)
		if err != nil {
			t.Fatal(err)
		}
		expect(t, c.client.cookies+c.client.query, facts{label(got.Worker), got.StickyName, got.SessionRoute, got.HasSession, got.RouteChanged, got.Sticky}, c.want)
		got.Done()
	}
	r.b.Members()[1].Fail(r.now)
	got, _ := r.b.Claim(cookie("S=x.r2"), r.now)
	expect(t, "redirected", facts{label(got.Worker), got.StickyName, got.SessionRoute, got.HasSession, got.RouteChanged, got.Sticky}, facts{"b3", "S", "r2", true, true, true})

	r = newRig(t, "", "route=r1", "route=r2")
	got, _ = r.b.Claim(cookie("S=x.r2"), r.now)
	expect(t, "not sticky", facts{label(got.Worker), got.StickyName, got.SessionRoute, got.HasSession, got.RouteChanged, got.Sticky}, facts{"b1", "", "", false, false, false})
}

// TestNoFailover: a route that exists but cannot serve is refused, one that nobody has is not.
func TestNoFailover(t *testing.T) {
	r := newRig(t, "stickysession=S nofailover=On", "route=r1", "route=r2 retry=600", "route=r3 status=+D")
	for _, c := range []struct{ route, picks string }{{"r1", "b1 b1"}, {"r2", "b2 b2"}, {"r3", "503 503"}, {"r9", "b1 b2"}} {
		expect(t, c.route, r.picks(2, cookie("S=x."+c.route)), c.picks)
	}
	expect(t, "b2 dies", r.picks(3, cookie("S=x.r2"), "b2"), "503 503 503")
	expect(t, "others", r.picks(3, nil, "b2"), "b1 b1 b1")
	_, err := r.b.Claim(cookie("S=x.r2"), r.now)
	var lost *balancer.RouteLost
	if !errors.Is(err, balancer.ErrRouteLost) || !errors.As(err, &lost) || lost.Route != "r2" {
		t.Error(err)
	}
	expect(t, "message", err.Error(), "All workers are in error state for route (r2)")
}

// TestRedirects: they are followed as far as they lead, and circles end.
func TestRedirects(t *testing.T) {
	r := newRig(t, "stickysession=S", "route=a status=+D redirect=b", "route=b status=+D redirect=c", "route=c status=+H", "")
	expect(t, "chain", r.picks(2, cookie("S=x.a")), "b3 b3")
	r = newRig(t, "stickysession=S", "route=a status=+D redirect=b", "route=b status=+D redirect=a", "")
	expect(t, "circle", r.picks(2, cookie("S=x.a")), "b3 b3")
	var many []string
	for range 400 {
		many = append(many, "route=a status=+D redirect=a")
	}
	r = newRig(t, "stickysession=S", append(many, "")...)
	expect(t, "many", r.picks(1, cookie("S=x.a")), "b401")
}

// TestRouteInError: a session's member is tried again when its time has come.
func TestRouteInError(t *testing.T) {
	r := newRig(t, "stickysession=S", "route=r1", "route=r2 retry=5")
	expect(t, "dies", r.picks(3, cookie("S=x.r2"), "b2"), "b1 b1 b1")
	r.now = r.now.Add(6 * time.Second)
	expect(t, "returns", r.picks(2, cookie("S=x.r2")), "b2 b2")
}

func TestNobody(t *testing.T) {
	for _, c := range []struct {
		members []string
		want    error
	}{
		{nil, balancer.ErrNoWorkers},
		{[]string{"status=+D"}, balancer.ErrAllInError},
		{[]string{"status=+S", "status=+C", "status=+N", "status=+U"}, balancer.ErrAllInError},
	} {
		r := newRig(t, "", c.members...)
		claim, err := r.b.Claim(nil, r.now)
		if !errors.Is(err, c.want) || claim.Worker != nil {
			t.Errorf("%v: %v", c.members, err)
		}
		claim.Done()
	}
}

// TestBusy: a request holds each member it tried until it ends.
func TestBusy(t *testing.T) {
	r := newRig(t, "", "retry=600", "")
	first, _ := r.b.Claim(nil, r.now)
	first.Worker.Fail(r.now)
	second, _ := r.b.Claim(nil, r.now)
	expect(t, "both", r.column(busy), "1,1")
	first.Done()
	second.Done()
	second.Done() // once too often: never below 0
	expect(t, "ended", r.column(busy), "0,0")
}

// TestAttempts: maxattempts counts the further members.
func TestAttempts(t *testing.T) {
	for _, c := range []struct{ params, picks, loads string }{
		{"maxattempts=0", "503 503 503 b4", "-300,-100,100,300"},
		{"maxattempts=1", "503 b4 b4 b4", "-300,-100,100,300"},
		{"maxattempts=2", "503 b4 b4 b4", "-300,-100,100,300"},
		{"", "b4 b4 b4 b4", "-300,-100,100,300"},
	} {
		r := newRig(t, c.params, "retry=600", "retry=600", "retry=600", "retry=600")
		expect(t, c.params, r.picks(4, nil, "b1", "b2", "b3"), c.picks)
		expect(t, c.params+" loads", r.column(load1), c.loads)
		expect(t, c.params+" status", r.column(status), "Init Err,Init Err,Init Err,Init Ok")
	}
	r := newRig(t, "", "status=+I", "")
	expect(t, "ignoring errors", r.picks(6, nil, "b1"), "503 b2 503 b2 503 b2")
	r = newRig(t, "", "")
	expect(t, "one member", r.b.Attempts(), 0)
	if m := r.b.Settings().MaxAttempts; m.Set {
		t.Error("one member: maxattempts is", m)
	}
}

func wait(r *rig, c balancer.Client) (string, error) {
	claim, err := r.b.Wait(context.Background(), c, time.Now(), nil)
	if err != nil {
		return "503", err
	}
	claim.Done()
	return label(claim.Worker), nil
}

// TestWait: the member returns while the request waits.
func TestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "forcerecovery=Off timeout=3", "retry=1")
		r.b.Members()[0].Fail(time.Now())
		began := time.Now()
		got, err := wait(r, nil)
		expect(t, "pick", got, "b1")
		if took := time.Since(began); took < time.Second || took > 1100*time.Millisecond || err != nil {
			t.Error(took, err)
		}
	})
}

// TestWaitInVain: nobody returns, and each of several requests waits its own time.
func TestWaitInVain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "timeout=2", "status=+D")
		for range 3 {
			go func() {
				began := time.Now()
				if got, err := wait(r, nil); got != "503" || !errors.Is(err, balancer.ErrAllInError) || time.Since(began) != 2*time.Second {
					t.Error(got, err, time.Since(began))
				}
			}()
		}
		synctest.Wait()
		expect(t, "timeout shown", r.b.Settings().Timeout, 2*time.Second)
		time.Sleep(3 * time.Second)
	})
}

// TestWaitEnds: the client goes, the route is lost, there is no timeout.
func TestWaitEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "timeout=5 stickysession=S nofailover=On", "status=+D route=r1")
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		began := time.Now()
		if _, err := r.b.Wait(ctx, nil, began, nil); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Error(err, time.Since(began))
		}
		began = time.Now()
		if _, err := r.b.Wait(context.Background(), cookie("S=x.r1"), began, nil); !errors.Is(err, balancer.ErrRouteLost) || time.Since(began) != 0 {
			t.Error(err, time.Since(began))
		}
		r = newRig(t, "", "status=+D")
		if _, err := wait(r, nil); !errors.Is(err, balancer.ErrAllInError) || time.Since(began) != 0 {
			t.Error(err, time.Since(began))
		}
	})
}

// TestWaitKeepsSession: who waited is told its route, and that it changed.
func TestWaitKeepsSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "forcerecovery=Off timeout=3 stickysession=S", "retry=1 route=r1")
		r.b.Members()[0].Fail(time.Now())
		claim, err := r.b.Wait(context.Background(), cookie("S=x.r1"), time.Now(), nil)
		if err != nil || claim.SessionRoute != "r1" || !claim.RouteChanged {
			t.Error(claim, err)
		}
		expect(t, "busy", r.column(busy), "1")
	})
}

func TestLookup(t *testing.T) {
	r := newRig(t, "", "")
	for name, want := range map[string]bool{"c": true, "C": true, "balancer://c": true, "BALANCER://C/path?q": true, "balancer://cc": false, "": false, "balancer://": false, "d": false} {
		expect(t, name, r.farm.Balancer("pmain", name) != nil, want)
	}
	if n := testing.AllocsPerRun(100, func() { r.farm.Balancer("pmain", "balancer://C/path") }); n != 0 {
		t.Error("allocations:", n)
	}
}
