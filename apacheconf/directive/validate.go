package directive

import (
	"errors"
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

	"enablemmap":                     oneOf("parameter must be 'on' or 'off'", "on", "off"),
	"enablesendfile":                 oneOf("parameter must be 'on' or 'off'", "on", "off"),
	"acceptpathinfo":                 oneOf("AcceptPathInfo must be set to on, off or default", "on", "off", "default"),
	"readbuffersize":                 numberIn(0, 1<<32-1, "parameter must be a number between 0 and (4294967295U)): "),
	"flushmaxthreshold":              numberIn(0, 1<<32-1, "parameter must be a number between 0 and (4294967295U)): "),
	"flushmaxpipelined":              numberIn(-1, 1<<31-1, "parameter must be a number between -1 and (2147483647): "),
	"regexdefaultoptions":            checkRegexOptions,
	"deflatewindowsize":              between(1, 15, "DeflateWindowSize must be between 1 and 15"),
	"deflatememlevel":                between(1, 9, "DeflateMemLevel must be between 1 and 9"),
	"deflatebuffersize":              between(1, 1<<31-1, "DeflateBufferSize should be positive"),
	"deflatefilternote":              checkDeflateNote,
	"deflateinflatelimitrequestbody": notNegative("DeflateInflateLimitRequestBody requires a non-negative integer."),
	"deflateinflateratiolimit":       between(1, 1<<31-1, "DeflateInflateRatioLimit must be positive"),
	"deflateinflateratioburst":       between(1, 1<<31-1, "DeflateInflateRatioBurst must be positive"),
	"deflatealteretag":               oneOf("DeflateAlterETAG accepts only 'NoChange', 'AddSuffix', and 'Remove'", "nochange", "addsuffix", "remove"),

	"h2minworkers":       between(1, 1<<31-1, "value must be > 0"),
	"h2maxworkers":       between(1, 1<<31-1, "value must be > 0"),
	"h2streammaxmemsize": between(1024, 1<<31-1, "value must be >= 1024"),
	"h2pushpriority":     checkPushPriority,
	"h2padding":          checkPadding,
	"h2copyfiles":        oneOf("value must be On or Off", "on", "off"),
	"h2outputbuffering":  oneOf("value must be On or Off", "on", "off"),
	"h2websockets":       oneOf("value must be On or Off", "on", "off"),
	"h2push":             oneOf("value must be On or Off", "on", "off"),

	"rewriterule":    checkRewriteRule,
	"rewritecond":    checkRewriteCond,
	"rewriteoptions": checkRewriteOptions,
	"rewritemap":     checkRewriteMap,
	"rewritebase":    checkRewriteBase,

	"expiresdefault":            checkExpires,
	"expiresbytype":             checkExpires,
	"deflatecompressionlevel":   between(1, 9, "Compression Level must be between 1 and 9"),
	"remoteiptrustedproxy":      checkTrusted,
	"remoteipinternalproxy":     checkTrusted,
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
		if _, err := s.Config.Files.Stat(path); err != nil {
			return errors.New(prefix + path + ": No such file or directory")
		}
		return nil
	}
}

func certificate(s *Scope, a Args) error {
	path := s.Config.Tree.Path(a.Words[0])
	if st, err := s.Config.Files.Stat(path); err != nil || st.Size() == 0 || !st.Mode().IsRegular() {
		return errors.New(a.Name + ": file '" + path + "' does not exist or is empty")
	}
	return nil
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
