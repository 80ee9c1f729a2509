package balancer_test

import (
	"slices"
	"testing"
	"time"

	"balancerd/balancer"
)

func retries(s balancer.Snapshot) any  { return s.Retries }
func inError(s balancer.Snapshot) any  { return !s.ErrorTime.IsZero() }
func checksSo(s balancer.Snapshot) any { return [2]int{s.Passes, s.Fails} }

// TestForcedRecovery: with all members in error every request still tries them all.
func TestForcedRecovery(t *testing.T) {
	r := newRig(t, "", "retry=1", "retry=1")
	expect(t, "all down", r.picks(3, nil, "b1", "b2"), "503 503 503")
	expect(t, "elected", r.column(elected), "3,3")
	expect(t, "up again", r.picks(2, nil), "b2 b1")
	expect(t, "loads", r.column(load1), "-100,100")
	expect(t, "status", r.column(status), "Init Ok,Init Ok")

	r = newRig(t, "forcerecovery=Off", "retry=1", "retry=1")
	expect(t, "off, all down", r.picks(3, nil, "b1", "b2"), "503 503 503")
	expect(t, "off, too soon", r.picks(2, nil), "503 503")
	expect(t, "off, status", r.column(status), "Init Err,Init Err")
	expect(t, "off, elected", r.column(elected), "1,1")
	expect(t, "off, loads", r.column(load1), "-100,100")
	r.now = r.now.Add(1100 * time.Millisecond)
	expect(t, "off, later", r.picks(4, nil), "b2 b1 b2 b1")
}

// TestForcedClaim tells that recovery was forced, and counts it as a retry.
func TestForcedClaim(t *testing.T) {
	r := newRig(t, "", "", "")
	c, _ := r.b.Claim(nil, r.now)
	expect(t, "healthy", c.Forced, false)
	for _, w := range r.b.Members() {
		w.Fail(r.now)
	}
	c, _ = r.b.Claim(nil, r.now)
	expect(t, "forced", c.Forced, true)
	expect(t, "retries", r.column(retries), "1,1")
	expect(t, "error times stay", r.column(inError), "true,true")
}

// TestNotForced: a member that is disabled, or failed its check, is not in error and so prevents it.
func TestNotForced(t *testing.T) {
	for _, other := range []string{"status=+D", "status=+C", "status=+N"} {
		r := newRig(t, "", "retry=600", other)
		expect(t, other, r.picks(4, nil, "b1"), "503 503 503 503")
		expect(t, other, r.column(elected), "1,0")
	}
	r := newRig(t, "", "retry=600")
	expect(t, "alone", r.picks(2, nil, "b1"), "503 503")
	expect(t, "alone, up", r.picks(2, nil), "b1 b1")
}

// TestRetryZero: the very next request tries the member again, but the same request does not.
func TestRetryZero(t *testing.T) {
	r := newRig(t, "forcerecovery=Off maxattempts=0", "retry=0", "")
	expect(t, "down", r.picks(4, nil, "b1"), "503 b2 503 b2")
	expect(t, "up", r.picks(4, nil), "b1 b2 b1 b2")
}

// TestRetryIsStrict: the time must have passed, not just come.
func TestRetryIsStrict(t *testing.T) {
	r := newRig(t, "forcerecovery=Off", "retry=3")
	w := r.b.Members()[0]
	w.Fail(r.now)
	expect(t, "at the time", w.Retry(r.now.Add(3*time.Second)), false)
	expect(t, "retries", r.column(retries), "0")
	expect(t, "after", w.Retry(r.now.Add(3*time.Second+1)), true)
	expect(t, "retries", r.column(retries), "1")
	w.Connected()
	expect(t, "retries", r.column(retries), "0")
	expect(t, "error time", r.column(inError), "false")
}

// TestWhoFails: which members an error takes out, and what ends it.
func TestWhoFails(t *testing.T) {
	later := 600 * time.Second
	for _, c := range []struct {
		params   string
		unusable bool // by Fail
		status   string
		retried  string // status after a retry in time
	}{
		{"", true, "Init Err", "Init Ok"},
		{"status=+I", false, "Init Ign Ok", "Init Ign Ok"},
		{"status=+S", true, "Init Stop Err", "Init Stop Err"},
		{"status=+D", true, "Init Dis Err", "Init Dis"},
		{"status=+C", true, "Init Err HcFl", "Init HcFl"},
		{"status=+IE", true, "Init Ign Err", "Init Ign Ok"},
		{"status=+IS", true, "Init Ign Stop", "Init Ign Stop"},
	} {
		r := newRig(t, "", c.params)
		w := r.b.Members()[0]
		expect(t, c.params+" fails", w.Fail(r.now), c.unusable)
		expect(t, c.params, r.column(status), c.status)
		w.Retry(r.now.Add(later))
		expect(t, c.params+" retried", r.column(status), c.retried)
	}
}

// TestIgnoredErrorIsRetriedAtOnce: a member with both is tried by the next pick.
func TestIgnoredErrorIsRetriedAtOnce(t *testing.T) {
	r := newRig(t, "", "status=+IE retry=600", "")
	expect(t, "picks", r.picks(2, nil), "b1 b2")
}

