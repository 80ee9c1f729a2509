package balancer

import (
	"slices"
	"time"
)

// Fail puts a member into error at now, unless it ignores errors or is no member of a balancer. It
// reports whether the worker is unusable now, so that another may be tried (httpd: mod_proxy.c
// proxy_handler).
func (w *Worker) Fail(now time.Time) (unusable bool) {
	w.group.mu.Lock()
	defer w.group.mu.Unlock()
	w.failAt(now)
	return !w.Usable()
}

// failAt is Fail under group.mu; it reports whether it put the member into error.
func (w *Worker) failAt(now time.Time) bool {
	if !w.member || w.has(IgnoreErrors) {
		return false
	}
	w.set(InError, true)
	w.errorTime = now
	w.writeRow()
	return true
}

// Retry ends the error of a worker whose retry= has passed, and reports whether it is usable now. To be
// called before a connection of it is used (httpd: proxy_util.c
// ap_proxy_acquire_connection; false is AH00940).
func (w *Worker) Retry(now time.Time) bool {
	if w.Usable() {
		return true
	}
	w.group.mu.Lock()
	defer w.group.mu.Unlock()
	return w.retryAt(now)
}

// retryAt is Retry under group.mu. Only the error ends; what else makes a worker unusable stays. Of
// two times of one process the monotonic difference counts, so that a step of the clock neither
// frees nor holds a member (httpd: proxy_util.c ap_proxy_retry_worker).
func (w *Worker) retryAt(now time.Time) (usable bool) {
	if w.errorEnds(now) {
		w.retries++
		w.set(InError, false)
		w.writeRow()
	}
	return w.Usable()
}

// errorEnds reports whether w is in an error that is over now.
func (w *Worker) errorEnds(now time.Time) bool {
	return w.has(InError) && !w.has(Stopped) && (w.has(IgnoreErrors) || now.Sub(w.errorTime) > w.retry)
}

// recoverAll gives all members another chance when all are in error. The first that is not, or whose
// time has come, ends that (httpd: mod_proxy_balancer.c force_recovery). Under group.mu.
func recoverAll(list []*Worker, allowed bool, now time.Time) (forced bool) {
	for _, w := range list {
		w.retryAt(now)
		if !w.has(InError) {
			return false
		}
	}
	if !allowed || len(list) == 0 {
		return false
	}
	for _, w := range list {
		w.retries++
		w.set(InError, false)
		w.writeRow()
	}
	return true
}

// Connected says that a new connection to the worker was made: retries and error time are reset. Taking
// one from the pool does not count (httpd: proxy_util.c ap_proxy_connect_backend).
func (w *Worker) Connected() {
	w.group.mu.Lock()
	defer w.group.mu.Unlock()
	if w.has(InError) {
		w.group.change() // its error ends at once
	}
	w.retries, w.errorTime = 0, time.Time{}
	w.writeRow()
}

// FailedStatus puts w into error if failonstatus= has the status of its response, and reports whether it did
// (AH01174; httpd: mod_proxy_balancer.c proxy_balancer_post_request).
func (b *Balancer) FailedStatus(w *Worker, status int, now time.Time) bool {
	list := b.Settings().FailOnStatus
	return len(list) > 0 && slices.Contains(list, status) && w.forceIntoError(now)
}

// FailedTimeout puts w into error if failontimeout= is On, after it sent no status line in time,
// and reports whether it did (AH02460).
func (b *Balancer) FailedTimeout(w *Worker, now time.Time) bool {
	return b.Settings().FailOnTimeout.V && w.forceIntoError(now)
}

func (w *Worker) forceIntoError(now time.Time) bool {
	w.group.mu.Lock()
	defer w.group.mu.Unlock()
	return w.failAt(now)
}
