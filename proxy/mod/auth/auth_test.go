package auth

import (
	"encoding/base64"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"balancerd/proxy/mod/core"
	"balancerd/proxy/site"
)

func modules() []site.Module { return slices.Concat([]site.Module{core.Module(), member()}, Modules()) }

// in is a <Location> for everything.
func in(text string) string { return "<Location />\n" + text + "\n</Location>\n" }

func TestRefused(t *testing.T) {
	tests := []struct{ conf, want string }{
		{"Require foo", "Unknown Authz provider: foo"},
		{"Require", "Unknown Authz provider: "},
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
			got = append(got, strconv.Itoa(r.get(q).Res.Status))
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%s:\n got %s\nwant %s\n%s", c.conf, s, c.want, r.log.take())
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
		if x := r.get("GET /proxied/" + path + " HTTP/1.1\n" + env); x.Res.Status != want {
			t.Errorf("%s: %d, want %d", path, x.Res.Status, want)
		}
	}
	if x := r.get("GET /proxied/outer HTTP/1.1"); x.Res.Status != 403 {
		t.Error(x.Res.Status)
	}
	if log := r.log.take(); !strings.Contains(log, "[authz_core:error] AH01630: client denied by server configuration: proxy:http://member/proxied/outer") ||
		!strings.Contains(log, "[access_compat:error] AH01797: client denied by server configuration: proxy:http://member/proxied/compat") {
		t.Error(log)
	}
}

// What lets everybody in adds nothing to a plan.
func TestOpenCostsNothing(t *testing.T) {
	for _, conf := range []string{"", "Require all granted", "Order allow,deny\nAllow from all", "Order deny,allow", "Satisfy any\nRequire valid-user",
		"Require ip 10.0.0.1\nRequire all granted", "AuthType None", "<RequireAll>\nRequire all granted\n</RequireAll>"} {
		c, err := bind(in(conf), modules()...)
		if err != nil {
			t.Fatal(err)
		}
		b, err := open(c, nil)
		if err != nil {
			t.Fatal(err)
		}
		p := &site.Plan{}
		if b(append(scopes(c.Main)[:1], c.Main.Children...), p); len(p.Access) != 0 {
			t.Errorf("%s: a step", conf)
		}
	}
}

// The password "secret" in each format that httpd reads.
const users = `bcrypt:$2y$05$46/M8T.HvsUHS.sjOWhTheGKyf.dOvBvVEK8NU4DOhNHH5cD8fwTy
apr1:$apr1$53QYlhl0$s5GlWxiGu1QZJFNQV5iZG.
sha:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=
crypt:3yr7q/fjigkO.
sha256:$5$saltsalt$0IyaXrmV7.sGNS6tirgqHLqX/G.FBvgkYA.lpPdS5sA
sha512:$6$saltsalt$TVLlQcbpFVof5W3Yz4DTP6gRstiNuHwwTt6GLc1E5n0U0aDehy0S5knV8wiOQSpT0Y77vwPZN.Pq.H91p5hVO1
md5::$1$saltsalt$9xy1btjgzLYfb7hivXtC//
plain:secret
broken:$5$rounds=x$salt$
yes:$y$j9T$abc$def
# comment

  spaces:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=  
sha:second line of a user
empty:
`

