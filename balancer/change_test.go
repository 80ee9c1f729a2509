package balancer_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"balancerd/balancer"
)

// edit is one POST of the manager: it looks first, as its handler does, then applies "field=value"s.
func (r *rig) edit(worker string, fields ...string) error {
	r.b.Sync()
	c := balancer.Change{VHost: "pmain", Balancer: "c", Worker: worker}
	for _, f := range fields {
		k, v, _ := strings.Cut(f, "=")
		c.Form = append(c.Form, balancer.Value{Name: k, Text: v})
	}
	return r.farm.Apply(context.Background(), c)
}

// row is one member as the manager shows it, after looking.
func (r *rig) row(i int, columns ...func(balancer.Snapshot) any) string {
	r.b.Sync()
	var list []string
	for _, c := range columns {
		list = append(list, fmt.Sprint(c(r.b.Snapshots()[i])))
	}
	return strings.Join(list, " | ")
}

func factor(s balancer.Snapshot) any   { return fmt.Sprintf("%.2f", s.Settings.Factor()) }
func lbset(s balancer.Snapshot) any    { return s.Settings.LBSet }
func route(s balancer.Snapshot) any    { return s.Settings.Route }
func redirect(s balancer.Snapshot) any { return s.Settings.Redirect }

// TestWorkerForm is httpd's rows after each edit of a member.
func TestWorkerForm(t *testing.T) {
	r := newRig(t, "", "route=r1", "route=r2")
	for _, c := range []struct{ fields, row string }{
		{"w_lf=0.99", "Init Ok | 1.00 | 0 | r1 |  | 0"},
		{"w_lf=2.555", "Init Ok | 2.55 | 0 | r1 |  | 255"},
		{"w_lf=100", "Init Ok | 100.00 | 0 | r1 |  | 10000"},
		{"w_lf=100.01", "Init Ok | 100.00 | 0 | r1 |  | 10000"},
		{"w_lf=abc", "Init Ok | 100.00 | 0 | r1 |  | 10000"},
		{"w_lf=3x", "Init Ok | 3.00 | 0 | r1 |  | 300"},
		{"w_ls=7x", "Init Ok | 3.00 | 7 | r1 |  | 300"},
		{"w_ls=100", "Init Ok | 3.00 | 7 | r1 |  | 300"},
		{"w_ls=-1", "Init Ok | 3.00 | 7 | r1 |  | 300"},
		{"w_ls=abc", "Init Ok | 3.00 | 0 | r1 |  | 300"},
		{"w_wr=" + strings.Repeat("x", 63), "Init Ok | 3.00 | 0 | " + strings.Repeat("x", 63) + " |  | 300"},
		{"w_wr=" + strings.Repeat("x", 64), "Init Ok | 3.00 | 0 |  |  | 300"},
		{"w_wr=a_b<c>", "Init Ok | 3.00 | 0 | a_b<c> |  | 300"},
		{"w_wr=", "Init Ok | 3.00 | 0 |  |  | 300"},
		{"w_rr=other", "Init Ok | 3.00 | 0 |  | other | 300"},
		{"w_rr=", "Init Ok | 3.00 | 0 |  |  | 300"},
		{"w_status_I=1", "Init Ign Ok | 3.00 | 0 |  |  | 300"},
		{"w_status_N=2", "Init Ign Drn Ok | 3.00 | 0 |  |  | 300"},
		{"w_status_D=yes", "Init Ign Drn Ok | 3.00 | 0 |  |  | 300"},
		{"w_status_H=1", "Init Ign Drn Stby Ok | 3.00 | 0 |  |  | 300"},
		{"w_status_R=1", "Init Ign Drn Stby Spar Ok | 3.00 | 0 |  |  | 300"},
		{"w_status_C=1", "Init Ign Drn Stby Spar HcFl | 3.00 | 0 |  |  | 300"},
		{"w_status_S=1", "Init Ign Drn Stop Stby Spar HcFl | 3.00 | 0 |  |  | 300"},
		{"w_status_E=1", "Init Ign Drn Stop Stby Spar HcFl | 3.00 | 0 |  |  | 300"},
		{"W_STATUS_I=0", "Init Drn Stop Stby Spar HcFl | 3.00 | 0 |  |  | 300"},
		{"w_status_N=0 w_status_H=0 w_status_R=0 w_status_C=0 w_status_S=0", "Init Ok | 3.00 | 0 |  |  | 300"},
		{"w_lf=5 w_lf=4", "Init Ok | 4.00 | 0 |  |  | 400"},
		{"nosuch=1", "Init Ok | 4.00 | 0 |  |  | 400"},
		{"loadfactor=9", "Init Ok | 4.00 | 0 |  |  | 400"},
	} {
		if err := r.edit("http://b1", strings.Fields(c.fields)...); err != nil {
			t.Error(err)
		}
		expect(t, c.fields, r.row(0, status, factor, lbset, route, redirect, load1), c.row)
	}
	expect(t, "the other", r.row(1, status, factor, load1), "Init Ok | 1.00 | 100")
}

