package proxy

import (
	"context"
	"errors"
	"io"
	"sync"

	"balancerd/apacheconf/directive"
	"balancerd/balancer"
	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// opener opens a configuration: httpd's post_config of mod_proxy and mod_proxy_balancer.
type opener struct {
	farm    *balancer.Farm
	backend backend.Backend
	secure  Secure
}

func (o opener) open(c *directive.Config, st *site.Site) (site.Builder, error) {
	m := &muster{config: c, hosts: st.Hosts}
	m.tell(st)
	if st.Checking { // httpd -t looks no further
		return func([]*directive.Scope, *site.Plan) error { return nil }, nil
	}
	roster, err := o.farm.Plan(context.Background(), m.balancers(), m.workers())
	if err != nil {
		return nil, errors.New("AH02432: " + err.Error() + "\nAH01183: Cannot share balancer\nAH00020: Configuration Failed, exiting")
	}
	for _, w := range roster.Warnings() {
		st.Warn("proxy_balancer", exchange.Warn, w.Error())
	}
	b := &builder{backend: o.backend, secure: o.secure, fleets: map[*directive.Scope]*fleet{}, tls: map[*backend.TLS]bool{}}
	for _, h := range st.Hosts {
		b.fleets[h.Scope] = m.fleet(h, roster)
	}
	st.OnCommit(func() {
		retire(o.farm.Commit(roster))
		backend.Renew(roster.All())
		b.succeed(roster)
	})
	return b.build, nil
}

// tell settles the workers and says what was noticed while the lines were read.
func (m *muster) tell(st *site.Site) {
	for _, h := range m.hosts {
		v := inventories.In(h.Scope)
		for _, note := range v.notes {
			st.Warn("proxy", exchange.Info, note)
		}
		all := v.workers
		for _, c := range v.clusters {
			all = append(all[:len(all):len(all)], c.members...)
		}
		for _, w := range all {
			if w.settle() && !st.Checking {
				st.Warn("proxy", exchange.Warn, "AH10400: enablereuse/disablereuse ignored for worker "+w.Name())
			}
		}
	}
}

// retire closes what belongs to workers that the configuration no longer has: their connections.
func retire(gone []*balancer.Worker) {
	for _, w := range gone {
		for _, a := range w.Attachments() {
			if c, ok := a.(io.Closer); ok {
				c.Close()
			}
		}
	}
}

// builder adds to each plan what its chain says about proxying. Immutable but for what is under mu.
type builder struct {
	backend backend.Backend
	secure  Secure // nil: no TLS towards members
	fleets  map[*directive.Scope]*fleet

	mu   sync.Mutex
	tls  map[*backend.TLS]bool // under mu: what it gave to plans
	over bool                  // under mu: another configuration is in force
}

// inForce is what the builder in force is attached under, to the worker that every configuration has.
type inForce struct{}

// succeed takes over from the builder of the configuration before: the connections that its TLS made are
// not kept any longer.
func (b *builder) succeed(r *balancer.Plan) {
	w := r.Workers(genericHost)[0]
	if old, ok := w.Detach(inForce{}).(*builder); ok {
		old.end()
	}
	w.Attach(inForce{}, b)
}

func (b *builder) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.over = true
	for t := range b.tls {
		t.Retire()
	}
	b.tls = nil
}

// secured is the TLS of a chain. Who is still served by a configuration that is over gets what is not kept.
func (b *builder) secured(chain []*directive.Scope) (*backend.TLS, error) {
	if b.secure == nil {
		return nil, nil
	}
	t, err := b.secure(chain)
	if t == nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over {
		t.Retire()
	} else {
		b.tls[t] = true
	}
	return t, err
}

func (b *builder) build(chain []*directive.Scope, p *site.Plan) error {
	f := b.fleets[chain[0]]
	if len(chain) > 1 && b.fleets[chain[1]] != nil {
		f = b.fleets[chain[1]]
	}
	d := dirs.Merged(chain...)
	m := mapper{interpolate: d.interpolate.Or(false)}
	if d.pass != nil {
		m.routes = append(m.routes, f.compile(d.pass))
	}
	m.routes = append(m.routes, f.routes...)
	m.steps(p)
	h := &handler{
		fleet:   f,
		backend: b.backend,
		forwarder: forwarder{
			via: f.set.via.Or(viaOff), maxForwards: f.set.maxForwards.Or(-1),
			preserveHost: d.preserveHost.Or(false), addHeaders: d.addHeaders.Or(true), continue100: d.continue100.Or(true),
		},
		reverser: newReverser(&d, f),
		override: override{on: d.override.Or(false), codes: d.overrideCodes},
		call:     b.call(f),
	}
	if v := h.forwarder.via; v == viaOn || v == viaFull {
		h.call.Via = h.forwarder.viaText
	}
	if h.override.on {
		h.call.GivesUp = h.override.wants
	}
	var err error
	if h.call.TLS, err = b.secured(chain); err != nil {
		return err
	}
	p.HandlerFor(handlerName, h)
	return nil
}

// call is what all attempts of a server's requests have in common.
func (b *builder) call(f *fleet) backend.Call {
	c := backend.Call{Timeout: f.set.timeout.Or(f.host.Server.Timeout), BadHeader: f.set.badHeader.Or(backend.BadHeaderIsError)}
	if a, ok := f.set.sourceAddress.Get(); ok {
		c.Source = a
	}
	return c
}

// HostFacts is what pages tell of a server besides its balancers.
type HostFacts struct {
	Status      bool // ProxyStatus On or Full: the status page shows the balancers
	Persist     bool // BalancerPersist
	Inherit     bool // BalancerInherit
	InheritPass bool // ProxyPassInherit
}

// FactsOf is what the directives say of a server: scope is the main server's or a virtual host's. It may
// be called by many goroutines.
func FactsOf(scope *directive.Scope) HostFacts {
	m := muster{config: scope.Config}
	s := m.settings(&site.Host{Scope: scope})
	return HostFacts{
		Status: s.status.Or(statusOff) != statusOff, Persist: servers.Merged(scope).persist,
		Inherit: s.inherit.Or(true), InheritPass: s.inheritPass.Or(true),
	}
}
