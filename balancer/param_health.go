package balancer

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// shortestCheck is the watchdog's tick, which no interval may undercut (httpd: mod_watchdog.h
// AP_WD_TM_SLICE).
const shortestCheck = 100 * time.Millisecond

// HealthParams is the table of health check parameters (httpd: mod_proxy_hcheck.c
// set_worker_hc_param), in the order of the form. Never written to.
var HealthParams = Table[Health]{
	{Name: "hcmethod", Form: "w_hm", Label: "Method", Set: setCheck, FormSet: formCheck, Help: "NONE, TCP, OPTIONS, HEAD, GET, their 11 forms, CPING",
		Get: func(h *Health) (string, bool) { return h.Method.String(), h.Method != CheckNone }},
	{Name: "hcexpr", Form: "w_he", Label: "Expr", Set: setExpr, FormSet: formExpr, Help: "name of a ProxyHCExpr that decides",
		Get: func(h *Health) (string, bool) { return h.Expr, h.Expr != "" }},
	{Name: "hcinterval", Form: "w_hi", Label: "Interval (ms)", Set: setInterval, FormSet: formInterval, Help: "seconds between checks; 30",
		Get:  func(h *Health) (string, bool) { return millis(h.Interval) + "ms", h.Interval != DefaultCheckInterval },
		Show: func(h *Health) string { return millis(h.Interval) }},
	intParam("hcpasses", func(h *Health) *int { return &h.Passes }, 0, math.MaxInt, 1,
		"Passes must be a positive value", "checks passed before the worker returns").
		editable("w_hp", "Passes trigger", formInt(func(h *Health) *int { return &h.Passes }, 1, math.MaxInt)),
	intParam("hcfails", func(h *Health) *int { return &h.Fails }, 0, math.MaxInt, 1,
		"Fails must be a positive value", "checks failed before the worker goes").
		editable("w_hf", "Fails trigger", formInt(func(h *Health) *int { return &h.Fails }, 1, math.MaxInt)),
	textParam("hcuri", func(h *Health) *string { return &h.URI }, longestURI,
		"Health check uri length must be < %d characters", "appended to the worker's URL").
		checked(errURI, inURI).
		editable("w_hu", "HC uri", formURI),
	textParam("hcheader", func(h *Health) *string { return &h.Header }, longestExpected,
		"Health check header length must be < %d characters", "a field that the check sends: \"Host: app.example\"").
		checked(errHeader, isFieldLine).ours(),
	textParam("hcstatus", func(h *Health) *string { return &h.Statuses }, longestExpected,
		"Health check status length must be < %d characters", "the answers that pass: 200-299,404").
		checked(errStatuses, func(v string) bool { return v == "" || rangesOf(v) != nil }).ours(),
	textParam("hctext", func(h *Health) *string { return &h.Text }, longestExpected,
		"Health check text length must be < %d characters", "a text that the answer's body must hold").ours(),
	{Name: "hctemplate", Set: setTemplate, Help: "name of a ProxyHCTemplate to start from"},
}

// healthOfWorker is HealthParams as parameters of a worker; they exist when mod_proxy_hcheck is
// loaded, and only the form's fields always do.
func healthOfWorker() (t Table[WorkerSettings]) {
	for _, p := range HealthParams {
		t = append(t, ofWorker(p))
	}
	return t
}

func ofWorker(p Param[Health]) Param[WorkerSettings] {
	w := Param[WorkerSettings]{Name: p.Name, Form: p.Form, Label: p.Label, Help: p.Help, Own: p.Own}
	w.Set = func(s *WorkerSettings, value string, e Env) error {
		if !e.HCheck {
			return errWorkerParam
		}
		return p.Set(&s.Health, value, e)
	}
	if p.FormSet != nil {
		w.FormSet = func(s *WorkerSettings, value string, e Env) bool { return p.FormSet(&s.Health, value, e) }
	}
	if p.Get != nil {
		w.Get = func(s *WorkerSettings) (string, bool) { return p.Get(&s.Health) }
	}
	if p.Show != nil {
		w.Show = func(s *WorkerSettings) string { return p.Show(&s.Health) }
	}
	return w
}

var errCheck = errors.New("Unknown method")

func setCheck(h *Health, value string, e Env) error {
	m, ok := checkNamed(value)
	switch {
	case !ok:
		return errCheck
	case !m.implemented(e):
		return fmt.Errorf("Health check method %s not (yet) implemented", value)
	}
	h.Method = m
	return nil
}

func formCheck(h *Health, value string, e Env) bool { return setCheck(h, value, e) == nil }

func checkNamed(name string) (Check, bool) {
	for m, n := range checks {
		if strings.EqualFold(n, name) {
			return Check(m), true
		}
	}
	return CheckNone, false
}