// TestHealthForm is httpd's rows after each edit of the health check.
func TestHealthForm(t *testing.T) {
	health := func(s balancer.Snapshot) any {
		h := s.Settings.Health
		return fmt.Sprint(h.Method, " ", h.Interval.Milliseconds(), " ", h.Passes, " ", h.Fails, " ", h.URI, " ", h.Expr)
	}
	spec := specOf(t, "", "", "")
	spec.Env.Exprs = []balancer.Expr{{Name: "ok"}, {Name: "other"}}
	f := newFarm(nil)
	load(t, f, spec)
	r := &rig{TB: t, farm: f, b: f.Balancer("pmain", "c")}
	for _, c := range []struct{ fields, row string }{
		{"w_hm=GET", "GET 30000 1 1  "},
		{"w_hm=nope", "GET 30000 1 1  "},
		{"w_he=ok", "GET 30000 1 1  ok"},
		{"w_he=nope", "GET 30000 1 1  "},
		{"w_hi=5000", "GET 5000 1 1  "},
		{"w_hi=99", "GET 5000 1 1  "},
		{"w_hi=7s", "GET 7000 1 1  "},
		{"w_hi=x", "GET 7000 1 1  "},
		{"w_hp=3", "GET 7000 3 1  "},
		{"w_hp=0", "GET 7000 3 1  "},
		{"w_hf=4", "GET 7000 3 4  "},
		{"w_hf=-1", "GET 7000 3 4  "},
		{"w_hu=/health", "GET 7000 3 4 /health "},
		{"w_hu=" + strings.Repeat("u", 64), "GET 7000 3 4  "},
		{"w_he=other w_hm=GET", "GET 7000 3 4  other"},
		{"w_hm=tcp", "TCP 7000 3 4  "},
		{"w_he=ok", "TCP 7000 3 4  "},
		{"w_hm=NONE", "NONE 7000 3 4  "},
	} {
		if err := r.edit("http://b1", strings.Fields(c.fields)...); err != nil {
			t.Error(err)
		}
		expect(t, c.fields, r.row(0, health), c.row)
	}
}

// TestBalancerForm is httpd's cells after each edit of a balancer.
func TestBalancerForm(t *testing.T) {
	r := newRig(t, "stickysession=S|p", "", "")
	for _, c := range []struct{ fields, cells string }{
		{"b_lbm=bytraffic", "S|p false 0s 1 bytraffic"},
		{"b_lbm=nope", "S|p false 0s 1 bytraffic"},
		{"b_lbm=ByRequests", "S|p false 0s 1 bytraffic"},
		{"b_tmo=7200", "S|p false 2h0m0s 1 bytraffic"},
		{"b_tmo=7201", "S|p false 2h0m0s 1 bytraffic"},
		{"b_tmo=-1", "S|p false 2h0m0s 1 bytraffic"},
		{"b_tmo=0", "S|p false 0s 1 bytraffic"},
		{"b_max=99", "S|p false 0s 99 bytraffic"},
		{"b_max=100", "S|p false 0s 99 bytraffic"},
		{"b_max=0", "S|p false 0s 0 bytraffic"},
		{"b_sforce=1", "S|p true 0s 0 bytraffic"},
		{"b_sforce=0", "S|p false 0s 0 bytraffic"},
		{"b_ss=A", "A false 0s 0 bytraffic"},
		{"b_ss=A|b", "A|b false 0s 0 bytraffic"},
		{"b_ss=" + strings.Repeat("x", 63), "A|b false 0s 0 bytraffic"},
		{"b_ss=", "A|b false 0s 0 bytraffic"},
		{"b_ss=-", " false 0s 0 bytraffic"},
		{"b_ss=N", "N false 0s 0 bytraffic"},
		{"b_lbm=heartbeat w_lf=7", "N false 0s 0 heartbeat"},
	} {
		if err := r.edit("", strings.Fields(c.fields)...); err != nil {
			t.Error(err)
		}
		s := r.b.Settings()
		expect(t, c.fields, fmt.Sprint(s.Sticky, " ", s.NoFailover.V, " ", s.Timeout, " ", s.MaxAttempts.V, " ", s.Method.V), c.cells)
	}
	expect(t, "w_ without a worker", r.row(0, factor), "1.00")
}

