package core

import (
	"errors"
	"slices"
	"strings"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
)

// ignored are the core's directives that have no effect here.
var ignored = directive.Table{
	{Name: "FlushMaxThreshold", Ignored: &directive.Ignored{Check: directive.NumberIn(0, 1<<32-1, "parameter must be a number between 0 and (4294967295U)): "), Tuning: true}},
	{Name: "FlushMaxPipelined", Ignored: &directive.Ignored{Check: directive.NumberIn(-1, 1<<31-1, "parameter must be a number between -1 and (2147483647): "), Tuning: true}},
	{Name: "Protocol", Ignored: &directive.Ignored{Tuning: true}},
	{Name: "AcceptFilter", Ignored: &directive.Ignored{Tuning: true}},
	{Name: "LimitXMLRequestBody", Ignored: &directive.Ignored{Closes: directive.Unless("0")}},
	{Name: "Mutex", Ignored: &directive.Ignored{Check: checkMutex, Main: true, Tuning: true}},
	{Name: "RLimitCPU", Ignored: &directive.Ignored{Tuning: true}},
	{Name: "RLimitMEM", Ignored: &directive.Ignored{Tuning: true}},
	{Name: "RLimitNPROC", Ignored: &directive.Ignored{Tuning: true}},
	{Name: "RegexDefaultOptions", Ignored: &directive.Ignored{Check: checkRegexOptions, Closes: directive.Always, Main: true}},
	{Name: "SeeRequestTail", Ignored: &directive.Ignored{Main: true, Tuning: true}},
}

const mutexWords = " (Mutex mechanisms are: 'none', 'default', 'flock:/path/to/file', 'fcntl:/path/to/file', 'file:/path/to/file', 'pthread', 'sysvsem', 'posixsem', 'sem')"

var mutexNames = strings.Fields(`default mpm-accept authdigest-client authdigest-opaque ldap-cache rewrite-map ssl-cache ssl-stapling ssl-stapling-refresh watchdog-callback
proxy proxy-balancer-shm cache-socache authn-socache lua-ivm-shm heartmonitor cgid`)

// checkMutex (httpd: util_mutex.c ap_set_mutex).
func checkMutex(s *directive.Scope, a directive.Args) error {
	mech, rest := apacheconf.Word(a.Raw)
	if mech == "" {
		return errors.New("Mutex requires at least a mechanism argument" + mutexWords)
	}
	kind, dir, _ := strings.Cut(mech, ":")
	none := false
	switch strings.ToLower(kind) {
	case "none", "no":
		none = true
	case "default", "flock", "fcntl", "file", "pthread", "sysvsem", "posixsem", "sem", "yes":
		if dir != "" && s.Config.IsFolder(s.Config.Tree.Path(dir)) != nil {
			return errors.New("Invalid Mutex directory in argument " + mech)
		}
	default:
		return errors.New("Invalid Mutex argument " + mech + mutexWords)
	}
	types := 0
	for _, w := range apacheconf.Words(rest) {
		if strings.EqualFold(w, "omitpid") {
			continue
		}
		if types++; !slices.Contains(mutexNames, strings.ToLower(w)) {
			return errors.New("Mutex type " + w + " is not valid")
		}
		if none && strings.EqualFold(w, "default") {
			types = 0
			break
		}
	}
	if none && types == 0 {
		return errors.New("None is not allowed for mutex type default")
	}
	return nil
}

// checkRegexOptions (httpd: core.c set_regex_default_options).
func checkRegexOptions(_ *directive.Scope, a directive.Args) error {
	for _, w := range apacheconf.Words(a.Raw) {
		if strings.EqualFold(w, "none") {
			continue
		}
		if w != "" && (w[0] == '+' || w[0] == '-') {
			w = w[1:]
		}
		switch strings.ToLower(w) {
		case "icase", "dotall", "dollar_endonly", "extended":
		default:
			return errors.New("RegexDefaultOptions: option '" + w + "' unknown")
		}
	}
	return nil
}
