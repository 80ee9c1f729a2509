package balancer

import (
	"fmt"
	"time"
)

// keptState is what is kept of what happened to a member.
type keptState struct {
	status Status
	State
}

// restore plans what is kept of b, and of the members unless they live. Of two records of one group
// the later counts.
func (p *planner) restore(b *plannedBalancer) {
	if b.record == nil {
		return
	}
	settings, errs := restoreBalancer(b.record.Settings.Settings, b.spec)
	b.settings = &settings
	p.warn(b, errs...)
	if b.group.live {
		return
	}
	b.group.added = nil
	kept := b.record.members()
	for i := range b.group.members {
		m := &b.group.members[i]
		if r := kept[m.worker.Name()]; r != nil {
			p.restoreMember(b, m, r)
		}
	}
	for i := range b.record.Settings.Members {
		r := kept[b.record.Settings.Members[i].Worker]
		if _, configured := b.group.byName[r.Worker]; configured || !r.Added {
			continue
		}
		a, err := ParseAddress(r.Worker, b.spec.Runtime, false)
		if err != nil {
			p.warn(b, err)
			continue
		}
		m := b.group.member(b.spec.Owner, a, p.share(b.spec.Added))
		p.restoreMember(b, &m, r)
		b.group.added = append(b.group.added, m)
	}
}

// restoreMember plans what is kept of one member: one that the file names, or that the manager added.
func (p *planner) restoreMember(b *plannedBalancer, m *plannedWorker, r *memberRecord) {
	configured := *m.settings
	settings, errs := restoreWorker(r.Settings, configured, b.spec.Env)
	m.settings = &settings
	p.warn(b, errs...)
	set, _ := ParseStatus(r.Status, 0)
	own, _ := ParseStatus(r.Own, 0)
	m.kept = &keptState{status: set}
	switch {
	case r.state != nil && !b.record.editedSince():
		own, _ = ParseStatus(r.state.Status, 0)
	case r.state == nil && b.record.Settings.Revision == 0: // its figures were never kept
		own = configured.Status
	}
	if r.state != nil {
		m.kept.State = r.state.State
	}
	m.kept.status |= own &^ byAdministrator
}

func (p *planner) warn(b *plannedBalancer, errs ...error) {
	for _, err := range errs {
		p.next.warnings = append(p.next.warnings, fmt.Errorf("%s: kept state: %w", b.spec.Name, err))
	}
}

// memberRecord is both halves of what is kept of a member.
type memberRecord struct {
	*MemberSettings
	state *MemberState // nil: not kept
}

// members is the members of r by name.
func (r *Record) members() map[string]*memberRecord {
	all := make(map[string]*memberRecord, len(r.Settings.Members))
	for i := range r.Settings.Members {
		m := &r.Settings.Members[i]
		all[m.Worker] = &memberRecord{MemberSettings: m}
	}
	if r.State == nil {
		return all
	}
	for i := range r.State.Members {
		s := &r.State.Members[i]
		if m := all[s.Worker]; m != nil {
			m.state = s
		}
	}
	return all
}

// editedSince reports whether the settings were edited after the state was kept: then the settings
// record says what the edit did to it.
func (r *Record) editedSince() bool {
	return r.State == nil || r.State.Revision < r.Settings.Revision
}

// stale reports whether figures are to be reset.
func (r *Record) stale() bool {
	if r.editedSince() {
		return r.Settings.Stale
	}
	return r.State.Stale
}

// lastEdit is the last edit again, as b knew it when it was made.
func (r *Record) lastEdit(g *group) lastEdit {
	e := lastEdit{revision: r.Settings.Revision, stale: r.Settings.Stale}
	kept := r.members()
	for _, w := range g.list() {
		if m := kept[w.Name()]; m != nil && m.Own != "" {
			own, _ := ParseStatus(m.Own, 0)
			e.note(w, own)
		}
	}
	return e
}

// restoreBalancer is the settings that a record has, with what records do not have from spec.
func restoreBalancer(values map[string]string, spec configured) (BalancerSettings, []error) {
	s := NewBalancerSettings()
	s.Method = spec.Settings.Method // if the kept one is not loaded
	errs := setParamValues(BalancerParams, &s, values, spec.Env)
	return spec.Settings.withPersistent(&s), errs
}

// restoreWorker is the settings that a record has, with the secret of the configuration.
func restoreWorker(values map[string]string, configured WorkerSettings, e Env) (WorkerSettings, []error) {
	s := NewWorkerSettings()
	s.Secret = configured.Secret
	errs := setParamValues(WorkerParams, &s, values, e)
	return s, errs
}

// setParamValues gives s the parameters of a record, and returns an error for each value that does
// not fit.
func setParamValues[S any](t Table[S], s *S, values map[string]string, e Env) (errs []error) {
	e.HCheck, e.CPing = true, true // what was kept is not unlearned while a module is away
	for i := range t {
		p := &t[i]
		v, has := values[p.Name]
		if !has || p.Set == nil {
			continue
		}
		if err := p.Set(s, v, e); err != nil {
			errs = append(errs, fmt.Errorf("%s=%s: %w", p.Name, v, err))
		}
	}
	return errs
}

// restore gives w the conditions and figures of an earlier process. An error whose time lies ahead
// counts as of now: the clock was set back. Under group.mu.
func (w *Worker) restore(status Status, s *State) {
	w.setStatus(status | Init)
	w.elected, w.load, w.retries, w.passes, w.fails = s.Elected, s.Load, s.Retries, s.Passes, s.Fails
	w.sent.Store(s.Sent)
	w.read.Store(s.Read)
	w.errorTime = sinceStart(s.ErrorTime, time.Now())
	w.writeRow()
}

// sinceStart is a time of another process as this one measures it: by the monotonic clock from now on,
// so that later steps of the clock do not matter.
func sinceStart(t, now time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return now.Add(-max(0, now.Sub(t)))
}
