package balancer

import (
	"crypto/rand"
	"encoding/hex"
)

// commit makes the planned members the group's, and behind them those that the manager added: the living, or
// else the kept.
func (p *plannedGroup) commit() {
	g := p.group
	g.mu.Lock()
	defer g.mu.Unlock()
	old := g.list()
	living := make(map[*Worker]bool, len(old))
	for _, w := range old {
		living[w] = true
	}
	var list []*Worker
	for _, m := range p.members {
		if p.live && living[m.worker] {
			m.stay()
		} else {
			m.commit()
		}
		m.worker.added = false
		list = append(list, m.worker)
	}
	if p.live {
		list = append(list, p.stillAdded(old)...)
	} else {
		for _, m := range p.added {
			m.commit()
			m.worker.added = true
			list = append(list, m.worker)
		}
	}
	g.pick.Candidates, g.spares, g.standbys = nil, nil, nil // they hold workers that may be gone
	g.setList(list)
}

// stillAdded is the members of old that the manager added and the configuration does not name: it
// may have come to name one that was added after it was read.
func (p *plannedGroup) stillAdded(old []*Worker) (list []*Worker) {
	for _, w := range old {
		if _, configured := p.byName[w.Name()]; w.added && !configured {
			list = append(list, w)
		}
	}
	return list
}

// commit puts the settings in force, with the state that was kept or none. Under group.mu.
func (p plannedWorker) commit() {
	p.worker.reset(p.settings)
	if p.kept != nil {
		p.worker.restore(p.kept.status, &p.kept.State)
	}
}

// stay leaves w as it is, but for its secret, which is never kept. Under group.mu.
func (p plannedWorker) stay() {
	s := *p.worker.Settings()
	s.Secret = p.settings.Secret
	p.worker.configure(s)
}

// commit puts the planned settings in force.
func (p *plannedBalancer) commit(f *Farm) {
	b := p.balancer
	b.group.mu.Lock()
	defer b.group.mu.Unlock()
	s := *p.settings
	if p.live {
		s = s.withPersistent(b.Settings())
	} else {
		b.stale = p.record != nil && p.record.stale()
		b.lastEdit = p.lastEdit()
	}
	b.edited = p.edited || p.live && b.edited
	b.changed = p.live || p.record != nil // httpd looks at once at what it read
	members, configured := len(b.group.list()), len(p.group.members)
	if !s.MaxAttempts.Set && members > 1 {
		s.MaxAttempts = Some(members - 1) // httpd: mod_proxy_balancer.c init_balancer_members
	}
	if !s.Nonce.Set && s.Nonce.V == "" {
		s.Nonce.V = newNonce()
	}
	method := f.method(s.Method.V, p.spec.Env)
	if method == nil { // kept, but no longer loaded
		s.Method = p.spec.Settings.Method
		method = f.method(s.Method.V, p.spec.Env)
	}
	b.spec.Store(&p.spec)
	b.method.Store(method)
	b.settings.Store(&s)
	n := slots{max: configured + s.Growth.V, used: configured, restored: members - configured}
	if p.edited { // nothing was restarted: they were added to this server
		n.used, n.restored = members, 0
	}
	b.slots.Store(&n)
}

// lastEdit is the edit that p begins after: the one of its record, if it has one. The revision never
// goes back, also where a reload takes edits back.
func (p *plannedBalancer) lastEdit() lastEdit {
	e := lastEdit{}
	if p.record != nil {
		e = p.record.lastEdit(p.balancer.group)
	}
	e.revision = max(e.revision, p.balancer.lastEdit.revision)
	return e
}

// withPersistent is kept, but with all that BalancerPersist does not keep taken from s.
func (s BalancerSettings) withPersistent(kept *BalancerSettings) BalancerSettings {
	k := *kept
	k.FailOnStatus, k.FailOnTimeout, k.Growth = s.FailOnStatus, s.FailOnTimeout, s.Growth
	return k
}

// newNonce is a random nonce in the form of a UUID: 36 lower-case characters.
func newNonce() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	t := hex.EncodeToString(b[:])
	return t[:8] + "-" + t[8:12] + "-" + t[12:16] + "-" + t[16:20] + "-" + t[20:]
}
