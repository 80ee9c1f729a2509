package auth

import (
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"

	"balancerd/proxy/mod/core"
	"balancerd/proxy/site"
	"balancerd/proxy/site/sitetest"
)

func modules() []site.Module { return slices.Concat([]site.Module{core.Module(), member()}, Modules()) }

// in is a <Location> for everything.
func in(text string) string { return "<Location />\n" + text + "\n</Location>\n" }

func TestRefused(t *testing.T) {
	tests := []struct{ conf, want string }{
		{"Require foo", "Unknown Authz provider: foo"},
		{"Require", "Unknown Authz provider: "},
		{"<RequireAll>\nRequire all granted\nLogLevel info\n</RequireAll>", "LogLevel not allowed in <RequireAll> context"},
		{"<RequireAny>\n<IfModule core.c>\nOrder deny,allow\n</IfModule>\n</RequireAny>", "order not allowed in <RequireAny> context"},
		{"<RequireAll>\nRequire all granted\n<RequireNone>\nSetHandler x\n</RequireNone>\n</RequireAll>", "SetHandler not allowed in <RequireNone> context"},
		{"<RequireNone>\n<If \"true\">\n</If>\n</RequireNone>", "<If> cannot occur within <Limit> or <LimitExcept> section"},
		{"<RequireAll>\n<Files x>\n</Files>\n</RequireAll>", "<Files> cannot occur within <Limit> or <LimitExcept> section"},
		{"<RequireAll>\nAuthName x\nSatisfy all\nRequire all granted\n</RequireAll>", ""},
		{"Require all", "Argument for 'Require all' must be 'granted' or 'denied'"},
		{"Require all maybe", "Argument for 'Require all' must be 'granted' or 'denied'"},
		{"Require all GRANTED", ""},
		{"Require ip", "'require ip' requires an argument"},
		{"Require ip foo", "ip address 'foo' appears to be invalid"},
		{"Require ip 10.0.0.0/33", "ip address '10.0.0.0/33' appears to be invalid: The specified network mask is invalid."},
		{"Require ip 10/8", "ip address '10/8' appears to be invalid: The specified IP address is invalid."},
		{"Require ip 10.0.0.0/255.0.255.0 192.168 ::1 fe80::/10", ""},
		{"Require method FOO", "Invalid Method 'FOO'"},
		{"Require method GET get", "Invalid Method 'get'"},
		{"Require not all granted", "negative Require directive has no effect in <RequireAny> directive"},
		{"<RequireAny>\nRequire not ip 10.0.0.1\n</RequireAny>", "negative Require directive has no effect in <RequireAny> directive"},
		{"<RequireAll>\nRequire not ip 10.0.0.1\n</RequireAll>", "AH01624: <RequireAll> directive contains only negative authorization directives"},
		{"<RequireAny>\n</RequireAny>", "<RequireAny> directive contains no authorization directives"},
		{"<RequireNone>\nRequire ip 10.0.0.1\n</RequireNone>", "<RequireNone> directive has no effect in <RequireAny> directive"},
		{"<RequireAll foo>\n</RequireAll>", "<RequireAll> directive doesn't take additional arguments"},
		{"Require expr %{NOSUCH} == 'a'", "Cannot parse expression in require line: Variable 'NOSUCH' does not exist"},
		{"Require host %{NOSUCH}", "Cannot parse expression in require line: Variable 'NOSUCH' does not exist"},
		{"Order x", "unknown order"},
		{"Order allow,deny", ""},
		{"Allow 10.0.0.1", "allow requires at least two arguments, 'from' followed by hostnames or IP-address wildcards"},
		{"Allow to all", "allow and deny must be followed by 'from'"},
		{"Allow from 10.0.0.0/99", "The specified network mask is invalid."},
		{"Allow from host/8", "An IP address was expected"},
		{"Deny from a#b", "No comments are allowed here"},
		{"Allow from 10.0.0.0/255.0.255.0", ""},
		{"Satisfy x", "Satisfy either 'any' or 'all'."},
		{"AuthBasicProvider foo", "Unknown Authn provider: foo"},
		{"AuthBasicProvider file", ""},
		{"AuthType", `AuthType takes one argument, an HTTP authorization type (e.g., "Basic")`},
		{"AuthType Digest", "AuthType Digest is not supported"},
		{"AuthType form", "AuthType form is not supported"},
		{"AuthType none", ""},
		{"AuthUserFile", "AuthUserFile takes one argument, text file containing user IDs and passwords"},
		{"AuthMerging x", "AuthMerging must be one of: Off | And | Or"},
		{"AuthBasicUseDigestAlgorithm SHA", "Invalid algorithm in AuthBasicUseDigestAlgorithm: SHA"},
		{"AuthBasicFake %{NOSUCH}", "Could not parse fake username expression '%{NOSUCH}': Variable 'NOSUCH' does not exist"},
		{"Require valid-user", ""},
	}
	for _, c := range tests {
		if got := refused(in(c.conf)); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.conf, got, c.want)
		}
	}
}