// TestResets: a new factor makes loads equal factors at once; a new method forgets them at the next
// look or pick; to enable a member forgets nothing by itself.
func TestResets(t *testing.T) {
	r := newRig(t, "", "", "")
	r.picks(5, nil)
	expect(t, "loads", r.column(load1), "-100,100")
	r.edit("http://b1", "w_lf=2")
	expect(t, "factor 2", r.column(load1), "200,100")
	expect(t, "picks", r.picks(4, nil), "b1 b1 b2 b1")
	expect(t, "loads", r.column(load1), "100,200")
	r.edit("", "b_lbm=bybusyness")
	expect(t, "on the POST's own page", r.column(load1), "100,200")
	r.b.Sync()
	expect(t, "on the next page", r.column(load1), "0,0")
	expect(t, "picks", r.picks(3, nil), "b1 b2 b1")

	r.edit("http://b1", "b_lbm=byrequests", "w_lf=4")
	expect(t, "both", r.column(load1), "400,100")
	expect(t, "the next pick resets", r.picks(1, nil)+" "+r.column(load1), "b1 -100,100")

	r.edit("http://b1", "w_status_D=1")
	r.picks(3, nil)
	before := r.column(load1)
	r.edit("http://b1", "w_status_D=0")
	r.b.Sync()
	expect(t, "enabled", r.column(load1), before)

	r = newRig(t, "", "loadfactor=3")
	r.edit("http://b1", "w_lf=5")
	expect(t, "a lone member", r.row(0, factor, load1), "1.00 | 100")
}

// TestResetOfTraffic: a new method resets what it looks at.
func TestResetOfTraffic(t *testing.T) {
	r := newRig(t, "", "", "")
	c, _ := r.b.Claim(nil, r.now)
	c.Worker.AddTraffic(5, 7)
	moved := func(s balancer.Snapshot) any { return s.Sent + s.Read }
	r.edit("", "b_lbm=bybusyness")
	r.b.Sync()
	expect(t, "busy, though one is under way", r.column(busy)+" "+r.column(moved), "0,0 12,0")
	c.Done()
	expect(t, "and when it ended", r.column(busy), "0,0")
	r.edit("", "b_lbm=bytraffic")
	r.b.Sync()
	expect(t, "traffic", r.column(moved), "0,0")
}

