package directive

import (
	"errors"
	"strconv"
	"strings"

	"balancerd/apacheconf"
)

// Absent are the directives of modules that are not here for which more is to be said than that they have no effect. A
// module that comes has rows of its own for them, and these go: no directive has two.
func Absent() Table { return absent }

var absent = Table{
	{Name: "WatchdogInterval", Ignored: &Ignored{Main: true, Tuning: true}},
	{Name: "RewriteOptions", Ignored: &Ignored{Check: checkRewriteOptions}},
	{Name: "RewriteBase", Ignored: &Ignored{Check: checkRewriteBase}},
	{Name: "RewriteCond", Ignored: &Ignored{Check: checkRewriteCond}},
	{Name: "RewriteRule", Ignored: &Ignored{Check: checkRewriteRule, Closes: refusesAccess}},
	{Name: "RewriteMap", Ignored: &Ignored{Check: checkRewriteMap}},
	{Name: "AllowMethods", Ignored: &Ignored{Closes: Always}},
	{Name: "HeartbeatListen", Ignored: &Ignored{Main: true}},
	{Name: "HeartbeatMaxServers", Ignored: &Ignored{Main: true}},
	{Name: "HeartbeatAddress", Ignored: &Ignored{Main: true}},
	{Name: "RemoteIPHeader", Ignored: &Ignored{Closes: Always}},
	{Name: "RemoteIPTrustedProxy", Ignored: &Ignored{Check: checkTrusted, Closes: Always}},
	{Name: "RemoteIPInternalProxy", Ignored: &Ignored{Check: checkTrusted, Closes: Always}},
	{Name: "RemoteIPTrustedProxyList", Ignored: &Ignored{Check: readable("RemoteIPTrustedProxyList: Could not open file "), Closes: Always}},
	{Name: "RemoteIPInternalProxyList", Ignored: &Ignored{Check: readable("RemoteIPInternalProxyList: Could not open file "), Closes: Always}},
	{Name: "RemoteIPProxyProtocol", Ignored: &Ignored{Closes: With("on")}},
	{Name: "ExpiresByType", Ignored: &Ignored{Check: checkExpires}},
	{Name: "ExpiresDefault", Ignored: &Ignored{Check: checkExpires}},
	{Name: "AuthDigestProvider", Ignored: &Ignored{Closes: Always}},
	{Name: "AuthDigestQop", Ignored: &Ignored{Closes: Always}},
	{Name: "AuthDigestAlgorithm", Ignored: &Ignored{Closes: Always}},
	{Name: "AuthDigestDomain", Ignored: &Ignored{Closes: Always}},
	{Name: "AuthFormProvider", Ignored: &Ignored{Closes: Always}},
	{Name: "AuthFormAuthoritative", Ignored: &Ignored{Closes: Always}},
	{Name: "Anonymous", Ignored: &Ignored{Closes: Always}},
	{Name: "Anonymous_MustGiveEmail", Ignored: &Ignored{Closes: With("on")}},
	{Name: "Anonymous_VerifyEmail", Ignored: &Ignored{Closes: With("on")}},
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
	if len(w) == 0 || !HasPrefix(w[0], "n", "a", "m") {
		first, _ := apacheconf.Word(code)
		return "unrecognised <base> '" + first + "'"
	}
	if w = w[1:]; len(w) > 0 && HasPrefix(w[0], "p") {
		w = w[1:]
	}
	for ; len(w) > 0 && w[0] != ""; w = w[2:] {
		switch {
		case w[0][0] < '0' || w[0][0] > '9':
			return "numeric value expected <num> '" + w[0] + "'"
		case len(w) == 1 || w[1] == "":
			return "missing <type>"
		case !HasPrefix(w[1], "y", "mo", "w", "d", "h", "mi", "s"):
			return "unrecognised <type>'" + w[1] + "'"
		}
	}
	return ""
}
