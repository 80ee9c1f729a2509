package hcheck

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"balancerd/balancer"
	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
)

// module is the name of this module in the log.
const module = "proxy_hcheck"

// log writes a line of a check, about no client. err is printed in front as an errno; nil for none.
func (t *target) log(name string, level exchange.Level, err error, parts ...string) {
	x := exchange.Exchange{Server: t.server}
	if x.Enabled(name, level) {
		x.LogServer(name, level, err, strings.Join(parts, ""))
	}
}

// tell says what became of a member by a check's result.
func (t *target) tell(m *member, v balancer.Verdict) {
	switch v {
	case balancer.CheckEnabled:
		t.log(module, exchange.Info, nil, "AH03302: ", t.word, "Health check ENABLING ", m.URL())
	case balancer.CheckDisabled:
		t.log(module, exchange.Info, nil, "AH03303: ", t.word, "Health check DISABLING ", m.URL())
	}
}

// way is how traffic to the balancer goes: a check goes the same.
func (t *target) way(calls Calls) (backend.Call, error) {
	t.once.Do(func() {
		if t.call, t.err = calls(t.host, t.url); t.err != nil {
			t.log(module, exchange.Error, nil, "members of ", t.url, " can't be checked: ", t.err.Error())
		}
	})
	return t.call, t.err
}

// check asks a member once; nil: the answer passes (httpd: mod_proxy_hcheck.c hc_check).
func (k *checker) check(t *target, m *member) error {
	h := m.Settings().Health
	t.log(module, exchange.Debug, nil, "AH03256: ", t.word, "Health checking ", m.URL())
	call, err := t.way(k.calls)
	if err != nil {
		return err
	}
	call.Check = &backend.Check{Name: names[h.Method], Known: m.unreachable}
	ctx, cancel := context.WithTimeout(t.context, longest(m.Worker, &call))
	defer cancel()
	switch h.Method {
	case balancer.CheckTCP:
		_, err = backend.Knock(ctx, m.Worker, t.server, &call, nil, 0)
	case balancer.CheckCPing:
		err = t.ping(ctx, m, &call)
	default:
		err = k.ask(ctx, t, m, &h, &call)
	}
	if t.context.Err() == nil {
		t.note(m, &h, err)
	}
	return err
}

// starved reports whether a check could not be made for a want of our own: it says nothing of the member.
func starved(err error) bool {
	var f *backend.Failure
	return errors.As(err, &f) && f.Kind == backend.Starved
}

// names are what the lines about connecting call the checks; all others are HCOH.
var names = func() (n [balancer.CheckGet11 + 1]string) {
	for i := range n {
		n[i] = "HCOH"
	}
	n[balancer.CheckTCP], n[balancer.CheckCPing] = "HCTCP", "HCCPING"
	return n
}()

// longest is how long a check may take as a whole: to connect, and two reads or writes that each take as long as they may. httpd has no such
// limit, so that a member that sends a byte now and then is never judged.
func longest(w *balancer.Worker, call *backend.Call) time.Duration {
	return backend.ConnectTimeout(w, call) + 2*backend.IOTimeout(w, call)
}

// note remembers whether the member could be reached, and writes what httpd says of a check.
func (t *target) note(m *member, h *balancer.Health, err error) {
	var f *backend.Failure
	errors.As(err, &f)
	known := m.unreachable
	m.unreachable = f != nil && (f.Kind == backend.Refused || f.Kind == backend.NoTLS)
	switch {
	case f != nil && f.Kind == backend.NoName:
		t.log(module, exchange.Debug, f.Err, "AH03249: DNS lookup failure for: ", f.Host, ":", strconv.Itoa(int(f.Port)))
	case f != nil && f.Kind == backend.NoTLS:
		level := exchange.Error
		if known {
			level = exchange.Debug
		}
		t.exchange(f.Detail).Log("core", level, nil, "AH01961:  failed to enable ssl support [Hint: if using mod_ssl, see SSLProxyEngine]")
		t.log("proxy", level, nil, "AH00961: ", names[h.Method], ": failed to enable ssl support for ", f.Detail, " (", f.Host, ")")
	}
	status := "0"
	if err != nil {
		status = "-1"
	}
	t.log(module, exchange.Debug, nil, "AH03251: Health check ", h.Method.String(), " Status (", status, ") for ", m.URL(), ".")
}

// ask asks by HTTP.
func (k *checker) ask(ctx context.Context, t *target, m *member, h *balancer.Health, call *backend.Call) error {
	a := m.Address()
	p, ok := requestOf(a, h)
	if !ok {
		t.log(module, exchange.Error, nil, "AH03257: Somehow tried to use unimplemented hcheck method: ", strconv.Itoa(int(h.Method)))
		return errors.ErrUnsupported
	}
	call.Scheme = spoken(a.Scheme)
	r, err := k.members.Probe(ctx, m.Worker, t.server, call, p)
	if err != nil {
		return err
	}
	t.log(module, exchange.Debug, nil, "AH03254: HTTP/1.", strconv.Itoa(p.Minor), " ", strconv.Itoa(r.Status))
	if !t.passes(m, h, p, r) {
		return errNotPassed
	}
	return nil
}

var errNotPassed = errors.New("hcheck: the answer does not pass")
