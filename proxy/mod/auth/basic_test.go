package auth

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

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
		x := r.Get("GET /proxied" + c.path + " HTTP/1.1\n" + c.fields)
		log := r.Log.Take()
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
		x := r.Get("GET /proxied" + c.path + " HTTP/1.1\n" + credentials(c.user, "secret"))
		if log := r.Log.Take(); x.Res.Status != c.status || !strings.Contains(log, c.log) {
			t.Errorf("%s %s: %d, want %d\n%s", c.path, c.user, x.Res.Status, c.status, log)
		}
	}
	x := r.Get("GET /proxied/fake HTTP/1.1\n" + credentials("ann", "secret"))
	if got := "Authorization: " + x.Req.Header.Get("Authorization"); got != credentials("ann-member", "s3") {
		t.Error(got)
	}
	if x := r.Get("GET /proxied/fakeless HTTP/1.1\n" + credentials("ann", "secret")); x.Req.Header.Has("Authorization") {
		t.Error("a password was passed on")
	}
}

// A password file that changes counts from the next request on.
func TestUserFileChanges(t *testing.T) {
	file := write(t, "users", "ann:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n")
	r := newRig(t, in("AuthType Basic\nAuthName x\nAuthUserFile "+file+"\nRequire valid-user"))
	ask := func() int { return r.Get("GET /proxied HTTP/1.1\n" + credentials("ann", "secret")).Res.Status }
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
	x := r.Get("GET /proxied/x HTTP/1.1")
	if body(x) != "member" || answered(x, "WWW-Authenticate") == "" {
		t.Error(x.Res.Status, answered(x, "WWW-Authenticate"), r.Log.Take())
	}
}

func BenchmarkRemembered(b *testing.B) {
	file := write(b, "users", users)
	r := newRig(b, in("AuthType Basic\nAuthName x\nAuthUserFile "+file+"\nRequire valid-user"))
	for b.Loop() {
		r.Get("GET /proxied HTTP/1.1\n" + credentials("bcrypt", "secret"))
	}
}
