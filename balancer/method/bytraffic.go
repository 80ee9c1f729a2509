package method

import "balancerd/balancer"

// ByTraffic picks the member that moved fewest bytes for its factor; sent and read are divided
// apart, as httpd rounds them (httpd: mod_lbmethod_bytraffic.c).
func ByTraffic() balancer.Method {
	return balancer.Method{Name: "bytraffic", Best: leastMoved, Before: movedLess, Watches: true, Reset: resetTraffic}
}

func movedLess(a, b balancer.Standing) bool {
	return share(a.Sent, a.Factor)+share(a.Read, a.Factor) < share(b.Sent, b.Factor)+share(b.Read, b.Factor)
}

func leastMoved(p *balancer.Pick) *balancer.Worker {
	var best *balancer.Worker
	var least int64
	for _, w := range p.Candidates {
		sent, read := w.Traffic()
		moved := share(sent, w.Factor()) + share(read, w.Factor())
		if best == nil || moved < least {
			best, least = w, moved
		}
	}
	return best
}

// share is bytes by factor. Division by what most members have is a multiplication for the compiler.
func share(bytes, factor int64) int64 {
	if factor == usualFactor {
		return bytes / usualFactor
	}
	return bytes / factor
}

const usualFactor = 100 // loadfactor=1

func resetTraffic(members []*balancer.Worker) {
	for _, w := range members {
		w.ResetTraffic()
	}
}