func TestRefusedAliases(t *testing.T) {
	tests := []struct{ conf, want string }{
		{"<AuthzProviderAlias ip near 10.0.0.1>\n</AuthzProviderAlias>\n" + in("Require near"), ""},
		{in("Require near") + "<AuthzProviderAlias ip near 10.0.0.1>\n</AuthzProviderAlias>\n", "Unknown Authz provider: near"},
		{"<AuthzProviderAlias foo near>\n</AuthzProviderAlias>", "Unknown Authz provider: foo"},
		{"<AuthzProviderAlias ip near x>\n</AuthzProviderAlias>", "Can't parse 'Require ip x': ip address 'x' appears to be invalid"},
		{"<AuthzProviderAlias ip>\n</AuthzProviderAlias>", "<AuthzProviderAlias> directive requires additional arguments"},
		{"<AuthnProviderAlias file file>\n</AuthnProviderAlias>", "The alias provider name must be different from the base provider name."},
		{"<AuthnProviderAlias foo x>\n</AuthnProviderAlias>", "Unknown Authn provider: foo"},
		{"<AuthnProviderAlias file x>\nAuthUserFile a\n</AuthnProviderAlias>\n<AuthnProviderAlias file x>\n</AuthnProviderAlias>",
			"The alias provider x has already be registered previously as either a base provider or an alias provider."},
		{"<VirtualHost *:80>\n<AuthnProviderAlias file x>\n</AuthnProviderAlias>\n</VirtualHost>", "<AuthnProviderAlias> cannot occur within <VirtualHost> section"},
	}
	for _, c := range tests {
		if got := refused(c.conf); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.conf, got, c.want)
		}
	}
}