// implemented reports whether workers may be checked this way where e holds.
func (c Check) implemented(e Env) bool { return c != CheckProvider && (c != CheckCPing || e.CPing) }

// Checks is the methods of health checks that e has, in the order of the manager's form.
func (e Env) Checks() (methods []Check) {
	for m := range checks {
		if Check(m).implemented(e) {
			methods = append(methods, Check(m))
		}
	}
	return methods
}

var (
	errIntervalForm  = errors.New("Unparse-able hcinterval setting")
	errIntervalShort = errors.New("Interval must be a positive value greater than 100ms")
)

func setInterval(h *Health, value string, _ Env) error {
	d, ok := parseTime(value, "s")
	switch {
	case !ok:
		return errIntervalForm
	case d < shortestCheck:
		return errIntervalShort
	}
	h.Interval = d
	return nil
}

func formInterval(h *Health, value string, _ Env) bool {
	d, ok := parseTime(value, "ms")
	if !ok || d < shortestCheck {
		return false
	}
	h.Interval = d
	return true
}

func setExpr(h *Health, value string, e Env) error {
	if !e.hasExpr(value) {
		return fmt.Errorf("Unknown health check condition expr: %s", value)
	}
	h.Expr = value
	return nil
}

// formExpr takes the name of a defined expression, as it was spelt first, and clears on any other; without
// mod_proxy_hcheck it does nothing.
func formExpr(h *Health, value string, e Env) bool {
	if !e.HCheck {
		return false
	}
	if !slices.ContainsFunc(e.Exprs, func(x Expr) bool { return x.Name == value }) {
		value = ""
	}
	h.Expr = value
	return true
}

func setTemplate(h *Health, value string, e Env) error {
	for _, t := range e.Templates {
		if strings.EqualFold(t.Name, value) {
			*h = t.Health
			return nil
		}
	}
	return fmt.Errorf("Unknown ProxyHCTemplate name: %s", value)
}

// What texts of health checks may be: longestURI is httpd's, longestExpected our own for what httpd has not.
const (
	longestURI      = 64
	longestExpected = 256
)

var (
	errURI      = errors.New("Health check uri must not have blanks or control characters")
	errHeader   = errors.New("Health check header must be a field: 'Name: value'")
	errStatuses = errors.New("Health check status must be numbers from 100 to 599 and ranges of them: 200-299,404")
)

// checked adds a condition to a parameter's values. httpd has none for hcuri: whoever may edit it there
// writes lines of the check's request.
func (p Param[S]) checked(bad error, good func(value string) bool) Param[S] {
	set := p.Set
	p.Set = func(s *S, value string, e Env) error {
		if !good(value) {
			return bad
		}
		return set(s, value, e)
	}
	return p
}

// ours marks a parameter that httpd has not.
func (p Param[S]) ours() Param[S] {
	p.Own = true
	return p
}

// inURI reports whether a text may stand in a request line.
func inURI(v string) bool {
	return strings.IndexFunc(v, func(r rune) bool { return r <= ' ' || r == 0x7f }) < 0
}

func formURI(h *Health, value string, e Env) bool {
	return inURI(value) && formText(func(h *Health) *string { return &h.URI }, longestURI)(h, value, e)
}

// isFieldLine reports whether a text is a header field (RFC 9110 section 5).
func isFieldLine(v string) bool {
	name, value, ok := strings.Cut(v, ":")
	const tokens = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	return v == "" || ok && name != "" && strings.Trim(name, tokens) == "" &&
		strings.IndexFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) < 0
}

// Field is Header's name and value; "" for none.
func (h *Health) Field() (name, value string) {
	name, value, _ = strings.Cut(h.Header, ":")
	return name, strings.Trim(value, " \t")
}

// Passed reports whether a status is one that Statuses, or else httpd's rule, lets pass.
func (h *Health) Passed(status int) bool {
	if h.Statuses == "" {
		return 200 <= status && status <= 399
	}
	for _, r := range rangesOf(h.Statuses) {
		if r[0] <= status && status <= r[1] {
			return true
		}
	}
	return false
}

// rangesOf reads "200-299,404"; nil for anything else.
func rangesOf(text string) (list [][2]int) {
	for part := range strings.SplitSeq(text, ",") {
		from, to, isRange := strings.Cut(part, "-")
		if !isRange {
			to = from
		}
		lo, err1 := strconv.Atoi(from)
		hi, err2 := strconv.Atoi(to)
		if err1 != nil || err2 != nil || lo < 100 || hi > 599 || lo > hi {
			return nil
		}
		list = append(list, [2]int{lo, hi})
	}
	return list
}
