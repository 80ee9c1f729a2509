package method

import "balancerd/balancer"

// ByRequests gives each member its share of the requests: all candidates earn their factor, the one
// that is owed most serves and pays for all (httpd: mod_lbmethod_byrequests.c).
func ByRequests() balancer.Method {
	return balancer.Method{Name: "byrequests", Best: mostOwed, Before: owedMore, Earns: true, Reset: resetLoad}
}

func owedMore(a, b balancer.Standing) bool { return a.Load > b.Load }

func mostOwed(p *balancer.Pick) *balancer.Worker {
	var best *balancer.Worker
	var total int64
	for _, w := range p.Candidates {
		w.AddLoad(w.Factor())
		total += w.Factor()
		if best == nil || w.Load() > best.Load() {
			best = w
		}
	}
	best.AddLoad(-total)
	return best
}

func resetLoad(members []*balancer.Worker) {
	for _, w := range members {
		w.ResetLoad()
	}
}
