package method

import "balancerd/balancer"

// ByBusyness picks the member with the fewest requests under way; among equals the one that is owed
// most, as ByRequests counts it (httpd: mod_lbmethod_bybusyness.c).
func ByBusyness() balancer.Method {
	return balancer.Method{Name: "bybusyness", Best: leastBusy, Before: lessBusy, Earns: true, Watches: true, Reset: resetBusy}
}

func lessBusy(a, b balancer.Standing) bool {
	return a.Busy < b.Busy || a.Busy == b.Busy && a.Load > b.Load
}

func leastBusy(p *balancer.Pick) *balancer.Worker {
	var best *balancer.Worker
	var total, least int64
	for _, w := range p.Candidates {
		w.AddLoad(w.Factor())
		total += w.Factor()
		busy := w.Busy()
		if best == nil || busy < least || busy == least && w.Load() > best.Load() {
			best, least = w, busy
		}
	}
	best.AddLoad(-total)
	return best
}

func resetBusy(members []*balancer.Worker) {
	for _, w := range members {
		w.ResetLoad()
		w.ResetBusy()
	}
}
