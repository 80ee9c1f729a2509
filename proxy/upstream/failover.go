package upstream

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"balancerd/balancer"
	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
)

// checkUsable refuses a plain worker that is disabled, stopped or in error: no
// balancer has looked at its state
// (httpd: proxy_util.c ap_proxy_acquire_connection).
func (p *proxyState) checkUsable() error {
	w := p.worker
	if w.Usable() || w.Retry(time.Now()) {
		return nil
	}
	a := w.Address()
	p.x.LogServer("proxy", exchange.Error, nil, p.x.Arena.Join("AH00940: ", a.Scheme, ": disabled connection for (", a.Host, ":", decimal(a.Port), ")"))
	return exchange.Status(503)
}

// markFailed puts a member into error for a failure whose row says so, and reports whether it is unusable now.
// Workers without a balancer are never put into error (httpd: mod_proxy.c proxy_handler).
func (p *proxyState) markFailed(o *outcome, e *backend.Failure) (unusable bool) {
	p.failedAt = time.Now()
	if p.balancer == nil || !o.marksWorker {
		return false
	}
	w := p.worker
	usable := w.Usable()
	unusable = w.Fail(p.failedAt)
	if e.Kind == backend.Refused && usable && unusable {
		p.x.LogServer("proxy", exchange.Error, nil, p.x.Arena.Join("AH00959: ap_proxy_connect_backend disabling worker for (", w.Address().Host, ":",
			decimal(w.Address().Port), ") for ", p.x.Arena.Int(int64(w.Settings().Retry.V/time.Second)), "s"))
	}
	return unusable
}

// mayTryAnother counts the attempts: as many further ones as the balancer allows.
func (p *proxyState) mayTryAnother() bool {
	p.attempts++
	return p.attempts <= p.balancer.Attempts()
}

// lostUnderClient reports whether the member closed its connection before a response, while the client's own
// connection had served a request before: the client is then cut off without a response, so that it tries again
// by its own rules, if the request may be repeated (httpd: mod_proxy_http.c ap_proxy_http_process_response).
func (p *proxyState) lostUnderClient(e *backend.Failure) bool {
	return p.protocol().cuts && e.Kind == backend.EarlyClose && !e.Timeout && p.x.Conn != nil && p.x.Conn.Kept > 0
}

// drop cuts the client off. A member whose connection was kept may just have been closed for its age; of
// one whose connection was new httpd says 500, which is what failonstatus= sees. It puts the member into
// error, too: so a client could, with two requests on a connection of which the second makes the member's
// program fail.
func (p *proxyState) drop(o *outcome, e *backend.Failure) {
	for i := range o.log {
		o.log[i].write(p, e)
	}
	if !e.Reused && o.seesStatus {
		p.applyFailOnStatus(500, false)
	}
	p.x.Res.Clear()
	p.x.Res.Status, p.x.Res.Drop, p.x.Res.Close = 502, true, true
}

// applyFailOnStatus lets the balancer put the member into error for the status of its response (failonstatus=) or for
// a timeout
// (failontimeout=).
func (p *proxyState) applyFailOnStatus(status int, timedOut bool) {
	b, w, x := p.balancer, p.worker, p.x
	if b == nil || w == nil {
		return
	}
	if len(b.Settings().FailOnStatus) > 0 && b.FailedStatus(w, status, time.Now()) {
		x.Log("proxy_balancer", exchange.Error, nil, x.Arena.Join("AH01174: ", b.Name(), ": Forcing worker (", w.Name(), ") into error state due to status code ",
			x.Arena.Int(int64(status)), " matching 'failonstatus' balancer parameter"))
		if x.Observer != nil {
			p.observeForced("failonstatus", exchange.Status(status).Error())
		}
	}
	if timedOut && b.FailedTimeout(w, time.Now()) {
		x.Log("proxy_balancer", exchange.Error, nil, x.Arena.Join("AH02460: ", b.Name(), ": Forcing worker (", w.Name(),
			") into error state due to timeout and 'failontimeout' parameter being set"))
		if x.Observer != nil {
			p.observeForced("failontimeout", "timeout")
		}
	}
}

// noMember is the response when nobody can serve (httpd: mod_proxy_balancer.c proxy_balancer_pre_request).
func noMember(x *exchange.Exchange, b *balancer.Balancer, err error) error {
	number := "AH01170"
	var data *balancer.MethodDataError
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return exchange.Status(503)
	case errors.Is(err, balancer.ErrNoWorkers):
		number = "AH01171"
	case errors.Is(err, balancer.ErrRouteLost):
		number = "AH01167"
	case errors.As(err, &data):
		logMethodData(x, data)
		err = balancer.ErrAllInError
	}
	x.Log("proxy_balancer", exchange.Error, nil, x.Arena.Join(number, ": ", b.Name(), ": ", err.Error()))
	return exchange.Status(503)
}

func logMethodData(x *exchange.Exchange, e *balancer.MethodDataError) {
	where := ""
	var p *fs.PathError
	if errors.As(e.Err, &p) {
		where = " at '" + p.Path + "'"
	}
	x.Log("lbmethod_"+e.Method, exchange.Error, e.Err, "AH01213: lb_"+e.Method+": Unable to read heartbeats"+where)
}
