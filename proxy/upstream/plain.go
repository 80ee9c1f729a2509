package upstream

import (
	"balancerd/balancer"
	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/wire"
)

// build fills x.Out for a worker, by the protocol that it speaks.
func (w *forwarder) build(p *proxyState, worker *balancer.Worker, generic bool) {
	if p.protocol().encode == nil {
		w.buildRequest(p, worker, generic)
		return
	}
	p.buildPlain(worker, generic)
}

// buildPlain is for protocols that pass the client's fields on as they are, or as variables.
func (p *proxyState) buildPlain(worker *balancer.Worker, generic bool) {
	x, set := p.x, worker.Settings()
	p.setForwards()
	header := x.Out.Header
	header.Reset()
	path, at := p.protocol().plainTarget(p), siteOf(p.scheme, p.host, p.port)
	if p.balancer != nil {
		a := worker.Address()
		path, at = p.below(worker, path), siteOf(a.Scheme, a.Host, a.Port)
	}
	x.Out = exchange.Outgoing{
		Method: x.Req.Method, Target: path, URL: x.Arena.Join(at, path), Balanced: p.balancer != nil, Minor: 1, Header: header,
		Length:  x.Req.Length,
		HasBody: x.Req.Length != 0 || x.Req.Spent || x.Req.Header.IndexID(wire.ContentLength) >= 0,
		Close:   generic || set.DisableReuse.V || !p.protocol().keeps(set),
	}
}

// plainTarget is what such a member is told of the target.
func (pr *protocol) plainTarget(p *proxyState) string {
	if pr.asOne && p.asCame {
		return p.target
	}
	return p.targetPath()
}

// keeps reports whether connections are kept that the worker's settings let be kept.
func (pr *protocol) keeps(set *balancer.WorkerSettings) bool {
	return !pr.keepsIfSaid || set.DisableReuse.Set
}
