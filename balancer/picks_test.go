package balancer_test

import (
	"strings"
	"testing"
	"time"

	"balancerd/balancer"
)

// repeat is n times the same picks.
func repeat(n int, picks string) string {
	return strings.TrimSuffix(strings.Repeat(picks+" ", n), " ")
}

// TestSequences is what httpd 2.4.71 picked and what its manager showed afterwards.
func TestSequences(t *testing.T) {
	for _, c := range []struct {
		name, params string
		members      []string
		picks, loads string
	}{
		{"lf 1,1", "", []string{"", ""}, repeat(12, "b1 b2"), "0,0"},
		{"lf 1,1,1", "", []string{"", "", ""}, repeat(8, "b1 b2 b3"), "0,0,0"},
		{"lf 1,2,3", "", []string{"loadfactor=1", "loadfactor=2", "loadfactor=3"}, repeat(4, "b3 b2 b1 b3 b2 b3"), "0,0,0"},
		{"lf 10,10,5", "", []string{"loadfactor=10", "loadfactor=10", "loadfactor=5"},
			"b1 b2 b3 b1 b2 b1 b2 b3 b1 b2 b1 b2 b3 b1 b2 b1 b2 b3 b1 b2 b1 b2 b3 b1", "-1000,1500,-500"},
		{"lf 1.5,1,1", "", []string{"loadfactor=1.5", "", ""},
			"b1 b2 b3 b1 b2 b3 b1 b1 b2 b3 b1 b2 b3 b1 b1 b2 b3 b1 b2 b3 b1 b1 b2 b3", "100,-50,-50"},
		{"lbset 0,0,1", "", []string{"", "", "lbset=1"}, repeat(12, "b1 b2"), "0,0,0"},
		{"lbset 1,0,0", "", []string{"lbset=1", "", ""}, repeat(12, "b2 b3"), "0,0,0"},
		{"+D +S sets", "", []string{"status=+D", "status=+S", "lbset=1", "lbset=2"}, repeat(24, "b3"), "0,0,0,0"},
		{"standby unused", "", []string{"", "status=+H", ""}, repeat(12, "b1 b3"), "0,0,0"},
		{"standby used", "", []string{"status=+D", "status=+H", "status=+D"}, repeat(24, "b2"), "0,0,0"},
		{"spare unused", "", []string{"", "status=+R", ""}, repeat(12, "b1 b3"), "0,0,0"},
		{"spare used", "", []string{"status=+D", "status=+R", ""}, repeat(12, "b3 b2"), "0,0,0"},
		{"one spare for one", "", []string{"status=+D", "status=+R loadfactor=5", "", "status=+R"}, repeat(4, "b2 b2 b3 b2 b2 b2"), "0,0,0,0"},
		{"drained", "", []string{"", "status=+N", ""}, repeat(12, "b1 b3"), "0,0,0"},
		{"drained frees a spare", "", []string{"", "status=+N", "status=+R"}, repeat(12, "b1 b3"), "0,0,0"},
		{"ignoring errors", "", []string{"", "status=+I", ""}, repeat(8, "b1 b2 b3"), "0,0,0"},
		{"standby of set 0 before set 1", "", []string{"status=+D", "status=+H", "lbset=1"}, repeat(4, "b2"), "0,0,0"},
		{"spare before standby", "", []string{"status=+D", "status=+R", "status=+H"}, repeat(9, "b2"), "0,0,0"},
		{"spare wins over standby in one", "", []string{"status=+D", "status=+RH", "status=+H"}, repeat(9, "b2"), "0,0,0"},
		{"check failed", "", []string{"status=+C", "", ""}, "b2 b3 b2 b3 b2 b3 b2 b3 b2", "0,-100,100"},
		{"error of time 0 is retried", "", []string{"status=+E retry=600", "", ""}, repeat(3, "b1 b2 b3"), "0,0,0"},
		{"shut down", "", []string{"status=+H-H", "status=+U", ""}, "b1 b3 b1 b3 b1 b3 b1 b3 b1", "-100,0,100"},
		{"all disabled", "", []string{"status=+D", "status=+D"}, repeat(3, "503"), "0,0"},
		{"all drained", "", []string{"status=+N", "status=+N"}, repeat(3, "503"), "0,0"},
		{"standby of a later set", "", []string{"status=+D", "lbset=1 status=+H", "lbset=2"}, repeat(3, "b2"), "0,0,0"},
		{"nobody", "", nil, "503 503", ""},
		{"bybusyness idle", "lbmethod=bybusyness", []string{"", "", ""}, repeat(8, "b1 b2 b3"), "0,0,0"},
		{"bybusyness idle, weighted", "lbmethod=bybusyness", []string{"loadfactor=1", "loadfactor=2", "loadfactor=3"}, repeat(4, "b3 b2 b1 b3 b2 b3"), "0,0,0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, c.params, c.members...)
			expect(t, "picks", r.picks(len(strings.Fields(c.picks)), nil), c.picks)
			expect(t, "loads", r.column(load1), c.loads)
		})
	}
}