// rules are sections of their own; each request is listed with the status that httpd 2.4.71 gave.
func TestRequire(t *testing.T) {
	tests := []struct {
		conf string
		want string // GET, GET with PASS, GET with X-Key: k, POST with PASS
	}{
		{"Require all granted", "200 200 200 200"},
		{"Require all denied", "403 403 403 403"},
		{"Require ip 127.0.0.1", "200 200 200 200"},
		{"Require ip 10.0.0.0/8 192.168", "403 403 403 403"},
		{"Require local", "200 200 200 200"},
		{"Require env PASS", "403 200 403 200"},
		{"Require method GET HEAD", "200 200 200 403"},
		{"Require expr %{HTTP:X-Key} == 'k'", "403 403 200 403"},
		{"Require expr \"%{HTTP:X-Key} == 'k'\"", "403 403 200 403"},
		{"<RequireAll>\nRequire all granted\nRequire not ip 127.0.0.1\n</RequireAll>", "403 403 403 403"},
		{"Require ip 10.0.0.1\nRequire env PASS", "403 200 403 200"},
		{"<RequireAll>\nRequire local\nRequire env PASS\n</RequireAll>", "403 200 403 200"},
		{"<RequireAll>\nRequire all granted\n<RequireNone>\nRequire env PASS\n</RequireNone>\n</RequireAll>", "200 403 200 403"},
		{"<RequireAny>\n<RequireAll>\nRequire method POST\nRequire env PASS\n</RequireAll>\nRequire ip 10.0.0.0/8\n</RequireAny>", "403 403 403 200"},
		{"<Limit POST>\nRequire all denied\n</Limit>", "200 200 200 403"},
		{"<LimitExcept GET>\nRequire all denied\n</LimitExcept>", "200 200 200 403"},
		{"<Limit POST>\nRequire all denied\n</Limit>\nRequire env PASS", "403 200 403 200"},
		{"Require valid-user", "500 500 500 500"},
		{"AuthType Basic", "500 500 500 500"},
		{"AuthType None", "200 200 200 200"},
		{"AuthType Basic\nRequire all granted", "200 200 200 200"},
		{"AuthType Basic\nRequire valid-user", "500 500 500 500"},
		{"Order deny,allow\nDeny from all\nAllow from 127", "200 200 200 200"},
		{"Order allow,deny\nAllow from 127.0.0.0/8\nDeny from 127.0.0.1", "403 403 403 403"},
		{"Order allow,deny", "403 403 403 403"},
		{"Order deny,allow", "200 200 200 200"},
		{"Order mutual-failure\nAllow from 127", "200 200 200 200"},
		{"Order mutual-failure\nAllow from all\nDeny from 127", "403 403 403 403"},
		{"Order deny,allow\nDeny from all\nAllow from 127.0.0.0/255.0.0.0", "200 200 200 200"},
		{"Order allow,deny\nAllow from env=PASS", "403 200 403 200"},
		{"Order allow,deny\nAllow from env=!PASS", "200 403 200 403"},
		{"Order deny,allow\nDeny from all\nRequire all granted", "403 403 403 403"},
		{"Order deny,allow\nDeny from all\nRequire all granted\nSatisfy any", "200 200 200 200"},
		{"Order deny,allow\nDeny from all\nRequire env PASS\nSatisfy any", "403 200 403 200"},
		{"Order deny,allow\nDeny from all\nAllow from env=PASS\nRequire method POST\nSatisfy any", "403 200 403 200"},
		{"Require all denied\nSatisfy any", "200 200 200 200"},
		{"<Limit POST>\nOrder deny,allow\nDeny from all\n</Limit>", "200 200 200 403"},
		{"<Limit GET>\nSatisfy any\n</Limit>\nRequire all denied", "200 200 200 403"},
	}
	for _, c := range tests {
		r := newRig(t, in(c.conf))
		var got []string
		for _, q := range []string{"GET /", "GET /\nEnv: PASS", "GET /\nX-Key: k", "POST /\nEnv: PASS"} {
			q = strings.Replace(q, " /", " /proxied HTTP/1.1", 1)
			got = append(got, strconv.Itoa(r.Get(q).Res.Status))
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%s:\n got %s\nwant %s\n%s", c.conf, s, c.want, r.Log.Take())
		}
	}
}

