package balancer

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime/debug"
	"sync"
	"time"
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

// saver writes what changed to the store. Farm.mu is taken while it holds its locks, never the other
// way round: the disk keeps neither a commit nor another balancer's edit waiting.
type saver struct {
	store Store // nil: nothing is kept. Immutable

	mu       sync.Mutex                     // for moments
	settings map[balancerKey]*savedSettings // under mu
	failing  bool                           // under mu: the last save failed

	stateMu sync.Mutex                  // one SaveStates at a time
	states  map[balancerKey]StateRecord // under stateMu: what the store has
}

// savedSettings is the settings that the store has of a balancer.
type savedSettings struct {
	mu     sync.Mutex     // one SaveSettings at a time
	record SettingsRecord // under mu; zero: unknown
}

func newSaver(s Store) *saver {
	return &saver{store: s, settings: map[balancerKey]*savedSettings{}, states: map[balancerKey]StateRecord{}}
}

// of is what the store has of a balancer's settings.
func (s *saver) of(key balancerKey) *savedSettings {
	s.mu.Lock()
	defer s.mu.Unlock()
	saved := s.settings[key]
	if saved == nil {
		saved = &savedSettings{}
		s.settings[key] = saved
	}
	return saved
}

// outcome is the *SaveError of a save that met these errors, nil for none.
func (s *saver) outcome(errs []error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.failing
	s.failing = len(errs) > 0
	if s.failing {
		return &SaveError{errors.Join(errs...), before}
	}
	return nil
}

// Save keeps settings and states of all balancers whose BalancerPersist is On, as far as they changed
// since they were kept last. The error is a *SaveError.
func (f *Farm) Save(ctx context.Context) error {
	if f.saver.store == nil {
		return nil
	}
	keys := f.Current().persistent()
	tried, errs := f.saveSettings(ctx, keys)
	triedStates, err := f.saveStates(ctx, keys)
	if err != nil {
		errs = append(errs, err)
	}
	if !tried && !triedStates {
		return nil
	}
	return f.saver.outcome(errs)
}

// persistent is the keys of the balancers whose BalancerPersist is On.
func (p *Plan) persistent() (keys []balancerKey) {
	for _, b := range p.balancers {
		if b.spec.Persist {
			keys = append(keys, b.balancer.key())
		}
	}
	return keys
}

// saveSettings keeps the settings of these balancers that changed, and reports whether there were any.
func (f *Farm) saveSettings(ctx context.Context, keys []balancerKey) (tried bool, errs []error) {
	for _, key := range keys {
		changed, err := f.saveSettingsOf(ctx, key)
		tried = tried || changed
		if err != nil {
			errs = append(errs, err)
		}
	}
	return tried, errs
}

// saveSettingsOf keeps one balancer's settings, unless the store has them. Who waits for an earlier save
// of the same balancer may find that it held his edit, too.
func (f *Farm) saveSettingsOf(ctx context.Context, key balancerKey) (tried bool, err error) {
	saved := f.saver.of(key)
	saved.mu.Lock()
	defer saved.mu.Unlock()
	var r SettingsRecord
	if !f.ifPersistent(key, func(b *Balancer) { r = b.settingsRecord() }) || reflect.DeepEqual(saved.record, r) {
		return false, nil
	}
	if err := f.saver.store.SaveSettings(ctx, r); err != nil {
		return true, err
	}
	saved.record = r
	return true, nil
}

// ifPersistent calls do, under mu, with the balancer in force of this key, if BalancerPersist is On for it
// now, and reports whether it is. Where a reload switched it Off the balancer began anew, which must not
// replace what is kept.
func (f *Farm) ifPersistent(key balancerKey, do func(*Balancer)) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.current.Load().balancerOf[key]
	if p == nil || !p.spec.Persist {
		return false
	}
	do(p.balancer)
	return true
}

// saveStates keeps the states of these balancers that changed, all at once, and reports whether there
// were any.
func (f *Farm) saveStates(ctx context.Context, keys []balancerKey) (tried bool, err error) {
	f.saver.stateMu.Lock()
	defer f.saver.stateMu.Unlock()
	var changed []StateRecord
	for _, key := range keys {
		var r StateRecord
		if f.ifPersistent(key, func(b *Balancer) { r = b.stateRecord() }) && !reflect.DeepEqual(f.saver.states[key], r) {
			changed = append(changed, r)
		}
	}
	if len(changed) == 0 {
		return false, nil
	}
	if err := f.saver.store.SaveStates(ctx, changed); err != nil {
		return true, err
	}
	for _, r := range changed {
		f.saver.states[balancerKey{r.VHost, r.Balancer}] = r
	}
	return true, nil
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
		if err := f.saveOrRecover(context.WithoutCancel(ctx)); errors.As(err, &failed) && !failed.Repeated {
			report(failed)
		}
	}
}

// saveOrRecover is Save. A store that panics has failed; the next time it may not.
func (f *Farm) saveOrRecover(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &SaveError{Err: fmt.Errorf("panic: %v\n%s", p, debug.Stack())}
		}
	}()
	return f.Save(ctx)
}
