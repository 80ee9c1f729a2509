package directive

import (
	"errors"
	"os"
	"strings"

	"balancerd/apacheconf"
)

// validators check the values of directives that no module obeys, as far as a wrong one is worth
// telling before it is moved to a server that does obey them. Messages are httpd's.
var validators = map[string]func(*Scope, Args) error{
	"options":       checkOptions,
	"allowoverride": checkAllowOverride,
	"fileetag":      checkFileETag,
	"mutex":         checkMutex,

	"rewriterule":    checkRewriteRule,
	"rewritecond":    checkRewriteCond,
	"rewriteoptions": checkRewriteOptions,
	"rewritemap":     checkRewriteMap,
	"rewritebase":    checkRewriteBase,

	"expiresdefault":            checkExpires,
	"expiresbytype":             checkExpires,
	"deflatecompressionlevel":   between(1, 9, "Compression Level must be between 1 and 9"),
	"remoteiptrustedproxylist":  readable("RemoteIPTrustedProxyList: Could not open file "),
	"remoteipinternalproxylist": readable("RemoteIPInternalProxyList: Could not open file "),

	"sslengine":                      oneOf("Argument must be On or Off", "on", "off", "optional"),
	"sslcertificatefile":             certificate,
	"sslcertificatekeyfile":          certificate,
	"sslcertificatechainfile":        certificate,
	"sslcacertificatefile":           certificate,
	"sslcarevocationfile":            certificate,
	"sslproxycacertificatefile":      certificate,
	"sslproxymachinecertificatefile": certificate,
	"sslproxycarevocationfile":       certificate,
	"sslprotocol":                    checkProtocol,
	"sslproxyprotocol":               checkProtocol,
	"sslverifyclient":                invalidArgument("none", "optional", "require", "optional_no_ca"),
	"sslproxyverify":                 invalidArgument("none", "optional", "require", "optional_no_ca"),
	"ssloptions":                     checkSSLOptions,
	"sslciphersuite":                 checkCipherSuite,
	"sslproxyciphersuite":            checkCipherSuite,
}

func oneOf(message string, words ...string) func(*Scope, Args) error {
	return func(_ *Scope, a Args) error {
		for _, w := range words {
			if strings.EqualFold(a.Words[0], w) {
				return nil
			}
		}
		return errors.New(message)
	}
}

func invalidArgument(words ...string) func(*Scope, Args) error {
	return func(s *Scope, a Args) error {
		return oneOf(a.Name+": Invalid argument '"+a.Words[0]+"'", words...)(s, a)
	}
}

func between(lo, hi int, message string) func(*Scope, Args) error {
	return func(_ *Scope, a Args) error {
		if n := Atoi(a.Words[0]); n < lo || n > hi {
			return errors.New(message)
		}
		return nil
	}
}

func readable(prefix string) func(*Scope, Args) error {
	return func(s *Scope, a Args) error {
		path := s.Config.Tree.Path(a.Words[0])
		if _, err := os.Stat(path); err != nil {
			return errors.New(prefix + path + ": No such file or directory")
		}
		return nil
	}
}

func certificate(s *Scope, a Args) error {
	path := s.Config.Tree.Path(a.Words[0])
	if st, err := os.Stat(path); err != nil || st.Size() == 0 || !st.Mode().IsRegular() {
		return errors.New(a.Name + ": file '" + path + "' does not exist or is empty")
	}
	return nil
}

var optionWords = set("indexes includes includesnoexec followsymlinks symlinksifownermatch execcgi multiviews none all runscripts")

// checkOptions: signed and plain words don't mix, but after None or All (httpd: core.c set_options).
func checkOptions(_ *Scope, a Args) error {
	mixed := errors.New("Either all Options must start with + or -, or no Option may.")
	merge, allNone := false, false
	for i, w := range apacheconf.Words(a.Raw) {
		name := strings.TrimLeft(w, "+-")
		if name != w {
			if !merge && i > 0 && !allNone {
				return mixed
			}
			merge = true
		} else if merge {
			return mixed
		}
		low := strings.ToLower(name)
		if !optionWords[low] {
			return errors.New("Illegal option " + name)
		}
		if low == "none" || low == "all" {
			if i > 0 {
				return errors.New("'Options " + strings.ToUpper(low[:1]) + low[1:] + "' must be the first Option given.")
			}
			allNone = true
		}
	}
	return nil
}

