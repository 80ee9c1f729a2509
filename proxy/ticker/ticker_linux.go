package ticker

import (
	"time"

	"balancerd/proxy/internal/sys"
)

// kernel is a timer of the kernel's as a source.
type kernel struct {
	timer *sys.Timer
	every time.Duration
}

// fromKernel is nil where no descriptor is left for the timer.
func fromKernel(every time.Duration) source {
	timer, err := sys.NewTimer()
	if err != nil {
		return nil
	}
	timer.Repeat(every, every)
	return &kernel{timer, every}
}

func (k *kernel) Wait() bool { return k.timer.Wait() == nil }

func (k *kernel) Nudge() { k.timer.Repeat(1, k.every) }

func (k *kernel) Close() { k.timer.Close() }
