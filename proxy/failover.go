package proxy

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"balancerd/balancer"
	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
)

// admit refuses a plain worker that is disabled, stopped or ill: nobody elects it, so nobody else asks
// (httpd: proxy_util.c ap_proxy_acquire_connection).
func (f *flight) admit() error {
	w := f.worker
	if w.Usable() || w.Retry(time.Now()) {
		return nil
	}
	a := w.Address()
	f.x.LogServer("proxy", exchange.Error, nil, f.x.Arena.Join("AH00940: ", a.Scheme, ": disabled connection for (", a.Host, ":", decimal(a.Port), ")"))
	return exchange.Status(503)
}

// blame puts a member into error for a failure whose row says so, and tells whether it is unusable now.
// Workers without a balancer are never blamed (httpd: mod_proxy.c proxy_handler).
func (f *flight) blame(o *outcome, e *backend.Failure) (unusable bool) {
	if f.balancer == nil || !o.blame {
		return false
	}
	w := f.worker
	usable := w.Usable()
	unusable = w.Fail(time.Now())
	if e.Kind == backend.Refused && usable && unusable {
		f.x.LogServer("proxy", exchange.Error, nil, f.x.Arena.Join("AH00959: ap_proxy_connect_backend disabling worker for (", w.Address().Host, ":",
			decimal(w.Address().Port), ") for ", f.x.Arena.Int(int64(w.Settings().Retry.V/time.Second)), "s"))
	}
	return unusable
}

// mayTryAnother counts the attempts: as many further ones as the balancer allows.
func (f *flight) mayTryAnother() bool {
	f.attempts++
	return f.attempts <= f.balancer.Attempts()
}

// lostUnderClient tells of a connection that ended before an answer while the client's own was used
// before: the client is then cut off without an answer, so that it tries again by its own rules, if
// the request may be repeated (httpd: mod_proxy_http.c ap_proxy_http_process_response).
func (f *flight) lostUnderClient(e *backend.Failure) bool {
	return e.Kind == backend.EarlyClose && !e.Timeout && f.x.Conn != nil && f.x.Conn.Kept > 0
}

// drop cuts the client off. A member whose connection was kept may just have been closed for its age; of
// one whose connection was new httpd says 500, which is what failonstatus= sees. It puts the member into
// error, too: so a client could, with two requests on a connection of which the second makes the member's
// program fail.
func (f *flight) drop(o *outcome, e *backend.Failure) {
	for i := range o.log {
		o.log[i].write(f, e)
	}
	if !e.Reused && o.counts {
		f.judge(500, false)
	}
	f.x.Res.Clear()
	f.x.Res.Status, f.x.Res.Drop, f.x.Res.Close = 502, true, true
}

// judge lets the balancer put the member into error for its answer (failonstatus=) or its silence
// (failontimeout=).
func (f *flight) judge(status int, timedOut bool) {
	b, w, x := f.balancer, f.worker, f.x
	if b == nil || w == nil {
		return
	}
	if len(b.Settings().FailOnStatus) > 0 && b.FailedStatus(w, status, time.Now()) {
		x.Log("proxy_balancer", exchange.Error, nil, x.Arena.Join("AH01174: ", b.Name(), ": Forcing worker (", w.Name(), ") into error state due to status code ",
			x.Arena.Int(int64(status)), " matching 'failonstatus' balancer parameter"))
	}
	if timedOut && b.FailedTimeout(w, time.Now()) {
		x.Log("proxy_balancer", exchange.Error, nil, x.Arena.Join("AH02460: ", b.Name(), ": Forcing worker (", w.Name(),
			") into error state due to timeout and 'failontimeout' parameter being set"))
	}
}

// noMember is the answer when nobody can serve (httpd: mod_proxy_balancer.c proxy_balancer_pre_request).
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
