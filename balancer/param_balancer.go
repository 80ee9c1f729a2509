package balancer

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
)

// BalancerParams is the table of balancer parameters (httpd: mod_proxy.c set_balancer_param; the
// form's rules: mod_proxy_balancer.c balancer_process_balancer_worker). Never written to.
var BalancerParams = Table[BalancerSettings]{
	{Name: "lbmethod", Form: "b_lbm", Label: "LBmethod", Set: setMethod, FormSet: formMethod, Help: "byrequests, bytraffic, bybusyness or heartbeat",
		Get: func(s *BalancerSettings) (string, bool) { return s.Method.V, true }},
	{Name: "timeout", Form: "b_tmo", Label: "Timeout", Set: setTimeout, FormSet: formTimeout, Help: "seconds to wait for a usable member; 0: none",
		Get: func(s *BalancerSettings) (string, bool) { return seconds(s.Timeout), s.Timeout != 0 }},
	{Name: "maxattempts", Form: "b_max", Label: "Failover Attempts", Set: setAttempts, FormSet: formAttempts, Help: "further members to try; all by default",
		Get: func(s *BalancerSettings) (string, bool) { return strconv.Itoa(s.MaxAttempts.V), s.MaxAttempts.Set }},
	flagParam("nofailover", func(s *BalancerSettings) *Opt[bool] { return &s.NoFailover }, false,
		"failover must be On|Off", "answer 503 to sessions whose member is lost").
		editable("b_sforce", "Disable Failover", formNoFailover).
		shown(func(s *BalancerSettings) string { return map[bool]string{true: "1", false: "0"}[s.NoFailover.V] }),
	{Name: "stickysession", Form: "b_ss", Label: "Sticky Session", Set: setSticky, FormSet: formSticky, Help: "cookie, or cookie|URL parameter, that holds the session id",
		Get: func(s *BalancerSettings) (string, bool) { return s.Sticky.String(), s.Sticky.On() }},
	{Name: "stickysessionsep", Set: setSeparator, Help: "the character between session id and route, or Off",
		Get: getSeparator},
	flagParam("scolonpathdelim", func(s *BalancerSettings) *Opt[bool] { return &s.ScolonDelim }, false,
		"scolonpathdelim must be On|Off", "a semicolon ends the session id in a URL"),
	flagParam("forcerecovery", func(s *BalancerSettings) *Opt[bool] { return &s.ForceRecovery }, false,
		"forcerecovery must be On|Off", "retry all members at once when all are in error"),
	{Name: "nonce", Set: setNonce, Help: "secret of the manager's forms, or None",
		Get: getNonce},
	{Name: "failonstatus", Set: setFailOnStatus, Help: "answers that put a member into error"},
	local(flagParam("failontimeout", func(s *BalancerSettings) *Opt[bool] { return &s.FailOnTimeout }, false,
		"failontimeout must be On|Off", "a member that does not answer in time goes into error")),
	{Name: "growth", Set: setGrowth, Help: "members that the manager may add"},
}

// local is a parameter that stays with the configuration file: httpd does not keep it in shared
// memory, and nor do records.
func local(p Param[BalancerSettings]) Param[BalancerSettings] {
	p.Get = nil
	return p
}

var errMethod = errors.New("unknown lbmethod")

func setMethod(s *BalancerSettings, value string, e Env) error {
	if !e.hasMethod(value) {
		return errMethod
	}
	s.Method = Some(value)
	return nil
}

// formMethod knows only names of up to 14 bytes.
func formMethod(s *BalancerSettings, value string, e Env) bool {
	return len(value) <= 14 && setMethod(s, value, e) == nil
}

var errTimeout = errors.New("timeout must be at least one second")

func setTimeout(s *BalancerSettings, value string, _ Env) error {
	n := atoi(value)
	if n < 1 {
		return errTimeout
	}
	s.Timeout = time.Duration(n) * time.Second
	return nil
}

func formTimeout(s *BalancerSettings, value string, _ Env) bool {
	n := atoi(value)
	if n < 0 || n > 7200 {
		return false
	}
	s.Timeout = time.Duration(n) * time.Second
	return true
}

var errAttempts = errors.New("maximum number of attempts must be a positive number")

func setAttempts(s *BalancerSettings, value string, _ Env) error {
	n := atoi(value)
	if n < 0 {
		return errAttempts
	}
	s.MaxAttempts = Some(n)
	return nil
}

// formAttempts changes the number but not whether it counts.
func formAttempts(s *BalancerSettings, value string, _ Env) bool {
	n := atoi(value)
	if n < 0 || n > 99 {
		return false
	}
	s.MaxAttempts.V = n
	return true
}

func formNoFailover(s *BalancerSettings, value string, _ Env) bool {
	s.NoFailover = Some(atoi(value) != 0)
	return true
}

// stickySize is how much of a stickysession= is kept; the rest is cut off in silence.
const stickySize = 63

func setSticky(s *BalancerSettings, value string, _ Env) error {
	s.Sticky = parseSticky(value[:min(len(value), stickySize)])
	return nil
}

func formSticky(s *BalancerSettings, value string, _ Env) bool {
	switch {
	case value == "-":
		s.Sticky = Sticky{}
	case value != "" && len(value) < stickySize:
		s.Sticky = parseSticky(value)
	default:
		return false
	}
	return true
}

// parseSticky splits "A|B"; "A" names cookie and URL parameter alike.
func parseSticky(text string) Sticky {
	cookie, path, both := strings.Cut(text, "|")
	if !both {
		path = cookie
	}
	return Sticky{cookie, path}
}

var errSeparator = errors.New("stickysessionsep must be a single character or Off")

func setSeparator(s *BalancerSettings, value string, _ Env) error {
	switch {
	case len(value) == 1:
		s.Separator = Some(value[0])
	case strings.EqualFold(value, "off"):
		s.Separator = Some[byte](0)
	default:
		return errSeparator
	}
	return nil
}

func getSeparator(s *BalancerSettings) (string, bool) {
	if s.Separator.V == 0 {
		return "Off", s.Separator.Set
	}
	return string([]byte{s.Separator.V}), s.Separator.Set
}

var errNonce = errors.New("Provided nonce is too large")

func setNonce(s *BalancerSettings, value string, _ Env) error {
	switch {
	case strings.EqualFold(value, "None"):
		value = ""
	case len(value) > 36:
		return errNonce
	}
	s.Nonce = Some(value)
	return nil
}

func getNonce(s *BalancerSettings) (string, bool) {
	if s.Nonce.Set && s.Nonce.V == "" {
		return "None", true
	}
	return s.Nonce.V, s.Nonce.V != ""
}

var errFailOnStatus = errors.New("failonstatus must be one or more HTTP response codes")

func setFailOnStatus(s *BalancerSettings, value string, _ Env) error {
	s.FailOnStatus = nil
	for _, word := range strings.FieldsFunc(value, func(c rune) bool { return c == ',' || c == ' ' }) {
		n := atoi(word)
		if n < 100 || n > 599 {
			return errFailOnStatus
		}
		s.FailOnStatus = append(slices.Clip(s.FailOnStatus), n)
	}
	return nil
}

var errGrowth = errors.New("growth must be between 1 and 100")

func setGrowth(s *BalancerSettings, value string, _ Env) error {
	n := atoi(value)
	if n < 1 || n > 100 {
		return errGrowth
	}
	s.Growth = Some(n)
	return nil
}
