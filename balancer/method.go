package balancer

import "time"

// Method is a policy, httpd's lbmethod: which of the candidates serves. Who is a candidate is settled
// before. Best and Reset are called under the lock of the members: they may use the methods of Worker
// that say "For use by a Method only", and must not wait.
type Method struct {
	Name string // of lbmethod=, at most 15 bytes

	// Best is the candidate that serves; nil refuses all of them.
	Best func(p *Pick) *Worker

	// Before, if any, says what Best does in another way, for balancers of many members: the candidate whose
	// standing comes before all others serves, the earlier of equals. When the loads of two candidates of
	// one factor change by the same amount, their order stays. Best must pick the same.
	Before  func(a, b Standing) bool
	Earns   bool // Best first adds to each candidate's load its factor, and then takes the sum of them from the one that serves
	Watches bool // Before looks at Busy, Sent or Read, which change between picks

	// Reset makes the members' figures equal when one of them was enabled or the method changed;
	// nil: nothing.
	Reset func(members []*Worker)

	// Whole makes all usable members candidates, whatever their set, spare or standby or draining.
	Whole bool

	// Data, if any, is called before each pick, outside the lock, for what Best must know of the
	// world. An error leaves no candidate.
	Data func(now time.Time) (any, error)

	// Reads reports whether Data reads a file, which may take its time; nil: it does not.
	Reads func() bool
}

// Pick is what a Method chooses by. It is valid until Best returns.
type Pick struct {
	// Candidates holds at least one, in the order of httpd's comparisons: members, spares that take a
	// place, or else standbys; the earlier wins a tie.
	Candidates []*Worker
	Key        string // the route of the request's session, whose member can't be used; "" for none
	Client     Client // the request; nil when nothing is known of it
	Data       any    // what Method.Data brought; nil without it
}

// Standing is what Method.Before compares of a candidate: see Worker's methods of these names.
type Standing struct {
	Factor, Load, Busy int64
	Sent, Read         int64 // see Traffic
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
