package balancer

// Adopt puts in force what was edited at another node: settings and the conditions that an
// administrator sets. What this configuration does not know is passed over. The revision is r's, or
// one more than before if r's is no higher.
func (f *Farm) Adopt(r SettingsRecord) {
	defer f.edited()
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.current.Load().balancerOf[r.key()]
	if p == nil || !p.spec.Persist {
		return
	}
	s, _ := restoreBalancer(r.Settings, p.spec)
	p.balancer.adopt(s, f.method(s.Method.V, p.spec.Env))
	for i := range r.Members {
		f.adoptMember(p, &r.Members[i])
	}
	b := p.balancer
	b.group.mu.Lock()
	b.revise(max(r.Revision, b.lastEdit.revision+1))
	b.group.mu.Unlock()
	f.writeEdit(b)
	now := b.settingsRecord() // it is kept already
	f.saver.note([]SettingsRecord{now}, []savedSettings{{f.commits, now.Revision, now.sum()}})
}

func (f *Farm) adoptMember(p *plannedBalancer, r *MemberSettings) {
	b := p.balancer
	w := b.named(r.Worker)
	if w == nil && r.Added {
		w, _ = b.add(r.Worker)
	}
	if w == nil {
		return
	}
	b.group.mu.Lock()
	defer b.group.mu.Unlock()
	s, _ := restoreWorker(r.Settings, *w.Settings(), p.spec.Env)
	status, _ := ParseStatus(r.Status, 0)
	w.configure(s)
	w.setStatus(w.Status()&^byAdministrator | status&byAdministrator)
	w.writeRow()
}

// adopt puts settings in force; a new method resets the figures as an edit does.
func (b *Balancer) adopt(s BalancerSettings, m *Method) {
	b.group.mu.Lock()
	defer b.group.mu.Unlock()
	if m != b.method.Load() {
		b.method.Store(m)
		b.changed, b.stale = true, true
	}
	b.settings.Store(&s)
}

// named finds the member of exactly this name, nil for none.
func (b *Balancer) named(name string) *Worker {
	for _, w := range b.Members() {
		if w.Name() == name {
			return w
		}
	}
	return nil
}
