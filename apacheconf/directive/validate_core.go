package directive

import (
	"errors"
	"strconv"
	"strings"

	"balancerd/apacheconf"
)

var optionWords = set("indexes includes includesnoexec followsymlinks symlinksifownermatch execcgi multiviews none all runscripts")

// checkOptions: signed and plain words don't mix, but after None or All (httpd: core.c set_options).
func checkOptions(_ *Scope, a Args) error {
	mixed := errors.New("Either all Options must start with + or -, or no Option may.")
	merge, allNone := false, false
	for i, name := range apacheconf.Words(a.Raw) {
		signed := name != "" && (name[0] == '+' || name[0] == '-')
		switch {
		case signed && !merge && i > 0 && !allNone, !signed && merge:
			return mixed
		case signed:
			name, merge = name[1:], true
		}
		low := strings.ToLower(name)
		switch {
		case !optionWords[low]:
			return errors.New("Illegal option " + name)
		case low == "none" || low == "all":
			if err := absoluteOption(low, i, merge); err != nil {
				return err
			}
			allNone = true
		}
	}
	return nil
}

// absoluteOption: None and All stand first and have no sign.
func absoluteOption(low string, at int, signed bool) error {
	switch {
	case at > 0 && low == "none":
		return errors.New("'Options None' must be the first Option given.")
	case at > 0:
		return errors.New("'Options All' must be the first option given.")
	case signed && low == "none":
		return errors.New("You may not use 'Options +None' or 'Options -None'.")
	case signed:
		return errors.New("You may not use 'Options +All' or 'Options -All'.")
	}
	return nil
}

// checkAllowOverride (httpd: core.c set_override).
func checkAllowOverride(s *Scope, a Args) error {
	if a.Forbid(s, Location|Files|Limit) != nil {
		s.Config.Warn(a.Pos, "core", "AH00114: Useless use of AllowOverride in line "+Itoa(a.Pos.Line)+" of "+a.Pos.File+".")
	}
	for _, w := range apacheconf.Words(a.Raw) {
		name, value, has := strings.Cut(w, "=")
		switch low := strings.ToLower(name); low {
		case "limit", "fileinfo", "authconfig", "indexes", "none", "all":
		case "options":
			for o := range strings.SplitSeq(value, ",") {
				if has && !optionWords[strings.ToLower(o)] {
					return errors.New("Illegal option " + o)
				}
			}
		case "nonfatal":
			if !has {
				return errors.New("=Override, =Unknown or =All expected after " + name)
			}
		default:
			return errors.New("Illegal override option " + name)
		}
	}
	return nil
}

// checkFileETag (httpd: core.c set_etag_bits).
func checkFileETag(_ *Scope, a Args) error {
	for _, w := range apacheconf.Words(a.Raw) {
		name := w
		if w != "" && (w[0] == '+' || w[0] == '-') {
			name = w[1:]
		}
		switch strings.ToLower(name) {
		case "none", "all":
			if name != w {
				return errors.New("FileETag keyword '" + name + "' cannot be used with '+' or '-'")
			}
		case "inode", "mtime", "lmtime", "lastmodified", "size", "digest":
		default:
			return errors.New("Unknown keyword '" + name + "' for FileETag directive")
		}
	}
	return nil
}

const mutexWords = " (Mutex mechanisms are: 'none', 'default', 'flock:/path/to/file', 'fcntl:/path/to/file', 'file:/path/to/file', 'pthread', 'sysvsem', 'posixsem', 'sem')"

var mutexNames = set(`default mpm-accept authdigest-client authdigest-opaque ldap-cache rewrite-map ssl-cache ssl-stapling ssl-stapling-refresh watchdog-callback
proxy proxy-balancer-shm cache-socache authn-socache lua-ivm-shm heartmonitor cgid`)

