package balancer

import (
	"context"
	"errors"
	"fmt"
	"maps"
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

// saver writes what changed to the store: settings one batch at a time, states one batch at a time, the ones beside the others.
// Farm.mu is taken under settingsMu and stateMu, for moments, never the other way round: the disk keeps neither a commit
// nor an edit from taking effect. mu is the innermost.
type saver struct {
	store Store // nil: nothing is kept. Immutable

	mu      sync.Mutex                    // for moments
	next    *batch                        // under mu: edits that wait until those before them are written
	saved   map[balancerKey]savedSettings // under mu: what the store has
	failing bool                          // under mu: the last save failed

	settingsMu sync.Mutex // one batch of settings at a time

	stateMu sync.Mutex                  // one batch of states at a time
	states  map[balancerKey]StateRecord // under stateMu: what the store has
}

// savedSettings tells the settings that the store has of a balancer. Those of the same commit and revision are the
// same; those of another commit are if their sum is.
type savedSettings struct{ commit, revision, sum uint64 }

// batch is balancers whose settings are written together.
type batch struct {
	keys  []balancerKey
	done  chan struct{}
	tried bool // valid, as err, when done is closed
	err   error
}

func newSaver(s Store) *saver {
	return &saver{store: s, saved: map[balancerKey]savedSettings{}, states: map[balancerKey]StateRecord{}}
}

// outcome is the *SaveError of a save that met this error, nil for none.
func (s *saver) outcome(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.failing
	s.failing = err != nil
	if s.failing {
		return &SaveError{err, before}
	}
	return nil
}

// Save keeps settings and states of all balancers whose BalancerPersist is On, as far as they changed
// since they were kept last. The error is a *SaveError.
func (f *Farm) Save(ctx context.Context) error {
	if f.saver.store == nil {
		return nil
	}
	p := f.Current()
	keys := p.persistent()
	f.saver.forget(p)
	tried, err := f.saveSettings(ctx, keys)
	triedStates, err2 := f.saveStates(ctx, keys)
	if !tried && !triedStates {
		return nil
	}
	return f.saver.outcome(errors.Join(err, err2))
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

// saveSettings keeps the settings of these balancers that changed, and reports whether there were any. Who comes
// while others are written waits for one more write, which holds all that were edited meanwhile.
func (f *Farm) saveSettings(ctx context.Context, keys []balancerKey) (tried bool, err error) {
	s := f.saver
	s.mu.Lock()
	b, first := s.next, s.next == nil
	if first {
		b = &batch{done: make(chan struct{})}
		s.next = b
	}
	b.keys = append(b.keys, keys...)
	s.mu.Unlock()
	if first {
		f.writeSettings(ctx, b)
	}
	<-b.done
	return b.tried, b.err
}

// writeSettings writes a batch after the one before it.
func (f *Farm) writeSettings(ctx context.Context, b *batch) {
	s := f.saver
	s.settingsMu.Lock()
	defer s.settingsMu.Unlock()
	s.mu.Lock()
	s.next = nil
	s.mu.Unlock()
	defer close(b.done)
	list, saved := f.changedSettings(b.keys)
	if b.tried = len(list) > 0; !b.tried {
		return
	}
	b.err = errors.New("the store panicked") // unless it returns
	if b.err = s.store.SaveSettings(ctx, list); b.err == nil {
		s.note(list, saved)
	}
}

// changedSettings is the settings of these balancers which the store does not have.
func (f *Farm) changedSettings(keys []balancerKey) (list []SettingsRecord, saved []savedSettings) {
	seen := make(map[balancerKey]bool, len(keys)) // who waits for the same balancer waits for one record
	for _, key := range keys {
		if seen[key] {
			continue
		}
		seen[key] = true
		f.ifPersistent(key, func(b *Balancer) {
			before := f.saver.savedOf(key)
			if before.commit == f.commits && before.revision == b.Revision() {
				return
			}
			r := b.settingsRecord()
			now := savedSettings{f.commits, r.Revision, r.sum()}
			if now.sum == before.sum {
				f.saver.note([]SettingsRecord{r}, []savedSettings{now})
				return
			}
			list, saved = append(list, r), append(saved, now)
		})
	}
	return list, saved
}

func (s *saver) savedOf(key balancerKey) savedSettings {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.saved[key]
}

// forget drops what is known of balancers that p does not have.
func (s *saver) forget(p *Plan) {
	gone := func(key balancerKey) bool { return p.balancerOf[key] == nil }
	s.mu.Lock()
	maps.DeleteFunc(s.saved, func(key balancerKey, _ savedSettings) bool { return gone(key) })
	s.mu.Unlock()
	s.stateMu.Lock()
	maps.DeleteFunc(s.states, func(key balancerKey, _ StateRecord) bool { return gone(key) })
	s.stateMu.Unlock()
}

// note notes what the store has.
func (s *saver) note(list []SettingsRecord, saved []savedSettings) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range list {
		s.saved[list[i].key()] = saved[i]
	}
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
		if f.ifPersistent(key, func(b *Balancer) { r = b.stateRecord() }) && !f.saver.states[key].equal(&r) {
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
			err = f.saver.outcome(fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
		}
	}()
	return f.Save(ctx)
}
