package balancer

import "time"

// Method is a policy, httpd's lbmethod: which of the candidates serves. The functions are called
// under the lock of the members and may use Worker's Ballot methods; who is a candidate is settled
// before.
type Method struct {
	Name string // of lbmethod=, at most 15 bytes

	// Best is the candidate that serves. candidates holds at least one, in the order of httpd's
	// comparisons: members, spares that take a place, or else standbys; the earlier wins a tie. news
	// is what News brought, nil without it. nil refuses all.
	Best func(candidates []*Worker, news any) *Worker

	// Reset makes the members' figures equal when one of them was enabled or the method changed;
	// nil: nothing.
	Reset func(members []*Worker)

	// Whole makes all usable members candidates, whatever their set, spare or standby or draining.
	Whole bool

	// News, if any, is asked before each pick, outside the lock, for what Best must know of the
	// world. An error leaves no candidate.
	News func(now time.Time) (any, error)
}

// Factor is the load factor in hundredths, 100 to 10000. For use by a Method only.
func (w *Worker) Factor() int64 { return w.factor }

// Load is httpd's lbstatus: how much work is due. For use by a Method only.
func (w *Worker) Load() int64 { return w.load }

// AddLoad changes the load. For use by a Method only.
func (w *Worker) AddLoad(n int64) { w.load += n }

// Traffic is the bytes sent and read.
func (w *Worker) Traffic() (sent, read int64) { return w.sent.Load(), w.read.Load() }

// ResetLoad makes the load 0. For use by a Method only.
func (w *Worker) ResetLoad() { w.load = 0 }

// ResetBusy forgets the requests under way: they no longer count. For use by a Method only.
func (w *Worker) ResetBusy() { w.busy.reset() }

// ResetTraffic makes the bytes sent and read 0. For use by a Method only.
func (w *Worker) ResetTraffic() {
	w.sent.Store(0)
	w.read.Store(0)
}