func checkAllowOverride(s *Scope, a Args) error {
	for _, w := range apacheconf.Words(a.Raw) {
		name, _, _ := strings.Cut(strings.ToLower(w), "=")
		switch name {
		case "limit", "options", "fileinfo", "authconfig", "indexes", "none", "all", "nonfatal":
		default:
			return errors.New("Illegal override option " + w)
		}
	}
	return nil
}

func checkFileETag(_ *Scope, a Args) error {
	for _, w := range apacheconf.Words(a.Raw) {
		switch strings.ToLower(strings.TrimLeft(w, "+-")) {
		case "none", "all", "inode", "mtime", "size", "digest":
		default:
			return errors.New("Unknown keyword '" + w + "' for FileETag directive")
		}
	}
	return nil
}

const mutexWords = " (Mutex mechanisms are: 'none', 'default', 'flock:/path/to/file', 'fcntl:/path/to/file', 'file:/path/to/file', 'pthread', 'sysvsem', 'posixsem', 'sem')"

var mutexNames = set(`default mpm-accept authdigest-client authdigest-opaque ldap-cache rewrite-map ssl-cache ssl-stapling ssl-stapling-refresh watchdog-callback
proxy proxy-balancer-shm cache-socache authn-socache lua-ivm-shm heartmonitor cgid`)

func checkMutex(_ *Scope, a Args) error {
	for i, w := range apacheconf.Words(a.Raw) {
		mech, _, _ := strings.Cut(strings.ToLower(w), ":")
		switch {
		case i == 0:
			switch mech {
			case "none", "no", "default", "flock", "fcntl", "file", "pthread", "sysvsem", "posixsem", "sem", "yes":
			default:
				return errors.New("Invalid Mutex argument " + w + mutexWords)
			}
		case strings.EqualFold(w, "omitpid"):
		case !mutexNames[mech]:
			return errors.New("Mutex type " + w + " is not valid")
		}
	}
	return nil
}

// checkExpires takes "base [plus] N unit …" or the letter form A3600 (httpd: mod_expires.c check_code).
func checkExpires(_ *Scope, a Args) error {
	code := a.Words[len(a.Words)-1]
	first, _ := apacheconf.Word(code)
	low := strings.ToLower(first)
	for _, base := range []string{"now", "access", "modification"} {
		if len(low) > 1 && strings.HasPrefix(base, low[:min(len(low), 3)]) && strings.HasPrefix(base, low) {
			return nil
		}
	}
	if len(first) > 1 && (first[0] == 'A' || first[0] == 'M' || first[0] == 'N') && first[1] >= '0' && first[1] <= '9' {
		return nil
	}
	name := a.Name + " " + strings.Join(a.Words, " ")
	return errors.New("'" + name + "': bad expires code, unrecognised <base> '" + first + "'")
}

func checkProtocol(_ *Scope, a Args) error {
	for _, w := range apacheconf.Words(a.Raw) {
		switch strings.ToLower(strings.TrimLeft(w, "+-")) {
		case "sslv2", "sslv3", "tlsv1", "tlsv1.1", "tlsv1.2", "tlsv1.3", "all":
		default:
			return errors.New(a.Name + ": Illegal protocol '" + strings.TrimLeft(w, "+-") + "'")
		}
	}
	return nil
}

func checkSSLOptions(_ *Scope, a Args) error {
	for _, w := range apacheconf.Words(a.Raw) {
		switch strings.ToLower(strings.TrimLeft(w, "+-")) {
		case "stdenvvars", "exportcertdata", "fakebasicauth", "strictrequire", "optrenegotiate", "legacydnstringformat":
		default:
			return errors.New("SSLOptions: Illegal option '" + strings.TrimLeft(w, "+-") + "'")
		}
	}
	return nil
}

func checkCipherSuite(_ *Scope, a Args) error {
	if len(a.Words) == 2 && !strings.EqualFold(a.Words[0], "SSL") && !strings.EqualFold(a.Words[0], "TLSv1.3") {
		return errors.New("protocol '" + a.Words[0] + "' not supported")
	}
	return nil
}