// TestPlainWorker: without a balancer errors do not count.
func TestPlainWorker(t *testing.T) {
	f := newFarm(nil)
	spec := memberOf(t, "http://h/", "")
	spec.VHost = "pmain"
	spec.Settings.Status |= balancer.IgnoreErrors
	r, err := f.Plan(t.Context(), nil, slices.Values([]balancer.WorkerSpec{spec}))
	if err != nil {
		t.Fatal(err)
	}
	f.Commit(r)
	w := f.Workers("pmain")[0]
	expect(t, "fails", w.Fail(time.Now()), false)
	expect(t, "status", w.Status().String(), "Init Ign Ok ")
	expect(t, "member", w.Member(), false)
}

// TestClockSteps: a step of the wall clock neither frees nor holds a member.
func TestClockSteps(t *testing.T) {
	r := newRig(t, "forcerecovery=Off", "retry=60")
	w := r.b.Members()[0]
	failed := time.Now()
	w.Fail(failed)
	// A Time without its monotonic part compares by the wall: this is what a step would look like.
	wall := failed.Round(0).AddDate(0, 0, 1)
	expect(t, "by the wall", w.Retry(wall), true)
	w.Fail(failed)
	expect(t, "by the monotonic clock", w.Retry(failed.Add(59*time.Second)), false)
}

func TestFailOnStatus(t *testing.T) {
	r := newRig(t, "failonstatus=500,503", "retry=600", "status=+I")
	b1, b2 := r.b.Members()[0], r.b.Members()[1]
	expect(t, "404", r.b.FailedStatus(b1, 404, r.now), false)
	expect(t, "ignored", r.b.FailedStatus(b2, 500, r.now), false)
	expect(t, "500", r.b.FailedStatus(b1, 500, r.now), true)
	expect(t, "status", r.column(status), "Init Err,Init Ign Ok")
	r = newRig(t, "", "")
	expect(t, "no list", r.b.FailedStatus(r.b.Members()[0], 500, r.now), false)
}

func TestFailOnTimeout(t *testing.T) {
	for params, want := range map[string]string{"": "Init Ok", "failontimeout=Off": "Init Ok", "failontimeout=On": "Init Err"} {
		r := newRig(t, params, "")
		expect(t, params, r.b.FailedTimeout(r.b.Members()[0], r.now), want == "Init Err")
		expect(t, params, r.column(status), want)
	}
}

// TestHealth is the state machine of health checks: what each result does to status and counts.
func TestHealth(t *testing.T) {
	for _, c := range []struct {
		params  string
		results string // + passed, - failed
		want    []string
	}{
		{"", "-+", []string{"Init HcFl [0 0]", "Init Ok [0 0]"}},
		{"", "+-", []string{"Init Ok [0 0]", "Init HcFl [0 0]"}},
		{"hcfails=3 hcpasses=2", "---++", []string{"Init Ok [0 1]", "Init Ok [0 2]", "Init HcFl [0 0]", "Init HcFl [1 0]", "Init Ok [0 0]"}},
		{"hcfails=3", "-+-+-", []string{"Init Ok [0 1]", "Init Ok [0 1]", "Init Ok [0 2]", "Init Ok [0 2]", "Init HcFl [0 0]"}},
		{"hcpasses=2", "-+-+", []string{"Init HcFl [0 0]", "Init HcFl [1 0]", "Init HcFl [1 0]", "Init Ok [0 0]"}},
		{"status=+E retry=600", "-+", []string{"Init Err [0 0]", "Init Ok [0 0]"}},
		{"status=+EC", "+", []string{"Init Ok [0 0]"}},
		{"status=+D", "-+", []string{"Init Dis HcFl [0 0]", "Init Dis [0 0]"}},
		{"hcpasses=0 hcfails=0", "-+", []string{"Init HcFl [0 0]", "Init Ok [0 0]"}},
	} {
		r := newRig(t, "", c.params)
		w := r.b.Members()[0]
		for i, result := range c.results {
			before := w.Status()
			verdict := w.HealthResult(result == '+', r.now)
			got := r.column(status) + " " + r.column(checksSo)
			expect(t, c.params+" "+c.results[:i+1], got, c.want[i])
			changed := before != w.Status()
			if (verdict == balancer.Unchanged) == changed || verdict == balancer.CheckEnabled && result == '-' || verdict == balancer.CheckDisabled && result == '+' {
				t.Errorf("%s %s: verdict %d", c.params, c.results[:i+1], verdict)
			}
		}
	}
}

// TestHealthFailureStays: neither time nor need ends a failed check, and its error time is kept.
func TestHealthFailureStays(t *testing.T) {
	r := newRig(t, "", "retry=1")
	r.b.Members()[0].HealthResult(false, r.now)
	expect(t, "error time", r.column(inError), "true")
	r.now = r.now.Add(time.Hour)
	expect(t, "picks", r.picks(2, nil), "503 503")
	r.b.Members()[0].HealthResult(true, r.now)
	expect(t, "passed", r.picks(2, nil), "b1 b1")
	expect(t, "error time remains", r.column(inError), "true")
}
