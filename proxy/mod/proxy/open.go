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
	"balancerd/proxy/upstream"
)

// opener opens a configuration: httpd's post_config of mod_proxy and mod_proxy_balancer.
type opener struct {
	farm    *balancer.Farm
	backend backend.Backend
	secure  Secure
}

func (o opener) open(c *directive.Config, st *site.Site) (site.Builder, error) {
	specs := &specBuilder{config: c, hosts: st.Hosts}
	specs.resolveReuse(st)
	if err := checkOpen(c, st.Hosts); err != nil {
		return nil, err
	}
	if st.Checking { // httpd -t looks no further
		return func([]*directive.Scope, *site.Plan) error { return nil }, nil
	}
	plan, err := o.farm.Plan(context.Background(), specs.balancers(), specs.workers())
	if err != nil {
		return nil, errors.New("AH02432: " + err.Error() + "\nAH01183: Cannot share balancer\nAH00020: Configuration Failed, exiting")
	}
	for _, w := range plan.Warnings() {
		st.WarnAtStart("proxy_balancer", exchange.Warn, w.Error())
	}
	b := &builder{backend: o.backend, secure: o.secure, upstreams: specs.upstreams(plan), tls: map[*backend.TLS]bool{}}
	own := listening(st)
	for _, u := range b.upstreams {
		if u.Settings.Forward != nil {
			u.Settings.Forward.Own = own
		}
	}
	st.OnCommit(func() {
		retire(o.farm.Commit(plan))
		backend.Renew(plan.All())
		b.takeOver(plan)
		specs.forget()
	})
	return b.build, nil
}

// resolveReuse completes the settings of the workers, and warns of what was noticed while the lines were read.
func (b *specBuilder) resolveReuse(st *site.Site) {
	for _, h := range b.hosts {
		v := inventoryIn(h.Scope)
		for _, note := range v.notes {
			st.Warn("proxy", exchange.Info, note)
		}
		for w := range v.everyWorker() {
			if w.resolveReuse() && !st.Checking {
				st.WarnAtStart("proxy", exchange.Warn, "AH10400: enablereuse/disablereuse ignored for worker "+w.Name())
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
	backend   backend.Backend
	secure    Secure // nil: no TLS towards members
	upstreams map[*directive.Scope]*upstream.Upstreams

	mu       sync.Mutex
	tls      map[*backend.TLS]bool // under mu: what it gave to plans
	replaced bool                  // under mu: another configuration is in force
}

// inForce is what the builder in force is attached under, to the worker that every configuration has.
type inForce struct{}

// takeOver takes over from the builder of the configuration before: the connections that its TLS made are
// not kept any longer.
func (b *builder) takeOver(r *balancer.Plan) {
	w := r.Workers(genericHost)[0]
	if old, ok := w.Detach(inForce{}).(*builder); ok {
		old.end()
	}
	w.Attach(inForce{}, b)
}

func (b *builder) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.replaced = true
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
	if b.replaced {
		t.Retire()
	} else {
		b.tls[t] = true
	}
	return t, err
}

func (b *builder) build(chain []*directive.Scope, p *site.Plan) error {
	u := b.upstreams[chain[0]]
	if len(chain) > 1 && b.upstreams[chain[1]] != nil {
		u = b.upstreams[chain[1]]
	}
	d := dirs.Merged(chain...)
	set := d.section()
	var err error
	if set.TLS, err = b.secured(chain); err != nil {
		return err
	}
	u.AddTo(p, &set, b.backend)
	return nil
}
