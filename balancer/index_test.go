package balancer_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"balancerd/balancer"
)

// life is a random balancer's, told line by line: what was done to it, and what came of that.
type life struct {
	t      *testing.T
	random *rand.Rand
	farm   *balancer.Farm
	spec   balancer.Spec
	now    time.Time
	member int              // to which something happened last
	claims []balancer.Claim // under way
	rarity int              // one of so many requests has a session
	lines  []string
}

var begin = time.Now()

func newLife(t *testing.T, seed uint64) *life {
	l := &life{t: t, random: rand.New(rand.NewPCG(seed, 1)), now: begin, farm: newFarm(nil)}
	l.spec = specOf(t, "growth=100 nonce=n stickysession=S lbmethod="+l.any("byrequests", "bytraffic", "bybusyness"))
	l.spec.Settings.NoFailover.V = l.random.IntN(4) == 0
	l.spec.Settings.ForceRecovery.V = l.random.IntN(4) > 0
	l.spec.Settings.FailOnStatus = []int{500}
	l.rarity = 1 + l.random.IntN(5)
	l.reload()
	return l
}

func (l *life) any(list ...string) string { return list[l.random.IntN(len(list))] }

// members is n random members; mostly of few factors and conditions, as farms are.
func (l *life) members(n int) {
	l.spec.Members = nil
	plain := l.random.IntN(3) > 0
	factors := []string{"1", "2", "5", "1.5"}[:1+l.random.IntN(4)]
	for i := range n {
		params := fmt.Sprintf("route=r%d retry=%d loadfactor=%s", l.random.IntN(n), l.random.IntN(3), l.any(factors...))
		if l.random.IntN(20) == 0 {
			params += fmt.Sprintf(" loadfactor=%d redirect=r%d", 1+l.random.IntN(100), l.random.IntN(n))
		}
		if !plain {
			params += fmt.Sprintf(" lbset=%d status=%s", l.random.IntN(1+l.random.IntN(3)), l.any("-D", "-D", "-D", "-D", "+D", "+S", "+H", "+R", "+N", "+E", "+I", "+C", "+RH", "+NR", "+IE"))
		}
		l.spec.Members = append(l.spec.Members, memberOf(l.t, fmt.Sprintf("http://b%d", i), params))
	}
	if l.random.IntN(20) == 0 {
		l.spec.Members = append(l.spec.Members, l.spec.Members[0]) // a line that stands twice
	}
}

func (l *life) balancer() *balancer.Balancer { return l.farm.Balancer("pmain", "c") }

func (l *life) tell(what ...any) { l.lines = append(l.lines, fmt.Sprintln(what...)) }

// claim is a request that is picked for, by a session or without one.
func (l *life) claim() {
	var c balancer.Client
	if l.random.IntN(l.rarity) == 0 {
		c = &client{query: fmt.Sprintf("S=x.r%d", l.random.IntN(1+l.random.IntN(200)))}
	}
	claim, err := l.balancer().Claim(c, l.now)
	if err != nil {
		l.tell("claim", err)
		return
	}
	l.claims = append(l.claims, claim)
	l.tell("claim", label(claim.Worker), claim.RouteChanged, claim.Sticky, claim.Forced)
}

// moves has a request under way move bytes, end, or both.
func (l *life) moves() {
	n := len(l.claims)
	if n == 0 {
		return
	}
	at := l.random.IntN(n)
	l.claims[at].Worker.AddTraffic(l.random.Int64N(2000)*l.random.Int64N(2), l.random.Int64N(9000)*l.random.Int64N(2))
	if l.random.IntN(2) == 0 {
		l.claims[at].Done()
		l.claims = append(l.claims[:at], l.claims[at+1:]...)
	}
}

