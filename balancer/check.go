package balancer

import "time"

// Verdict is what a health check's result changed.
type Verdict uint8

// The verdicts.
const (
	Unchanged     Verdict = iota
	CheckEnabled          // AH03302 "Health check ENABLING"
	CheckDisabled         // AH03303 "Health check DISABLING"
)

// HealthResult counts a health check that ended at now. As many passes as hcpasses= says end a
// failed check and an error alike, as many fails as hcfails= says are a failed check. A result of
// the other kind does not reset the count (httpd: mod_proxy_hcheck.c hc_check).
func (w *Worker) HealthResult(ok bool, now time.Time) Verdict {
	w.group.mu.Lock()
	defer w.group.mu.Unlock()
	defer w.writeRow()
	h := &w.settings.Load().Health
	failed := w.has(CheckFailed | InError)
	switch {
	case failed && ok:
		if w.passes++; w.passes >= h.Passes {
			w.passes = 0
			w.set(CheckFailed|InError, false)
			return CheckEnabled
		}
	case !failed && !ok:
		w.errorTime = now
		if w.fails++; w.fails >= h.Fails {
			w.fails = 0
			w.set(CheckFailed, true)
			return CheckDisabled
		}
	}
	return Unchanged
}

// Checkable reports whether health checks look at a worker: it is not stopped, and has a method.
func (w *Worker) Checkable() bool {
	return !w.has(Stopped) && w.Settings().Health.Method != CheckNone
}

// askForCheck has the worker checked as soon as it can be; false: it is not checked at all.
func (w *Worker) askForCheck() bool {
	if !w.Checkable() {
		return false
	}
	w.asked.Store(true)
	return true
}

// CheckAsked reports, once, that somebody wants the worker checked now.
func (w *Worker) CheckAsked() bool { return w.asked.Load() && w.asked.CompareAndSwap(true, false) }
