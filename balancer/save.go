package balancer

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime/debug"
	"time"

	"balancerd/internal/recovery"
)

// SaveError says that what holds could not be kept.
type SaveError struct {
	Err      error
	Repeated bool // so did the one before: it need not be reported again
}

// Error names the cause.
func (e *SaveError) Error() string { return "balancer state is not kept: " + e.Err.Error() }

// Unwrap is the cause.
func (e *SaveError) Unwrap() error { return e.Err }

// Save keeps all balancers whose BalancerPersist is On, as far as they changed since they were kept
// last. The error is a *SaveError.
func (f *Farm) Save(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.save(ctx, f.roster.Load().balancers)
}

// save is Save of some, under mu.
func (f *Farm) save(ctx context.Context, some []*planned) error {
	var errs []error
	tried := false
	for _, p := range some {
		if f.store == nil || !p.spec.Persist {
			continue
		}
		r := p.balancer.record()
		if reflect.DeepEqual(f.saved[p.balancer.key()], r) {
			continue
		}
		tried = true
		if err := f.store.Save(ctx, r); err != nil {
			errs = append(errs, err)
			continue
		}
		f.saved[p.balancer.key()] = r
	}
	if !tried {
		return nil
	}
	before := f.failing
	f.failing = len(errs) > 0
	if f.failing {
		return &SaveError{errors.Join(errs...), before}
	}
	return nil
}

// Keep saves every so often, and once more when ctx ends, which also ends Keep. What fails is
// reported once until it succeeds.
func (f *Farm) Keep(ctx context.Context, every time.Duration, report func(error)) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for running := true; running; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			running = false
		}
		var failed *SaveError
		if err := f.keep(context.WithoutCancel(ctx)); errors.As(err, &failed) && !failed.Repeated {
			report(failed)
		}
	}
}

// keep is Save. A store that panics has failed; the next time it may not.
func (f *Farm) keep(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &SaveError{Err: fmt.Errorf("%s\n%s", recovery.Text(p), debug.Stack())}
		}
	}()
	return f.Save(ctx)
}