func TestMerging(t *testing.T) {
	r := newRig(t, `
<AuthzProviderAlias env passing PASS>
</AuthzProviderAlias>
<Location /proxied/outer>
  Require all denied
</Location>
<Location /proxied/outer/inner>
  Require all granted
</Location>
<Location /proxied/outer/and>
  AuthMerging And
  Require all granted
</Location>
<Location /proxied/outer/or>
  AuthMerging Or
  Require passing
</Location>
<Location /proxied/outer/off>
  AuthMerging Off
</Location>
<Location /proxied/outer/other>
  AuthzSendForbiddenOnFailure On
</Location>
<Location /proxied/compat>
  Deny from all
</Location>
<Location /proxied/compat/inner>
  Satisfy all
</Location>
`)
	tests := map[string]int{"outer": 403, "outer/inner": 200, "outer/and": 403, "outer/or": 403, "outer/or\nEnv: PASS": 200, "outer/off": 200,
		"outer/other": 403, "compat": 403, "compat/inner": 200}
	for path, want := range tests {
		path, env, _ := strings.Cut(path, "\n")
		if x := r.Get("GET /proxied/" + path + " HTTP/1.1\n" + env); x.Res.Status != want {
			t.Errorf("%s: %d, want %d", path, x.Res.Status, want)
		}
	}
	if x := r.Get("GET /proxied/outer HTTP/1.1"); x.Res.Status != 403 {
		t.Error(x.Res.Status)
	}
	if log := r.Log.Take(); !strings.Contains(log, "[authz_core:error] AH01630: client denied by server configuration: proxy:http://member/proxied/outer") ||
		!strings.Contains(log, "[access_compat:error] AH01797: client denied by server configuration: proxy:http://member/proxied/compat") {
		t.Error(log)
	}
}

// TestMergingOfKinds: AuthMerging of a section inside of another of its kind holds for what both stand in, too. What httpd
// 2.4.71 said of these.
func TestMergingOfKinds(t *testing.T) {
	r := newRig(t, `
<Location /proxied/>
  Require all denied
</Location>
<If "true">
  Require all granted
</If>
<If "%{QUERY_STRING} == 'and'">
  AuthMerging And
  Require all granted
</If>
<If "%{QUERY_STRING} == 'or'">
  AuthMerging Or
  Require all denied
</If>
<If "%{QUERY_STRING} == 'both'">
  AuthMerging And
  Require all granted
</If>
<If "%{QUERY_STRING} == 'both'">
  AuthMerging Or
  Require all denied
</If>
`)
	for query, want := range map[string]int{"": 200, "and": 403, "or": 200, "both": 200} {
		if x := r.Get("GET /proxied/x?" + query); x.Res.Status != want {
			t.Errorf("%s: %d, want %d", query, x.Res.Status, want)
		}
	}
}

// What lets everybody in adds nothing to a plan.
func TestOpenCostsNothing(t *testing.T) {
	for _, conf := range []string{"", "Require all granted", "Order allow,deny\nAllow from all", "Order deny,allow", "Satisfy any\nRequire valid-user",
		"Require ip 10.0.0.1\nRequire all granted", "AuthType None", "<RequireAll>\nRequire all granted\n</RequireAll>"} {
		c, err := sitetest.Bind(preload, in(conf), modules()...)
		if err != nil {
			t.Fatal(err)
		}
		b, err := open(c, nil)
		if err != nil {
			t.Fatal(err)
		}
		p := &site.Plan{}
		if b(append(scopes(c.Main)[:1], c.Main.Children...), p); len(p.Steps(site.Access)) != 0 {
			t.Errorf("%s: a step", conf)
		}
	}
}

func TestDESCrypt(t *testing.T) {
	for _, c := range [][2]string{{"secret", "3yr7q/fjigkO."}, {"", "abmF1QH4PEr.E"}, {"password", "zZDDIZ0NOlPzw"},
		{"longerthan8chars", "./haKoGjqSo/Y"}, {"longerth", "./haKoGjqSo/Y"}, {"pässwörd", "a19iSKK89ssuw"}, {"x", "KQsadtOdeglpA"}} {
		if got := desCrypt(c[0], c[1]); got != c[1] {
			t.Errorf("%q: %s, want %s", c[0], got, c[1])
		}
	}
	if desCrypt("x", "*0") != "" || desCrypt("x", "") != "" {
		t.Error("not a salt")
	}
}

