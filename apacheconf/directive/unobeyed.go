package directive

import (
	"strings"

	"balancerd/apacheconf"
)

// unobeyed checks a directive that no module of ours obeys as far as httpd would, and notes what
// follows from ignoring it. Nothing is swallowed: each becomes a hint, or stops the start.
func (b *binder) unobeyed(s *Scope, k *known, a Args) error {
	low := strings.ToLower(k.name)
	if k.module == "event.c" || global[low] {
		if err := a.Only(s, Main); err != nil {
			return err
		}
	}
	check := validators[low]
	err := k.call(a, func(a Args) error {
		if check == nil {
			return nil
		}
		return check(s, a)
	})
	if err != nil || quiet[low] {
		return err
	}
	b.config.note(hintOf(k, a))
	return nil
}

// hintOf says what ignoring a directive means.
func hintOf(k *known, a Args) Hint {
	h := Hint{Pos: a.Pos, Name: k.name, Module: logName(k.module), Text: k.name + " has no effect here"}
	low := strings.ToLower(k.name)
	words := apacheconf.Words(a.Raw)
	if low == "rewriterule" {
		words = ruleWords(a.Raw)
	}
	switch {
	case closes[low] != nil && closes[low](words):
		h.Refuse = true
		h.Text = k.name + " is not obeyed; to ignore it would open what it closes"
	case foreignBySource(k.module) != nil:
		h.Text = foreignBySource(k.module).text(k.name)
	case contentModules[k.module]:
		h.Text = k.name + " has no effect here: answers are passed on as they are"
	case tuning[low] || k.module == "event.c":
		h.Text, h.Effect = k.name+" has no effect here: it tunes processes and buffers that are not needed", Tuning
	}
	return h
}

func always([]string) bool { return true }

// word tells whether the first word is one of these, in any case.
func word(list ...string) func([]string) bool {
	return func(w []string) bool {
		for _, l := range list {
			if len(w) > 0 && strings.EqualFold(w[0], l) {
				return true
			}
		}
		return false
	}
}

func not(f func([]string) bool) func([]string) bool {
	return func(w []string) bool { return !f(w) }
}

// denies: an answer of this status is a refusal.
func denies(value string) bool {
	n := Atoi(value)
	return n >= 400 && n < 600
}

// refusesAccess: a RewriteRule that forbids.
func refusesAccess(w []string) bool {
	if len(w) < 3 {
		return false
	}
	for _, f := range strings.Split(strings.Trim(w[2], "[]"), ",") {
		name, value, _ := strings.Cut(strings.ToLower(strings.TrimSpace(f)), "=")
		switch name {
		case "f", "forbidden", "g", "gone":
			return true
		case "r", "redirect":
			if denies(value) {
				return true
			}
		}
	}
	return false
}

// narrows: an SSLProtocol that rules out more than the versions that nobody speaks any longer.
func narrows(w []string) bool {
	for _, p := range w {
		switch strings.ToLower(p) {
		case "all", "+all", "-sslv2", "-sslv3":
		default:
			return true
		}
	}
	return false
}

// strict: SSLOptions with StrictRequire, which outdoes Satisfy Any.
func strict(w []string) bool {
	for _, o := range w {
		if strings.EqualFold(strings.TrimPrefix(o, "+"), "StrictRequire") {
			return true
		}
	}
	return false
}

// closes are the directives that shut something, with the values that do: who ignores them opens it.
var closes = map[string]func([]string) bool{
	"allowmethods": always, "rewriterule": refusesAccess, "sslverifyclient": not(word("none")), "sslrequire": always, "sslrequiressl": always,
	"sslverifydepth": always, "sslprotocol": narrows, "sslciphersuite": always, "ssloptions": strict, "sslvhostsnipolicy": not(word("insecure")),
	"sslcarevocationcheck": not(word("none")), "sslocspenable": not(word("off")), "sslstrictsnivhostcheck": word("on"), "sslfips": word("on"),
	"sslproxyverify": not(word("none", "optional_no_ca")), "sslproxyverifydepth": always, "sslproxycarevocationcheck": not(word("none")),
	"sslproxycheckpeername": word("on"), "sslproxycheckpeercn": word("on"), "sslproxycheckpeerexpire": word("on"),
	"sslproxycacertificatefile": always, "sslproxycacertificatepath": always, "sslproxyprotocol": narrows, "sslproxyciphersuite": always,
	"authdigestprovider": always, "authdigestalgorithm": always, "authdigestdomain": always, "authdigestqop": always, "authformprovider": always,
	"authformauthoritative": always, "anonymous": always, "anonymous_mustgiveemail": word("on"), "anonymous_verifyemail": word("on"),
	"proxyblock": always, "limitxmlrequestbody": not(word("0")), "chrootdir": always, "regexdefaultoptions": always,
	"remoteipheader": always, "remoteiptrustedproxy": always, "remoteiptrustedproxylist": always, "remoteipinternalproxy": always, "remoteipinternalproxylist": always,
	"remoteipproxyprotocol": word("on"), "<authzprovideralias": always, "<authnprovideralias": always,
}

// contentModules change what is sent: without them the answers pass unchanged.
var contentModules = map[string]bool{
	"mod_substitute.c": true, "mod_sed.c": true, "mod_deflate.c": true, "mod_brotli.c": true, "mod_filter.c": true, "mod_proxy_html.c": true, "mod_xml2enc.c": true,
	"mod_include.c": true, "mod_ext_filter.c": true, "mod_cache.c": true, "mod_cache_disk.c": true, "mod_cache_socache.c": true, "mod_expires.c": true,
	"mod_charset_lite.c": true, "mod_ratelimit.c": true, "mod_buffer.c": true, "mod_usertrack.c": true, "mod_negotiation.c": true,
}

// tuning is about processes, buffers and the like.
var tuning = set(`mutex enablemmap enablesendfile acceptfilter readbuffersize flushmaxthreshold flushmaxpipelined scoreboardfile coredumpdirectory maxmemfree
threadstacksize maxrequestsperchild maxconnectionsperchild rlimitcpu rlimitmem rlimitnproc contentdigest protocol watchdoginterval bufferedlogs seerequesttail
h2minworkers h2maxworkers h2maxworkeridleseconds h2streammaxmemsize h2tlswarmupsize h2tlscooldownsecs h2copyfiles h2sessionextrafiles h2outputbuffering h2serializeheaders h2pushdiarysize`)

// global are the directives, beside the process manager's, that virtual hosts may not have.
var global = set(`mutex scoreboardfile coredumpdirectory maxmemfree threadstacksize maxrequestsperchild maxconnectionsperchild proxyhctpsize watchdoginterval
chrootdir suexec heartbeatstorage heartbeatlisten heartbeataddress heartbeatmaxservers bufferedlogs regexdefaultoptions seerequesttail sslfips sslrandomseed sslsessioncache sslcryptodevice`)

// quiet are directives that rightly do nothing: about files below .htaccess folders that a proxy
// never reads, or obeyed elsewhere by the reading.
var quiet = set(`allowoverride allowoverridelist accessfilename serverroot defaultruntimedir <limit <limitexcept sslrandomseed
sslsessioncache sslsessioncachetimeout sslsessiontickets proxyrequests`)

func set(words string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(words) {
		out[w] = true
	}
	return out
}
