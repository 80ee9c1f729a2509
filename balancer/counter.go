package balancer

import "sync/atomic"

// counter counts requests under way. A reset starts a new term: requests of an earlier term are no
// longer counted, neither now nor when they end. Its two halves are the term and the number.
type counter struct{ v atomic.Uint64 }

const termShift = 32

// add counts one more and returns the term that its end must name.
func (c *counter) add() (term uint32) { return uint32(c.v.Add(1) >> termShift) }

// done counts one less, unless term is over.
func (c *counter) done(term uint32) {
	for {
		v := c.v.Load()
		if uint32(v>>termShift) != term || uint32(v) == 0 {
			return
		}
		if c.v.CompareAndSwap(v, v-1) {
			return
		}
	}
}

// reset makes it 0 and starts a new term.
func (c *counter) reset() {
	for {
		v := c.v.Load()
		if c.v.CompareAndSwap(v, (v>>termShift+1)<<termShift) {
			return
		}
	}
}

func (c *counter) value() int64 { return int64(uint32(c.v.Load())) }
