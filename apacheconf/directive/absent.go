package directive

import (
	"errors"
	"strconv"
	"strings"
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
