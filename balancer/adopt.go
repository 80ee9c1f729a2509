package balancer

// edited is the conditions that an administrator sets; the others are each node's own.
const edited = IgnoreErrors | Draining | Disabled | Stopped | Standby | Spare

// Adopt puts another node's record in force: its settings and edited conditions, not its figures.
// What this configuration does not know is passed over.
func (f *Farm) Adopt(r Record) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.roster.Load().planned(balancerKey{r.VHost, CanonicalName(r.Balancer)})
	if p == nil || !p.spec.Persist {
		return
	}
	s, _ := restoreBalancer(r.Settings, p.spec)
	p.balancer.adopt(s, f.method(s.Method.V, p.spec.Env))
	for i := range r.Members {
		f.adoptMember(p, &r.Members[i])
	}
	p.balancer.edited = true
	f.keepEdits()
	f.saved[p.balancer.key()] = p.balancer.record() // it is kept already
}

func (f *Farm) adoptMember(p *planned, r *MemberRecord) {
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
	status, _ := ParseStatus(r.State.Status, 0)
	w.configure(s)
	w.status.Store(uint32(w.Status()&^edited | status&edited))
	w.note()
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
