package balancer

import (
	"fmt"
	"time"
)

// Record is what is kept of a balancer: its parameters and its members, by the names of the
// parameter tables. What is at its default is left out.
type Record struct {
	VHost    string            `json:"vhost"`
	Balancer string            `json:"balancer"`
	Settings map[string]string `json:"settings"`
	Stale    bool              `json:"stale,omitempty"` // figures are to be reset
	Members  []MemberRecord    `json:"members"`
}

// MemberRecord is what is kept of a member.
type MemberRecord struct {
	Worker   string            `json:"worker"`          // Worker.Name
	Added    bool              `json:"added,omitempty"` // by the manager, not by the configuration
	Settings map[string]string `json:"settings"`
	State    State             `json:"state"`
}

// State is what is kept of what happened to a member.
type State struct {
	Status    string    `json:"status"` // letters, see Status.Letters
	Elected   uint64    `json:"elected"`
	Load      int64     `json:"lbstatus"`
	Sent      int64     `json:"transferred"`
	Read      int64     `json:"read"`
	ErrorTime time.Time `json:"error_time,omitzero"`
	Retries   int       `json:"retries,omitempty"`
	Passes    int       `json:"passes,omitempty"` // of the health check, so far
	Fails     int       `json:"fails,omitempty"`
}

// record is b and its members now.
func (b *Balancer) record() Record {
	b.group.mu.Lock()
	defer b.group.mu.Unlock()
	r := Record{VHost: b.vhost, Balancer: b.name, Settings: texts(BalancerParams, b.Settings()), Stale: b.stale}
	for _, w := range b.group.list() {
		r.Members = append(r.Members, w.record())
	}
	return r
}

// record is w now. Under group.mu.
func (w *Worker) record() MemberRecord {
	s := w.snapshot()
	return MemberRecord{
		Worker:   w.Name(),
		Added:    w.added,
		Settings: texts(WorkerParams, &s.Settings),
		State: State{
			Status:    w.Status().Letters(),
			Elected:   s.Elected,
			Load:      s.Load,
			Sent:      s.Sent,
			Read:      s.Read,
			ErrorTime: s.ErrorTime.Round(0).UTC(),
			Retries:   s.Retries,
			Passes:    s.Passes,
			Fails:     s.Fails,
		},
	}
}

// resume makes w what it was. The time of an error that lies ahead is now: the clock was set back.
// Under group.mu.
func (w *Worker) resume(s *State) {
	status, _ := ParseStatus(s.Status, 0)
	w.resumeAs(status, s)
}

// resumeAs is resume with the conditions as bits. Under group.mu.
func (w *Worker) resumeAs(status Status, s *State) {
	w.status.Store(uint32(status | Init))
	w.elected, w.load, w.retries, w.passes, w.fails = s.Elected, s.Load, s.Retries, s.Passes, s.Fails
	w.sent.Store(s.Sent)
	w.read.Store(s.Read)
	w.errorTime = sinceStart(s.ErrorTime, time.Now())
	w.note()
}

// sinceStart is a time of another process as this one measures it: by the monotonic clock from now on,
// so that later steps of the clock do not matter.
func sinceStart(t, now time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return now.Add(-max(0, now.Sub(t)))
}

// texts is all parameters that are set, by name.
func texts[S any](t Table[S], s *S) map[string]string {
	m := map[string]string{}
	for i := range t {
		if t[i].Get == nil || t[i].Name == "" {
			continue
		}
		if v, set := t[i].Get(s); set {
			m[t[i].Name] = v
		}
	}
	return m
}

// setTexts gives s the parameters of a record, and tells which values could not be.
func setTexts[S any](t Table[S], s *S, texts map[string]string, e Env) (errs []error) {
	e.HCheck, e.CPing = true, true // what was kept is not unlearned while a module is away
	for i := range t {
		p := &t[i]
		v, has := texts[p.Name]
		if !has || p.Set == nil {
			continue
		}
		if err := p.Set(s, v, e); err != nil {
			errs = append(errs, fmt.Errorf("%s=%s: %w", p.Name, v, err))
		}
	}
	return errs
}

// restoreBalancer is the settings that a record has, with what records do not have from spec.
func restoreBalancer(texts map[string]string, spec Spec) (BalancerSettings, []error) {
	s := NewBalancerSettings()
	s.Method = spec.Settings.Method // if the kept one is not loaded
	errs := setTexts(BalancerParams, &s, texts, spec.Env)
	return spec.Settings.kept(&s), errs
}

// restoreWorker is the settings that a record has, with the secret of the configuration.
func restoreWorker(texts map[string]string, configured WorkerSettings, e Env) (WorkerSettings, []error) {
	s := NewWorkerSettings()
	s.Secret = configured.Secret
	errs := setTexts(WorkerParams, &s, texts, e)
	return s, errs
}
