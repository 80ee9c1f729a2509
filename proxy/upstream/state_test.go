package upstream

import (
	"slices"
	"testing"

	"balancerd/balancer"
	"balancerd/balancer/method"
	"balancerd/proxy/exchange"
)

// What the log shows of a tunnel's URL is what it was before the exchange became one.
func TestTunnelsKeepTheirURL(t *testing.T) {
	a, err := balancer.ParseAddress("http://m/a%20b", "/", false)
	if err != nil {
		t.Fatal(err)
	}
	farm := balancer.NewFarm(method.Builtin(nil), nil)
	plan, err := farm.Plan(t.Context(), slices.Values([]balancer.Spec{{
		VHost: "v", Name: "balancer://c", Settings: balancer.NewBalancerSettings(), Env: balancer.Env{Methods: []string{"byrequests"}},
		Members: []balancer.WorkerSpec{{Address: a, Settings: balancer.NewWorkerSettings()}},
	}}), nil)
	if err != nil {
		t.Fatal(err)
	}
	farm.Commit(plan)
	for _, flags := range []Flags{0, MapEncoded} {
		x := &exchange.Exchange{Filename: "proxy:balancer://c/x", Server: &exchange.Server{}}
		p := stateOf(x)
		p.route, p.mapped, p.resolved = &route{Line: &Line{Flags: flags}}, x.Filename, x.Filename
		p.scheme, p.target, p.balancer = "balancer", "/x", plan.Balancer("v", "c")
		p.worker = plan.All()[0]
		before := p.MappedURL()
		p.BecomesTunnel(x)
		if after := p.MappedURL(); after != before || before == "" {
			t.Errorf("%d: %q before, %q after", flags, before, after)
		}
	}
}
