package tunnel

import (
	"errors"
	"os"
	"sync/atomic"
)

// Ending is how a tunnel ended: what happened first.
type Ending struct {
	How    How
	Member bool  // it happened to what the member sent; false: to what the client sent
	Err    error // of ReadFailed and WriteFailed
	// Waits are what was waited for when nothing moved any more, of the client and of the member.
	Waits [2]Wait
}

// How is what ended a tunnel.
type How uint8

// The ways.
const (
	BothEnded   How = iota // one after the other
	OneEnded               // and that was to end both
	Silent                 // nothing moved for as long as it may
	ReadFailed             // a side's bytes could not be read
	WriteFailed            // nor could they be written to the other side
	CutOff                 // somebody else ended it
)

// Wait is what is waited for on one side.
type Wait uint8

// The waits.
const (
	ToRead Wait = 1 << iota
	ToWrite
)

// ends notes how a direction has ended, if none has before.
func (r *relay) ends(err error) {
	e := &Ending{Member: r.fromMember}
	switch {
	case err == nil && !r.closeBoth:
		return
	case err == nil:
		e.How = OneEnded
	case r.stopping.Load():
		e.How = CutOff
	case errors.Is(err, os.ErrDeadlineExceeded), err == errTooLong:
		e.How, e.Waits = Silent, r.waits()
	case r.writing.Load():
		e.How, e.Err = WriteFailed, err
	default:
		e.How, e.Err = ReadFailed, err
	}
	r.ended.CompareAndSwap(nil, e)
}

// direction is what the other one may see of a relay.
type direction struct {
	finished, writing atomic.Bool
}

// waits is what both directions wait for.
func (t *tunnel) waits() (w [2]Wait) {
	for i, d := range t.directions {
		switch {
		case d.finished.Load():
		case d.writing.Load():
			w[1-i] |= ToWrite
		default:
			w[i] |= ToRead
		}
	}
	return w
}

// ending is how it ended, once it has.
func (t *tunnel) ending() Ending {
	if e := t.ended.Load(); e != nil {
		return *e
	}
	return Ending{}
}