// happens has something happen to a member, often one to which something just happened, or one of the first.
func (l *life) happens() {
	switch l.random.IntN(4) {
	case 0:
		l.member = l.random.IntN(1 << 30)
	case 1:
		l.member = l.random.IntN(2)
	}
	w := l.balancer().Members()[l.member%len(l.balancer().Members())]
	switch l.random.IntN(6) {
	case 0:
		l.tell("fail", label(w), w.Fail(l.now))
	case 1:
		w.Connected()
		l.tell("connected", label(w))
	case 2:
		l.tell("check failed", label(w), w.HealthResult(false, l.now))
	case 3:
		l.tell("check passed", label(w), w.HealthResult(true, l.now))
	case 4:
		l.tell("status", label(w), l.balancer().FailedStatus(w, 500, l.now))
	case 5:
		l.tell("retry", label(w), w.Retry(l.now))
	}
}

// edit is an edit of the manager, of a member or the balancer.
func (l *life) edit() {
	at := l.random.IntN(len(l.balancer().Members()))
	field, text := l.any("w_lf", "w_ls", "w_wr", "w_rr", "w_status_D", "w_status_H", "w_status_N", "w_status_R", "w_status_I", "b_lbm", "b_nwrkr"), fmt.Sprint(l.random.IntN(3))
	c := balancer.Change{VHost: "pmain", Balancer: "c", Worker: l.balancer().Members()[at].URL()}
	switch field {
	case "w_wr", "w_rr":
		text = "r" + text
	case "b_lbm":
		text, c.Worker = l.any("byrequests", "bytraffic", "bybusyness"), ""
	case "b_nwrkr":
		c.Add = fmt.Sprintf("http://added%d", len(l.lines))
	}
	c.Form = []balancer.Value{{Name: field, Text: text}}
	l.tell("edit", c, l.farm.Apply(context.Background(), c))
}

// reload is a reload, mostly of the same.
func (l *life) reload() {
	if l.spec.Members == nil || l.random.IntN(2) == 0 {
		l.members(50 + l.random.IntN(150))
	}
	load(l.t, l.farm, l.spec)
	l.tell("reload", len(l.spec.Members))
}

// figures are what pages show of all members.
func (l *life) figures() {
	var list []balancer.Snapshot
	for _, s := range l.balancer().Snapshots() {
		s.Settings = nil
		list = append(list, s)
	}
	l.tell("figures", list)
}

// live goes through a life.
func (l *life) live() []string {
	rare := 12 + l.random.IntN(150)
	for range 1500 {
		l.now = l.now.Add(time.Duration(l.random.IntN(40)) * time.Millisecond)
		switch n := l.random.IntN(rare); {
		case n < 2:
			l.happens()
		case n == 2:
			l.edit()
		case n == 3 && l.random.IntN(8) == 0:
			l.reload()
		case n == 4:
			l.figures()
		case n%3 == 0:
			l.moves()
		default:
			l.claim()
		}
	}
	l.figures()
	return l.lines
}

// TestIndexPicksAsAWalkDoes: whatever happens to members, loads and sessions, balancers of many members pick, refuse
// and show what a plain walk over all members does.
func TestIndexPicksAsAWalkDoes(t *testing.T) {
	for seed := range uint64(60) {
		got := newLife(t, seed).live()
		var want []string
		balancer.Walking(func() { want = newLife(t, seed).live() })
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("seed %d, after %q:\n%s, by a walk\n%s", seed, want[max(0, i-10):i], got[i], want[i])
			}
		}
	}
}

// TestRouteLostAmongMany: a session whose member is lost.
func TestRouteLostAmongMany(t *testing.T) {
	members := make([]string, 200)
	for i := range members {
		members[i] = fmt.Sprintf("route=r%d", i)
	}
	r := newRig(t, "stickysession=S nofailover=On", members...)
	r.b.Members()[7].Fail(r.now)
	_, err := r.b.Claim(&client{query: "S=x.r7"}, r.now)
	if !errors.Is(err, balancer.ErrRouteLost) {
		t.Error(err)
	}
	expect(t, "another", r.picks(1, &client{query: "S=x.r8"}), "b9")
}