func TestMethods(t *testing.T) {
	a, b := newMethods(false, "GET", "POST"), newMethods(true, "POST", "PUT")
	u := a.with(b)
	for m, want := range map[string]bool{"GET": true, "HEAD": true, "POST": true, "PUT": false, "FOO": true} {
		if u.has(m) != want || b.with(a).has(m) != want {
			t.Error(m, u)
		}
	}
	if !newMethods(true, "GET").with(newMethods(false, "HEAD")).all() {
		t.Error("not all")
	}
	if (methods{}).has("GET") || !every.has("FOO") {
		t.Error("ends")
	}
}

func TestNetworks(t *testing.T) {
	tests := []struct{ word, in, out string }{
		{"10.1.2.3", "10.1.2.3 ::ffff:10.1.2.3", "10.1.2.4 ::1"},
		{"10.1", "10.1.255.0", "10.2.0.0"},
		{"10.1.", "10.1.255.0", "10.2.0.0"},
		{"10.1.2.3/8", "10.255.0.0", "11.0.0.0"},
		{"10.0.5.0/255.0.255.0", "10.9.5.7", "10.9.6.7"},
		{"10.0.0.0/255.0.0.0", "10.9.5.7", "11.9.6.7 ::1"},
		{"fe80::/10", "fe80::1 febf::", "fec0:: 10.0.0.1"},
		{"::ffff:10.0.0.0/8", "10.1.1.1", "11.0.0.0"},
	}
	for _, c := range tests {
		n, err := parseNetwork(c.word)
		if err != nil {
			t.Error(c.word, err)
			continue
		}
		for i, list := range []string{c.in, c.out} {
			for _, ip := range strings.Fields(list) {
				x := request("GET / HTTP/1.1\nFrom: " + ip)
				if n.contains(clientIP(x)) != (i == 0) {
					t.Errorf("%s: %s", c.word, ip)
				}
			}
		}
	}
	for _, bad := range []string{"10.0.0.0/0", "10.256", "1.2.3.4.5", "10/8", "fe80::1/129", "1..2", "fe80::g", "10.0.0.1/", "::1/255.0.0.0"} {
		if n, err := parseNetwork(bad); err == nil {
			t.Error(bad, n)
		}
	}
}

func TestInDomain(t *testing.T) {
	for _, c := range []struct {
		domain, host string
		want         bool
	}{{"good.com", "good.com", true}, {"good.com", "www.GOOD.com", true}, {"good.com", "nogood.com", false}, {".good.com", "www.good.com", true},
		{"www.good.com", "good.com", false}} {
		if inDomain(c.domain, c.host) != c.want {
			t.Error(c)
		}
	}
}

func TestRememberedPasswords(t *testing.T) {
	m := newMemory()
	for i := range 3 * maxRemembered {
		m.keep(m.digest("hash", strconv.Itoa(i)))
	}
	if m.used.Len() > maxRemembered || len(m.known) != m.used.Len() {
		t.Error(m.used.Len(), len(m.known))
	}
	if d := m.digest("hash", "a"); m.knows(d) {
		t.Error("never kept")
	}
}

func TestRequireHost(t *testing.T) {
	if found, _ := net.LookupAddr("127.0.0.1"); len(found) == 0 || strings.TrimSuffix(found[0], ".") != "localhost" {
		t.Skip("127.0.0.1 is not localhost here")
	}
	for conf, want := range map[string]int{"Require host localhost": 200, "Require host nosuch.example localhost": 200, "Require host calhost": 403,
		"Require host localhost# nothing": 200, "Require host x# localhost": 403, "Require forward-dns localhost": 200, "Require forward-dns nosuch.invalid": 403,
		"Order allow,deny\nAllow from localhost": 200, "Order allow,deny\nAllow from calhost": 403} {
		r := newRig(t, in(conf))
		if x := r.Get("GET /proxied HTTP/1.1"); x.Res.Status != want {
			t.Errorf("%s: %d, want %d\n%s", conf, x.Res.Status, want, r.Log.Take())
		}
	}
}