// TestAdd: members are added until the room is used; each begins disabled.
func TestAdd(t *testing.T) {
	r := newRig(t, "growth=2 stickysession=S", "route=r1", "route=r2")
	add := func(url string) error {
		return r.farm.Apply(context.Background(), balancer.Change{VHost: "pmain", Balancer: "balancer://C/x", Add: url})
	}
	names := func() string {
		var list []string
		for i, w := range r.b.Members() {
			list = append(list, w.Name()+" "+r.row(i, status))
		}
		most, used := r.b.MaxMembers()
		return fmt.Sprint(strings.Join(list, ", "), " ", most, "[", used, "]")
	}
	for _, c := range []struct {
		url  string
		want error
	}{{"http://b1/x", balancer.ErrDuplicate}, {"not a url", balancer.ErrBadAddress}, {"http://b3", nil}} {
		if err := add(c.url); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.url, err, c.want)
		}
	}
	expect(t, "b3", names(), "http://b1 Init Ok, http://b2 Init Ok, http://b3 Init Dis 4[3]")
	expect(t, "disabled", r.picks(4, nil), "b1 b2 b1 b2")
	r.edit("http://b3", "w_status_D=0", "w_wr=r3")
	expect(t, "enabled", r.picks(6, nil), "b1 b2 b3 b1 b2 b3")
	expect(t, "by its route", r.picks(2, cookie("S=x.r3")), "b3 b3")
	if err := add("http://b4/ctx"); err != nil {
		t.Error(err)
	}
	expect(t, "loads stay", r.column(load1), "200,200,-400,0")
	expect(t, "room", r.b.HasFreeSlot(), false)
	for _, url := range []string{"http://b5", "not a url"} {
		if err := add(url); !errors.Is(err, balancer.ErrNoFreeSlot) {
			t.Errorf("%s: %v", url, err)
		}
	}
	if w := r.b.Member("http://b3/deep"); w == nil || w.URL() != "http://b3" {
		t.Error("prefix:", w)
	}
}

// TestParams: by the parameters' own names values must be right, and all or none hold.
func TestParams(t *testing.T) {
	r := newRig(t, "", "", "")
	apply := func(worker string, params ...string) error {
		c := balancer.Change{VHost: "pmain", Balancer: "c", Worker: worker}
		for _, p := range params {
			k, v, _ := strings.Cut(p, "=")
			c.Params = append(c.Params, balancer.Value{Name: k, Text: v})
		}
		return r.farm.Apply(context.Background(), c)
	}
	if err := apply("http://b1", "loadfactor=2", "retry=5", "status=+D"); err != nil {
		t.Error(err)
	}
	expect(t, "set", r.row(0, status, factor, load1)+" "+r.column(load1), "Init Dis | 2.00 | 200 200,100")
	expect(t, "retry", r.b.Members()[0].Settings().Retry, balancer.Some(5*time.Second))
	for _, c := range []struct{ worker, params, want string }{
		{"http://b1", "lbset=4 retry=-1", "retry=-1: Retry must be a positive value"},
		{"http://b1", "lbset=4 w_lf=1", "w_lf: no such parameter"},
		{"http://nobody", "lbset=4", "no such worker"},
		{"", "timeout=4 lbmethod=nope", "lbmethod=nope: unknown lbmethod"},
	} {
		if err := apply(c.worker, strings.Fields(c.params)...); err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", c.params, err, c.want)
		}
	}
	expect(t, "nothing of it", r.row(0, lbset)+" "+r.b.Settings().Timeout.String(), "0 0s")
	if err := apply("", "timeout=4", "lbmethod=bytraffic"); err != nil {
		t.Error(err)
	}
	expect(t, "balancer", r.b.Settings().Timeout.String()+r.b.Settings().Method.V, "4sbytraffic")
}

func TestUnknownTargets(t *testing.T) {
	r := newRig(t, "", "")
	for _, c := range []balancer.Change{{VHost: "pmain", Balancer: "nope"}, {VHost: "pother", Balancer: "c"}} {
		if err := r.farm.Apply(context.Background(), c); !errors.Is(err, balancer.ErrUnknownBalancer) {
			t.Error(err)
		}
	}
	if err := r.edit("http://nobody", "w_lf=4", "b_tmo=4"); err != nil {
		t.Error(err)
	}
	expect(t, "the balancer's part holds", r.b.Settings().Timeout, 4*time.Second)
}

// TestAccepts: the nonce must be the balancer's own; with None nothing is accepted.
func TestAccepts(t *testing.T) {
	r := newRig(t, "", "")
	own := r.b.Settings().Nonce.V
	if len(own) != 36 || !r.b.Accepts(own) || r.b.Accepts("") || r.b.Accepts(own+"x") {
		t.Error(own)
	}
	r = newRig(t, "nonce=fixed", "")
	expect(t, "fixed", r.b.Accepts("fixed"), true)
	r = newRig(t, "nonce=None", "")
	expect(t, "None", r.b.Accepts("") || r.b.Accepts("None"), false)
}