// TestFailAndRecover is one member that dies and returns (retry=3), with the loads after each phase.
func TestFailAndRecover(t *testing.T) {
	r := newRig(t, "", "retry=3", "retry=3", "retry=3")
	phase := func(n int, want, loads string, dead ...string) {
		t.Helper()
		expect(t, "picks", r.picks(n, nil, dead...), want)
		if loads != "" {
			expect(t, "loads", r.column(load1), loads)
		}
	}
	phase(4, "b1 b2 b3 b1", "")
	phase(8, "b3 b3 b1 b3 b1 b3 b1 b3", "100,-100,0", "b2")
	expect(t, "elected", r.column(elected), "5,2,6")
	expect(t, "status", r.column(status), "Init Ok,Init Err,Init Ok")
	phase(3, "b1 b3 b1", "0,-100,100")
	r.now = r.now.Add(3300 * time.Millisecond)
	phase(9, "b3 b1 b2 b3 b1 b2 b3 b1 b2", "0,-100,100")
}

// TestSetFallback is a set whose members die: the next set serves until they return.
func TestSetFallback(t *testing.T) {
	r := newRig(t, "", "retry=2", "retry=60", "lbset=1", "lbset=1 status=+H")
	r.picks(1, nil, "b2") // b2 is dead from the start
	expect(t, "both up", r.picks(4, nil, "b2"), "b1 b1 b1 b1")
	expect(t, "b1 down", r.picks(4, nil, "b1", "b2"), "b3 b3 b3 b3")
	r.now = r.now.Add(2100 * time.Millisecond)
	expect(t, "b1 back", r.picks(6, nil, "b2"), "b1 b1 b1 b1 b1 b1")
}

// traffic is a sequence of picks, each with the bytes it moves.
func (r *rig) traffic(moves [][2]int64) string {
	var list []string
	for _, m := range moves {
		c, err := r.b.Claim(nil, r.now)
		if err != nil {
			r.Fatal(err)
		}
		c.Worker.AddTraffic(m[0], m[1])
		c.Done()
		list = append(list, label(c.Worker))
	}
	return strings.Join(list, " ")
}

// TestByTraffic is httpd's picks by answers of different sizes: 193 bytes go out with each request,
// the status line of 15 comes on top of the body.
func TestByTraffic(t *testing.T) {
	var moves [][2]int64
	for i, size := range []int64{100, 5000, 100, 100, 20000, 100, 1000, 100, 100, 3000, 100, 100, 100, 50000, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100} {
		head := int64(192)
		if i > 9 {
			head = 193
		}
		moves = append(moves, [2]int64{head, size + 15})
	}
	r := newRig(t, "lbmethod=bytraffic", "", "", "")
	expect(t, "sizes", r.traffic(moves), "b1 b2 b3 b1 b3 b1 b1 b1 b1 b1 b2 b2 b2 b1 b2 b2 b2 b2 b2 b2 b2 b2 b2 b2")
	expect(t, "read", r.column(func(s balancer.Snapshot) any { return s.Read }), "54620,6510,20130")
	expect(t, "loads", r.column(load1), "0,0,0")

	r = newRig(t, "lbmethod=bytraffic", "", "", "loadfactor=2")
	same := make([][2]int64, 24)
	for i := range same {
		same[i] = [2]int64{193, 1015}
	}
	expect(t, "lf 1,1,2", r.traffic(same), repeat(6, "b1 b2 b3 b3"))

	r = newRig(t, "lbmethod=bytraffic", "", "")
	posts := [][2]int64{{193 + 10, 115}, {193 + 9000, 115}}
	for range 22 {
		posts = append(posts, [2]int64{193 + 10, 115})
	}
	expect(t, "posts", r.traffic(posts), "b1 b2 "+repeat(22, "b1"))
}

// TestByBusyness is requests that overlap.
func TestByBusyness(t *testing.T) {
	hold := func(r *rig, n int) (picks string, end func()) {
		var list []string
		var claims []balancer.Claim
		for range n {
			c, err := r.b.Claim(nil, r.now)
			if err != nil {
				t.Fatal(err)
			}
			list, claims = append(list, label(c.Worker)), append(claims, c)
		}
		return strings.Join(list, " "), func() {
			for _, c := range claims {
				c.Done()
			}
		}
	}
	r := newRig(t, "lbmethod=bybusyness", "", "", "")
	picks, end := hold(r, 6)
	expect(t, "6 slow", picks, "b1 b2 b3 b1 b2 b3")
	expect(t, "busy", r.column(busy), "2,2,2")
	end()
	expect(t, "idle again", r.column(busy), "0,0,0")

	r = newRig(t, "lbmethod=bybusyness", "loadfactor=1", "loadfactor=2", "loadfactor=3")
	picks, _ = hold(r, 12)
	expect(t, "12 slow, weighted", picks, repeat(4, "b3 b2 b1"))
	expect(t, "busy", r.column(busy), "4,4,4")
	expect(t, "loads", r.column(load1), "-1200,0,1200")

	r = newRig(t, "lbmethod=bybusyness", "", "", "")
	picks, _ = hold(r, 2)
	expect(t, "2 slow", picks, "b1 b2")
	expect(t, "22 fast", r.picks(22, nil), repeat(22, "b3"))
	expect(t, "loads", r.column(load1), "2100,2100,-4200")
}

// TestHugeSets goes from set to set without walking the empty ones.
func TestHugeSets(t *testing.T) {
	r := newRig(t, "", "lbset=99", "lbset=50 status=+D", "lbset=98 status=+D")
	expect(t, "picks", r.picks(2, nil), "b1 b1")
}
