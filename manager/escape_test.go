package manager_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"balancerd/balancer"
	"balancerd/manager"
)

// hostile is what names, routes and URLs may hold, and what each place of the pages escapes in its own way.
var hostile = []string{"a", "Z9", "-._~", "'", `"`, "<", ">", "&", "&amp;", "+", "(x)", ";", "=", "%", "%41", "%zz", "$1", "!", "*", "@", ",", "[", "]",
	"<script>", "</style>", "javascript:", "ä", "\xff", "\ufdd0", "\uffff", "\x7f", "`", "\\", "{{.}}", "--", "x y", "#", "^", "|"}

// hostileText is up to n pieces of them, at most 60 bytes.
func hostileText(r *rand.Rand, n int) string {
	var b strings.Builder
	for range r.IntN(n + 1) {
		if p := hostile[r.IntN(len(hostile))]; b.Len()+len(p) < 60 {
			b.WriteString(p)
		}
	}
	return b.String()
}

// hostileFarm is balancers of random members, in random conditions.
func hostileFarm(t *testing.T, r *rand.Rand) *balancer.Farm {
	e := env
	e.HCheck = r.IntN(2) == 0
	e.Exprs = append(e.Exprs[:1:1], balancer.Expr{Name: "x" + hostileText(r, 3), Text: hostileText(r, 6)})
	var specs []balancer.Spec
	for i := range 1 + r.IntN(4) {
		s := balancer.Spec{VHost: vhost, Name: fmt.Sprintf("%sb%d%s", balancer.Prefix, i, strings.ReplaceAll(hostileText(r, 3), "/", "")), Settings: balancer.NewBalancerSettings(),
			Added: balancer.NewWorkerSettings(), Path: "/" + hostileText(r, 4), Env: e, Runtime: "/run"}
		s.Settings.Nonce = balancer.Some(fmt.Sprintf("n%d", i) + hostileText(r, 2))
		s.Settings.Method = balancer.Some(e.Methods[r.IntN(len(e.Methods))])
		s.Settings.Growth.V = r.IntN(3)
		if r.IntN(2) == 0 {
			s.Settings.Sticky = balancer.Sticky{Cookie: "c" + hostileText(r, 3), Path: "p" + hostileText(r, 3)}
			s.Settings.ScolonDelim = balancer.Some(r.IntN(2) == 0)
		}
		s.Settings.NoFailover.V = r.IntN(2) == 0
		s.Settings.Timeout = time.Duration(r.IntN(3)) * time.Second
		for j := range r.IntN(5) {
			s.Members = append(s.Members, hostileMember(t, r, fmt.Sprintf("h%d-%d", i, j), e))
		}
		specs = append(specs, s)
	}
	return farmOf(t, specs...)
}

func hostileMember(t *testing.T, r *rand.Rand, host string, e balancer.Env) balancer.WorkerSpec {
	scheme := []string{"http", "https", "ajp", "h2c"}[r.IntN(4)]
	line := scheme + "://" + host + []string{"", ":81", ":80"}[r.IntN(3)] + "/" + strings.Map(func(c rune) rune {
		if c == ' ' || c == 0x7f {
			return '_'
		}
		return c
	}, hostileText(r, 3))
	if r.IntN(5) == 0 {
		line = "unix:/run/a&'" + host + "|" + line
	}
	a, err := balancer.ParseAddress(line, "/run", false)
	if err != nil {
		t.Fatal(line, err)
	}
	s := balancer.NewWorkerSettings()
	s.Route, s.Redirect = hostileText(r, 3), hostileText(r, 2)
	s.LoadFactor, s.LBSet, s.Status = 100+r.IntN(9900), r.IntN(3), balancer.Status(r.IntN(0x1000))&^balancer.Free
	if r.IntN(2) == 0 {
		s.Retry, s.Timeout, s.Acquire = balancer.Some(time.Duration(r.IntN(90))*time.Second), balancer.Some(7*time.Second), balancer.Some(250*time.Millisecond)
		s.KeepAlive, s.DisableReuse, s.ConnectTimeout = balancer.Some(r.IntN(2) == 0), balancer.Some(r.IntN(2) == 0), balancer.Some(1500*time.Millisecond)
		s.Ping, s.FlushPackets, s.FlushWait, s.TTL = balancer.Some(3*time.Second), balancer.Flush(r.IntN(3)), 20*time.Millisecond, 60*time.Second
		s.IOBufferSize, s.ReceiveBufferSize, s.Upgrade, s.Min, s.SMax, s.Max = balancer.Some(4096), balancer.Some(1024), hostileText(r, 1), 1, 2, 3
	}
	if e.HCheck {
		s.Health.Method, s.Health.URI, s.Health.Expr = balancer.CheckGet, hostileText(r, 3), e.Exprs[r.IntN(2)].Name
		s.Health.Passes, s.Health.Interval = 1+r.IntN(3), time.Duration(r.IntN(90))*time.Second
	}
	return balancer.WorkerSpec{Address: a, Settings: s}
}

// hostilePages is all pages of a random farm, with what the server knows of the requests random as well.
func hostilePages(t *testing.T, r *rand.Rand) string {
	f := hostileFarm(t, r)
	s := serve(t, f)
	s.facts = manager.Facts{VHost: vhost, ServerName: "s" + hostileText(r, 3), Base: "https://" + host + strings.ReplaceAll(hostileText(r, 2), "\xff", ""), Persisted: r.IntN(2) == 0,
		Inherited: r.IntN(2) == 0, PassInherited: r.IntN(2) == 0, Threads: 25, Signature: "<hr />\n<address>it's signed</address>\n", Log: s.log}
	all := f.Balancers(vhost)
	for _, b := range all {
		for _, w := range b.Members() {
			w.AddTraffic(int64(1)<<r.IntN(60), r.Int64N(5000))
			if r.IntN(3) == 0 {
				w.Fail(failed)
			}
		}
	}
	trusted := "Referer: http://" + s.facts.ServerName + "/"
	asks := []string{base, base + "?xml=1", base + "?json=1", base + "/a'(b)+&c/" + strings.TrimPrefix(all[0].Name(), balancer.Prefix)[:2], "//evil/'x'"}
	for _, b := range all {
		q := "?b=" + percent(strings.TrimPrefix(b.Name(), balancer.Prefix))
		asks = append(asks, base+q)
		for _, w := range b.Members()[:min(2, len(b.Members()))] {
			asks = append(asks, base+q+"&w="+percent(w.URL()))
		}
	}
	style := read(t, "../../manager/style.css") // the same on all of them
	var out strings.Builder
	for _, target := range asks {
		fmt.Fprintf(&out, "==== %s\n%s\n", target, strings.Replace(s.get(target, trusted), style, "(style.css)", 1))
	}
	return out.String()
}

// percent is every byte of text as %XX.
func percent(text string) string {
	var b strings.Builder
	for i := range len(text) {
		fmt.Fprintf(&b, "%%%02X", text[i])
	}
	return b.String()
}

// TestHostileNames: pages of random balancers, whose names hold what a browser could take for markup, are byte
// for byte what html/template made of them (testdata/manager/hostile.txt), which escapes by context.
func TestHostileNames(t *testing.T) {
	r := rand.New(rand.NewPCG(12, 10))
	var all strings.Builder
	for range 6 {
		all.WriteString(hostilePages(t, r))
	}
	if *update {
		if err := os.WriteFile(filepath.Join(testdata, "hostile.txt"), []byte(all.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := all.String(), read(t, "hostile.txt"); got != want {
		t.Error(firstDifference(got, want))
	}
}
