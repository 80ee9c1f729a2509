package hcheck

import (
	"bytes"
	"net/netip"
	"strings"

	"balancerd/balancer"
	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
)

// passes judges an answer. A condition that is known judges alone, of httpd's rules (httpd: mod_proxy_hcheck.c hc_check_http);
// what hcstatus= and hctext= say must hold besides.
func (t *target) passes(m *member, h *balancer.Health, p *backend.Probe, r *backend.Probed) bool {
	if h.Text != "" && !bytes.Contains(r.Body, []byte(h.Text)) {
		return false
	}
	e := t.set.compiled[strings.ToLower(h.Expr)]
	if e == nil || h.Statuses != "" && !h.Passed(r.Status) {
		return h.Passed(r.Status)
	}
	x := t.judged(p, r)
	ok, err := e.Match(x)
	if err != nil {
		t.log(module, exchange.Info, nil, "AH03301: Error on checking condition ", h.Expr, " for ", m.URL(), " (", m.URL(), "): ", err.Error())
	}
	return ok && err == nil && !x.Undecided
}

// exchange is one with a member, at "ip:port" or a socket's path, as client.
func (t *target) exchange(address string) *exchange.Exchange {
	c := &exchange.Conn{RemoteText: address, Outgoing: true}
	if at, err := netip.ParseAddrPort(address); err == nil {
		c.Remote, c.RemoteIP = at, at.Addr().Unmap().String()
	}
	return &exchange.Exchange{Server: t.server, Conn: c, ClientIP: c.RemoteIP}
}

// judged is the exchange that a condition looks at: the answer, and as its client the member (httpd: mod_proxy_hcheck.c
// create_request_rec).
func (t *target) judged(p *backend.Probe, r *backend.Probed) *exchange.Exchange {
	x := t.exchange(r.Address)
	x.Req.Method, x.Req.Major, x.Req.Minor, x.Req.Body = p.Method, 1, p.Minor, exchange.NoBody{}
	x.Res.Text(string(r.Body))
	x.Res.Status = r.Status
	x.Res.Header.CopyFrom(&r.Header)
	return x
}