func credentials(user, password string) string {
	return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

func write(t testing.TB, name, text string) string {
	t.Helper()
	name = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestBasic(t *testing.T) {
	file := write(t, "users", users)
	r := newRig(t, `
<Location />
  AuthType Basic
  AuthName "the \"realm\""
  AuthUserFile `+file+`
  Require valid-user
</Location>
<Location /proxied/one>
  Require user sha apr1
</Location>
<Location /proxied/open>
  Require all granted
</Location>
<Location /proxied/any>
  Require ip 127.0.0.1
  Require valid-user
</Location>
<Location /proxied/strict>
  AuthzSendForbiddenOnFailure On
  Require user nobody
</Location>
<Location /proxied/expr>
  Require expr %{REMOTE_USER} == 'sha'
</Location>
`)
	const wrong = `Password Mismatch`
	tests := []struct {
		path, fields string
		status       int
		user, log    string
	}{
		{"", "", 401, "", ""},
		{"", "Authorization: Bearer x", 401, "", "[auth_basic:error] AH01614: client used wrong authentication scheme: /proxied"},
		{"", "Authorization: Basic !!!", 401, "", "[auth_basic:error] AH01618: user  not found: /proxied"},
		{"", credentials("nobody", "secret"), 401, "nobody", "[auth_basic:error] AH01618: user nobody not found: /proxied"},
		{"", credentials("sha", "wrong"), 401, "sha", `[auth_basic:error] AH01617: user sha: authentication failure for "/proxied": ` + wrong},
		{"", credentials("plain", "secret"), 401, "plain", wrong},
		{"", credentials("empty", ""), 401, "empty", wrong},
		{"", credentials("broken", "secret"), 401, "broken", wrong},
		{"", credentials("yes", "secret"), 401, "yes", "hashed in a way that this server does not know"},
		{"", credentials("spaces", "secret"), 200, "spaces", ""},
		{"", "Authorization: bAsIc   " + strings.TrimPrefix(credentials("sha", "secret"), "Authorization: Basic "), 200, "sha", ""},
		{"/one", credentials("sha", "secret"), 200, "sha", ""},
		{"/one", credentials("bcrypt", "secret"), 401, "bcrypt", `[authz_core:error] AH01631: user bcrypt: authorization failure for "/proxied/one": `},
		{"/open", "", 200, "", ""},
		{"/any", "", 200, "", ""},
		{"/any", "From: 10.0.0.1", 401, "", ""},
		{"/any", "From: 10.0.0.1\n" + credentials("sha", "secret"), 200, "sha", ""},
		{"/strict", credentials("sha", "secret"), 403, "sha", "AH01631"},
		{"/expr", credentials("sha", "secret"), 200, "sha", ""},
		{"/expr", credentials("apr1", "secret"), 401, "apr1", "AH01629"},
	}
	for _, u := range []string{"bcrypt", "apr1", "crypt", "sha256", "sha512", "md5"} {
		tests = append(tests, []struct {
			path, fields string
			status       int
			user, log    string
		}{{"", credentials(u, "secret"), 200, u, ""}, {"", credentials(u, "secret"), 200, u, ""}, {"", credentials(u, "Secret"), 401, u, wrong}}...)
	}
	for _, c := range tests {
		x := r.get("GET /proxied" + c.path + " HTTP/1.1\n" + c.fields)
		log := r.log.take()
		if x.Res.Status != c.status || x.User != c.user || !strings.Contains(log, c.log) || c.log == "" && log != "" {
			t.Errorf("%s %s: %d %q, want %d %q\n%s", c.path, c.fields, x.Res.Status, x.User, c.status, c.user, log)
		}
		if want := `Basic realm="the \"realm\""`; x.Res.Status == 401 && answered(x, "WWW-Authenticate") != want {
			t.Errorf("%s %s: %s", c.path, c.fields, answered(x, "WWW-Authenticate"))
		}
		if x.Res.Status == 200 && x.User != "" && (x.AuthType != "Basic" || !x.Req.Header.Has("Authorization")) {
			t.Errorf("%s %s: %q, member gets %q", c.path, c.fields, x.AuthType, x.Req.Header.Get("Authorization"))
		}
	}
}

func TestGroupsAndSources(t *testing.T) {
	one, two := write(t, "one", "ann:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n"), write(t, "two", "bob:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\nann:{SHA}x\n")
	groups := write(t, "groups", "# groups\nstaff : ann carl\nAdmins: bob\n")
	digests := write(t, "digests", "ann:here:a0e5c6e967cb96af96e17a87f6a6ca1c\nann:there:x\n")
	r := newRig(t, `
<AuthnProviderAlias file second>
  AuthUserFile `+two+`
</AuthnProviderAlias>
<AuthzProviderAlias group grown "admins">
  AuthGroupFile `+groups+`
</AuthzProviderAlias>
<Location />
  AuthType Basic
  AuthName here
  AuthUserFile `+one+`
  AuthBasicProvider file second
  Require valid-user
</Location>
<Location /proxied/staff>
  AuthGroupFile `+groups+`
  Require group staff
</Location>
<Location /proxied/none>
  Require group staff
</Location>
<Location /proxied/gone>
  AuthGroupFile /nope
  Require group staff
</Location>
<Location /proxied/grown>
  Require grown
</Location>
<Location /proxied/nofile>
  AuthUserFile /nope
</Location>
<Location /proxied/digest>
  AuthUserFile `+digests+`
  AuthBasicUseDigestAlgorithm MD5
</Location>
<Location /proxied/loose>
  AuthBasicAuthoritative Off
</Location>
<Location /proxied/fake>
  AuthBasicFake %{REMOTE_USER}-member s3
</Location>
<Location /proxied/fakeless>
  AuthBasicFake %{HTTP:X-None}
</Location>
`)
	tests := []struct {
		path, user string
		status     int
		log        string
	}{
		{"", "ann", 200, ""},
		{"", "bob", 200, ""},
		{"", "eve", 401, "AH01618"},
		{"/staff", "ann", 200, ""},
		{"/staff", "bob", 401, "AH01631"},
		{"/none", "ann", 401, "[authz_groupfile:error] AH01664: No group file was specified in the configuration"},
		{"/gone", "ann", 401, "[authz_groupfile:error] (2)No such file or directory: AH01665: Could not open group file: /nope"},
		{"/grown", "bob", 200, ""},
		{"/grown", "ann", 401, "AH01631"},
		{"/nofile", "ann", 500, "[authn_file:error] (2)No such file or directory: AH01620: Could not open password file: /nope"},
		{"/digest", "ann", 200, ""},
		{"/digest", "bob", 401, "AH01618"},
		{"/loose", "eve", 500, "[authn_core:error] AH01796: AuthType Basic configured without corresponding module"},
		{"/fake", "ann", 200, ""},
	}
	for _, c := range tests {
		x := r.get("GET /proxied" + c.path + " HTTP/1.1\n" + credentials(c.user, "secret"))
		if log := r.log.take(); x.Res.Status != c.status || !strings.Contains(log, c.log) {
			t.Errorf("%s %s: %d, want %d\n%s", c.path, c.user, x.Res.Status, c.status, log)
		}
	}
	x := r.get("GET /proxied/fake HTTP/1.1\n" + credentials("ann", "secret"))
	if got := "Authorization: " + x.Req.Header.Get("Authorization"); got != credentials("ann-member", "s3") {
		t.Error(got)
	}
	if x := r.get("GET /proxied/fakeless HTTP/1.1\n" + credentials("ann", "secret")); x.Req.Header.Has("Authorization") {
		t.Error("a password was passed on")
	}
}

// A password file that changes counts from the next request on.
func TestUserFileChanges(t *testing.T) {
	file := write(t, "users", "ann:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n")
	r := newRig(t, in("AuthType Basic\nAuthName x\nAuthUserFile "+file+"\nRequire valid-user"))
	ask := func() int { return r.get("GET /proxied HTTP/1.1\n" + credentials("ann", "secret")).Res.Status }
	if got := ask(); got != 200 {
		t.Fatal(got)
	}
	os.WriteFile(file, []byte("ann:{SHA}6en6G6MezRroT3XKqkdPOmY/BfQ=\n"), 0o600)
	if got := ask(); got != 401 {
		t.Error("the old password still fits:", got)
	}
	os.Remove(file)
	if got := ask(); got != 500 {
		t.Error("without the file:", got)
	}
}

// The page of a 401 may stand behind the same lock.
func TestErrorDocumentOf401(t *testing.T) {
	r := newRig(t, in("AuthType Basic\nAuthName x\nAuthUserFile /nope\nRequire valid-user\nErrorDocument 401 /proxied/login"))
	x := r.get("GET /proxied/x HTTP/1.1")
	if body(x) != "member" || answered(x, "WWW-Authenticate") == "" {
		t.Error(x.Res.Status, answered(x, "WWW-Authenticate"), r.log.take())
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
	if len(m.until) > maxRemembered {
		t.Error(len(m.until))
	}
	if d := m.digest("hash", "a"); m.knows(d) {
		t.Error("never kept")
	}
}

func BenchmarkRemembered(b *testing.B) {
	file := write(b, "users", users)
	r := newRig(b, in("AuthType Basic\nAuthName x\nAuthUserFile "+file+"\nRequire valid-user"))
	for b.Loop() {
		r.get("GET /proxied HTTP/1.1\n" + credentials("bcrypt", "secret"))
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
		if x := r.get("GET /proxied HTTP/1.1"); x.Res.Status != want {
			t.Errorf("%s: %d, want %d\n%s", conf, x.Res.Status, want, r.log.take())
		}
	}
}
