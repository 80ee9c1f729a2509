package loop

import "sync/atomic"

// pollDesc is one direction of a socket: nobody waits (nil), nobody waits and it has become ready (&ready), a
// task waits for it, or a parked job does (&parked).
type pollDesc struct{ p atomic.Pointer[Task] }

// Marks in a pollDesc; nothing is ever written to them.
var (
	ready  Task // an event came, and nobody has looked since
	parked Task // the socket's job is to be run at the next event
)

// takeReady takes the mark of an event away, and reports whether it was there.
func (d *pollDesc) takeReady() bool { return d.p.Load() == &ready && d.p.CompareAndSwap(&ready, nil) }

// awaited reports whether a task, or a parked job, waits.
func (d *pollDesc) awaited() bool {
	t := d.p.Load()
	return t != nil && t != &ready
}

// wait has t, or &parked, wait for the next event. false: one has come, and its mark is taken.
func (d *pollDesc) wait(t *Task) bool {
	return d.p.CompareAndSwap(nil, t) || !d.p.CompareAndSwap(&ready, nil) && d.p.CompareAndSwap(nil, t)
}

// cancel ends t's wait. false: an event has ended it.
func (d *pollDesc) cancel(t *Task) bool { return d.p.CompareAndSwap(t, nil) }

// event is who waited, and does so no longer; nil: nobody, so the event is marked.
func (d *pollDesc) event() *Task {
	for {
		t := d.p.Load()
		switch t {
		case &ready:
			return nil
		case nil:
			if d.p.CompareAndSwap(nil, &ready) {
				return nil
			}
		default:
			if d.p.CompareAndSwap(t, nil) {
				return t
			}
		}
	}
}