// checkMutex (httpd: util_mutex.c ap_set_mutex).
func checkMutex(s *Scope, a Args) error {
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
		if types++; !mutexNames[strings.ToLower(w)] {
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
func checkRegexOptions(_ *Scope, a Args) error {
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

// numberIn takes a whole number and nothing else; the message ends in what was given.
func numberIn(lo, hi int64, message string) func(*Scope, Args) error {
	return func(_ *Scope, a Args) error {
		if n, err := strconv.ParseInt(a.Words[0], 10, 64); err != nil || n < lo || n > hi {
			return errors.New(message + a.Words[0])
		}
		return nil
	}
}

// checkPadding checks H2Padding's number of bits.
func checkPadding(_ *Scope, a Args) error {
	switch n := Atoi(a.Words[0]); {
	case n < 0:
		return errors.New("number of bits must be >= 0")
	case n > 8:
		return errors.New("number of bits must be <= 8")
	}
	return nil
}

func notNegative(message string) func(*Scope, Args) error {
	return func(_ *Scope, a Args) error {
		if n, err := strconv.ParseInt(a.Words[0], 10, 64); err != nil || n < 0 {
			return errors.New(message)
		}
		return nil
	}
}

func checkDeflateNote(_ *Scope, a Args) error {
	if len(a.Words) < 2 {
		return nil
	}
	switch strings.ToLower(a.Words[0]) {
	case "ratio", "input", "output":
		return nil
	}
	return errors.New("Unknown note type " + a.Words[0])
}

func checkPushPriority(_ *Scope, a Args) error {
	if w := apacheconf.Words(a.Raw); len(w) > 1 && !begins(w[1], "after", "before", "interleaved") {
		return errors.New("dependency must be one of 'After', 'Before' or 'Interleaved'")
	}
	return nil
}

// checkTrusted takes an address or a subnet. Host names are not looked up (httpd: mod_remoteip.c
// proxies_set).
func checkTrusted(_ *Scope, a Args) error {
	w := a.Words[0]
	ip, bits, subnet := strings.Cut(w, "/")
	address := strings.Contains(ip, ":") || strings.Trim(ip, "0123456789.") == ""
	if !subnet {
		return nil
	}
	if !address {
		return errors.New("RemoteIP: Error parsing IP " + w + " the subnet /" + bits + " is invalid for " + a.Name)
	}
	most := 32
	if strings.Contains(ip, ":") {
		most = 128
	}
	if n, err := strconv.Atoi(bits); (err != nil || n < 1 || n > most) && !strings.Contains(bits, ".") {
		return errors.New("RemoteIP: Error parsing IP " + w + " (The specified network mask is invalid. error) for " + a.Name)
	}
	return nil
}

// checkExpires takes "base [plus] {N unit}…"; a code that begins with A or M is not looked at
// (httpd: mod_expires.c check_code).
func checkExpires(_ *Scope, a Args) error {
	code := a.Words[len(a.Words)-1]
	if problem := expiresCode(code); problem != "" {
		return errors.New("'" + a.Name + " " + strings.Join(a.Words, " ") + "': bad expires code, " + problem)
	}
	return nil
}

func expiresCode(code string) (problem string) {
	if code != "" && (code[0] == 'A' || code[0] == 'M') {
		return ""
	}
	w := apacheconf.Words(code)
	if len(w) == 0 || !begins(w[0], "n", "a", "m") {
		first, _ := apacheconf.Word(code)
		return "unrecognised <base> '" + first + "'"
	}
	if w = w[1:]; len(w) > 0 && begins(w[0], "p") {
		w = w[1:]
	}
	for ; len(w) > 0 && w[0] != ""; w = w[2:] {
		switch {
		case w[0][0] < '0' || w[0][0] > '9':
			return "numeric value expected <num> '" + w[0] + "'"
		case len(w) == 1 || w[1] == "":
			return "missing <type>"
		case !begins(w[1], "y", "mo", "w", "d", "h", "mi", "s"):
			return "unrecognised <type>'" + w[1] + "'"
		}
	}
	return ""
}

// begins tells whether a word begins with one of these, in any case.
func begins(word string, with ...string) bool {
	for _, p := range with {
		if len(word) >= len(p) && strings.EqualFold(word[:len(p)], p) {
			return true
		}
	}
	return false
}
