package ticker

import (
	"sync"
	"time"
)

// Ticker tells its owner that an interval is over, again and again, until it is closed.
type Ticker struct{ source }

// source is where ticks come from.
type source interface {
	// Wait returns at the next tick, or because of Nudge; false: it is closed. One goroutine may wait at a time.
	// Ticks that nobody has waited for are one.
	Wait() bool
	// Nudge has Wait return at once, now or when it is called next. It must not be called after Close.
	Nudge()
	// Close ends Wait. It may be called more than once.
	Close()
}

// New makes a Ticker. Its first tick is one interval away at most.
func New(every time.Duration) *Ticker {
	if k := fromKernel(every); k != nil {
		return &Ticker{k}
	}
	return &Ticker{fromRuntime(every)}
}

// plain is a time.Ticker as a source.
type plain struct {
	ticks  *time.Ticker
	nudged chan struct{}
	closed chan struct{}
	close  func()
}

func fromRuntime(every time.Duration) *plain {
	p := &plain{ticks: time.NewTicker(every), nudged: make(chan struct{}, 1), closed: make(chan struct{})}
	p.close = sync.OnceFunc(func() {
		p.ticks.Stop()
		close(p.closed)
	})
	return p
}

func (p *plain) Wait() bool {
	select {
	case <-p.ticks.C:
		return true
	case <-p.nudged:
		return true
	case <-p.closed:
		return false
	}
}

func (p *plain) Nudge() {
	select {
	case p.nudged <- struct{}{}:
	default:
	}
}

func (p *plain) Close() { p.close() }
