package manager_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"balancerd/balancer"
	"balancerd/manager"
)

func TestMethods(t *testing.T) {
	s := serve(t, samples(t))
	for _, c := range []struct {
		method, allow, kind string
		status              int
		body                bool
	}{
		{"GET", "", "text/html; charset=ISO-8859-1", 200, true},
		{"HEAD", "", "text/html; charset=ISO-8859-1", 200, true}, // net/http and the bridge drop it
		{"POST", "", "text/html; charset=ISO-8859-1", 200, true},
		{"OPTIONS", "GET,POST,OPTIONS,HEAD,TRACE", "", 200, false},
		{"PUT", "GET,POST,OPTIONS,HEAD,TRACE", "", 405, false},
		{"DELETE", "GET,POST,OPTIONS,HEAD,TRACE", "", 405, false},
		{"PATCH", "GET,POST,OPTIONS,HEAD,TRACE", "", 405, false},
	} {
		r := s.ask(c.method, base, "")
		if r.StatusCode != c.status || r.Header.Get("Allow") != c.allow || r.Header.Get("Content-Type") != c.kind || text(t, r) != "" != c.body {
			t.Errorf("%s: %d %v", c.method, r.StatusCode, r.Header)
		}
	}
	s.facts.TraceOff = true
	if allow := s.ask("OPTIONS", base, "").Header.Get("Allow"); strings.Contains(allow, "TRACE") {
		t.Errorf("TraceEnable Off: Allow: %s", allow)
	}
}

// row is a member's row, without link: Route RouteRedir Factor Set Status.
func (s *site) row(table, member int) string {
	return strings.Join(cells(s.get(base), table)[member][1:6], ",")
}

// TestMemberFields is httpd's outcome of each edit, one after the other.
func TestMemberFields(t *testing.T) {
	s := serve(t, farmOf(t, spec(t, "c", "/", "nonce=fixed", env, "http://h:1 route=r1", "http://h:2 route=r2")))
	for _, c := range []struct{ field, value, row string }{
		{"w_lf", "0.99", "r1,,1.00,0,Init Ok "}, {"w_lf", "2.555", "r1,,2.55,0,Init Ok "}, {"w_lf", "100", "r1,,100.00,0,Init Ok "},
		{"w_lf", "100.01", "r1,,100.00,0,Init Ok "}, {"w_lf", "abc", "r1,,100.00,0,Init Ok "}, {"w_lf", "3x", "r1,,3.00,0,Init Ok "},
		{"w_ls", "7x", "r1,,3.00,7,Init Ok "}, {"w_ls", "100", "r1,,3.00,7,Init Ok "}, {"w_ls", "-1", "r1,,3.00,7,Init Ok "}, {"w_ls", "abc", "r1,,3.00,0,Init Ok "},
		{"w_wr", strings.Repeat("x", 64), ",,3.00,0,Init Ok "}, {"w_wr", "a b<c>", "a b&lt;c&gt;,,3.00,0,Init Ok "}, {"w_wr", "", ",,3.00,0,Init Ok "},
		{"w_rr", "other", ",other,3.00,0,Init Ok "}, {"w_rr", "", ",,3.00,0,Init Ok "},
		{"w_status_I", "1", ",,3.00,0,Init Ign Ok "}, {"w_status_N", "2", ",,3.00,0,Init Ign Drn Ok "}, {"w_status_D", "yes", ",,3.00,0,Init Ign Drn Ok "},
		{"w_status_H", "1", ",,3.00,0,Init Ign Drn Stby Ok "}, {"w_status_R", "1", ",,3.00,0,Init Ign Drn Stby Spar Ok "},
		{"w_status_C", "1", ",,3.00,0,Init Ign Drn Stby Spar HcFl "}, {"w_status_S", "1", ",,3.00,0,Init Ign Drn Stop Stby Spar HcFl "},
		{"w_status_E", "1", ",,3.00,0,Init Ign Drn Stop Stby Spar HcFl "}, {"W_STATUS_I", "0", ",,3.00,0,Init Drn Stop Stby Spar HcFl "},
		{"w_status_N", "0", ",,3.00,0,Init Stop Stby Spar HcFl "}, {"w_wr", "%41%2B", "A+,,3.00,0,Init Stop Stby Spar HcFl "}, {"w_wr", "a+b", "a+b,,3.00,0,Init Stop Stby Spar HcFl "},
		{"nosuch", "1", "a+b,,3.00,0,Init Stop Stby Spar HcFl "},
	} {
		s.post(edit("c", "http://h:1", "fixed", c.field, c.value))
		if row := s.row(2, 1); row != c.row {
			t.Errorf("%s=%s: %s, want %s", c.field, c.value, row, c.row)
		}
	}
	if len(s.logged) > 0 {
		t.Errorf("logged %v", s.logged)
	}
}

// TestHealthFields is httpd's outcome of each edit of a member's checks, one after the other.
func TestHealthFields(t *testing.T) {
	s := serve(t, farmOf(t, spec(t, "c", "/", "nonce=fixed", env, "http://h:1")))
	for _, c := range []struct{ fields, row string }{
		{"w_hm=GET", "GET,30000ms,1 (0),1 (0),,"}, {"w_hm=nope", "GET,30000ms,1 (0),1 (0),,"}, {"w_he=OK234", "GET,30000ms,1 (0),1 (0),,"}, {"w_he=ok234", "GET,30000ms,1 (0),1 (0),,ok234"},
		{"w_he=nope", "GET,30000ms,1 (0),1 (0),,"}, {"w_hi=5000", "GET,5000ms,1 (0),1 (0),,"}, {"w_hi=99", "GET,5000ms,1 (0),1 (0),,"},
		{"w_hi=7s", "GET,7000ms,1 (0),1 (0),,"}, {"w_hi=x", "GET,7000ms,1 (0),1 (0),,"}, {"w_hp=3", "GET,7000ms,3 (0),1 (0),,"},
		{"w_hp=0", "GET,7000ms,3 (0),1 (0),,"}, {"w_hf=4", "GET,7000ms,3 (0),4 (0),,"}, {"w_hf=-1", "GET,7000ms,3 (0),4 (0),,"},
		{"w_hu=/health", "GET,7000ms,3 (0),4 (0),/health,"}, {"w_hu=/a%2520b", "GET,7000ms,3 (0),4 (0),/health,"}, {"w_hu=/a%250d%250aX:%2520y", "GET,7000ms,3 (0),4 (0),/health,"}, // ours
		{"w_hu=" + strings.Repeat("u", 64), "GET,7000ms,3 (0),4 (0),,"},
		{"w_he=in_maint&w_hm=GET", "GET,7000ms,3 (0),4 (0),,in_maint"}, {"w_hm=tcp", "TCP,7000ms,3 (0),4 (0),,"}, {"w_hm=NONE", "NONE,7000ms,3 (0),4 (0),,"},
	} {
		s.post(edit("c", "http://h:1", "fixed") + "&" + c.fields)
		if row := strings.Join(cells(s.get(base), 2)[1][11:], ","); row != c.row {
			t.Errorf("%s: %s, want %s", c.fields, row, c.row)
		}
	}
	if form := s.get(base+"?b=c&w=http://h:1", referer); !strings.Contains(form, "<option value='CPING'") || strings.Contains(form, "PROVIDER") {
		t.Error("the methods offered")
	}
}

// TestCheckNow: what else is in the form of the button is left alone.
func TestCheckNow(t *testing.T) {
	f := farmOf(t, spec(t, "c", "/", "nonce=fixed", env, "http://h:1 hcmethod=GET", "http://h:2"))
	s := serve(t, f)
	one, two := f.Balancer(vhost, "c").Members()[0], f.Balancer(vhost, "c").Members()[1]
	if form := s.get(base+"?b=c&w=http://h:1", referer); !strings.Contains(form, "<button type=submit name='check' value='now'>") {
		t.Error("no button")
	}
	if form := s.get(base+"?b=c&w=http://h:2", referer); strings.Contains(form, "<button") {
		t.Error("a button for a member that is not checked")
	}
	s.post(edit("c", "http://h:1", "fixed") + "&w_lf=5&w_hm=TCP&check=now")
	if set := one.Settings(); !one.CheckAsked() || set.LoadFactor != 100 || set.Health.Method != balancer.CheckGet {
		t.Errorf("asked for a check: %+v", set)
	}
	if n := f.Balancer(vhost, "c").Revision(); n != 0 {
		t.Errorf("a check is revision %d", n)
	}
	s.post(edit("c", "http://h:2", "fixed") + "&check=now")
	s.post(edit("c", "http://h:1", "wrong") + "&check=now")
	s.post("b=c&nonce=fixed&check=now")
	if one.CheckAsked() || two.CheckAsked() {
		t.Error("asked without method, nonce or member")
	}
}

func TestBalancerFields(t *testing.T) {
	s := serve(t, farmOf(t, spec(t, "c", "/", "nonce=fixed stickysession=S|p", env, "http://h:1", "http://h:2")))
	for _, c := range []struct{ field, value, row string }{
		{"b_lbm", "bytraffic", "S|p,Off,0,1,bytraffic"}, {"b_lbm", "nope", "S|p,Off,0,1,bytraffic"}, {"b_tmo", "7200", "S|p,Off,7200,1,bytraffic"},
		{"b_tmo", "7201", "S|p,Off,7200,1,bytraffic"}, {"b_tmo", "0", "S|p,Off,0,1,bytraffic"}, {"b_max", "99", "S|p,Off,0,99,bytraffic"},
		{"b_max", "100", "S|p,Off,0,99,bytraffic"}, {"b_sforce", "1", "S|p,On,0,99,bytraffic"}, {"b_ss", "A", "A,On,0,99,bytraffic"},
		{"b_ss", strings.Repeat("x", 63), "A,On,0,99,bytraffic"}, {"b_ss", "", "A,On,0,99,bytraffic"}, {"b_ss", "-", " (None) ,On,0,99,bytraffic"},
	} {
		s.post(edit("C", "", "fixed", c.field, c.value))
		if row := strings.Join(cells(s.get(base), 1)[1][1:6], ","); row != c.row {
			t.Errorf("%s=%s: %s, want %s", c.field, c.value, row, c.row)
		}
	}
}

// TestBothParts: one form may edit a member and its balancer.
func TestBothParts(t *testing.T) {
	s := serve(t, samples(t))
	s.post(edit("app", "http://127.0.0.1:18101", appNonce, "b_tmo", "9", "w_lf", "4", "b_nwrkr", "http://127.0.0.1:1", "b_wyes", "1"))
	if got := s.row(2, 1) + "|" + cells(s.get(base), 1)[1][3] + "|" + cells(s.get(base), 2)[5][5]; got != "n1,,4.00,0,Init Ok |9|Init Dis " {
		t.Error(got)
	}
}

func TestNonce(t *testing.T) {
	for _, c := range []struct {
		set, nonce string
		ok         bool
	}{{"nonce=fixed", "fixed", true}, {"nonce=fixed", "other", false}, {"nonce=fixed", "", false}, {"nonce=None", "", false}, {"nonce=None", "None", false}} {
		s := serve(t, farmOf(t, spec(t, "c", "/", c.set, env, "http://h:1")))
		r := s.ask("POST", base, edit("c", "http://h:1", c.nonce, "w_ls", "5"), referer)
		if set := cells(text(t, r), 2)[1][4]; r.StatusCode != 200 || set == "5" != c.ok {
			t.Errorf("%s, nonce %q: %d, set %s", c.set, c.nonce, r.StatusCode, set)
		}
	}
	a, b := serve(t, farmOf(t, spec(t, "c", "/", "", env))).get(base), serve(t, farmOf(t, spec(t, "c", "/", "", env))).get(base)
	if a == b {
		t.Error("two farms have the same nonce")
	}
}

func TestReferer(t *testing.T) {
	f := farmOf(t, spec(t, "c", "/", "nonce=fixed", env, "http://h:1"))
	for _, c := range []struct {
		referer string
		ok      bool
	}{
		{"http://localhost/balancer-manager", true}, {"https://LOCALHOST:99/any", true}, {"http://user@localhost?x", true}, {"http://localhost", true},
		{"http://front.example/", false}, {"http://localhost.evil/", false}, {"/balancer-manager", false}, {"localhost", false}, {"//localhost/", true},
		{"//localhost", true}, {"//evil/", false}, {"://localhost/", false}, {"x//localhost/", false}, {"/x//localhost/", false}, {"http:/localhost//localhost", false},
		{"", false}, {"-", false}, {"http://evil/?http://localhost/", false}, {"http://localhost@evil/", false}, {"http:///", false},
	} {
		s := serve(t, f)
		s.facts.ServerName = "localhost"
		headers := []string{"Referer: " + c.referer}
		if c.referer == "-" {
			headers = nil
		}
		s.post(edit("c", "http://h:1", "fixed", "w_ls", "1")) // refused: that Referer is 127.0.0.1's
		s.logged = nil
		s.ask("POST", base, edit("c", "http://h:1", "fixed", "w_ls", "7"), headers...)
		if set := cells(s.get(base), 2)[1][4]; set == "7" != c.ok {
			t.Errorf("Referer %q: set %s", c.referer, set)
		}
		want := "AH10187: ignoring params in balancer-manager cross-site access " + strings.Replace(c.referer, "-", "(null)", 1) + ": localhost"
		if c.referer == "/balancer-manager" {
			want = "AH10187: ignoring params in balancer-manager cross-site access /balancer-manager: localhost"
		}
		if c.ok != (len(s.logged) == 0) || !c.ok && s.logged[0] != want {
			t.Errorf("Referer %q: logged %q, want %q", c.referer, s.logged, want)
		}
		f.Apply(t.Context(), balancer.Change{VHost: vhost, Balancer: "c", Worker: "http://h:1", Form: []balancer.Value{{Name: "w_ls", Text: "0"}}})
	}
}

func TestIPv6Referer(t *testing.T) {
	s := serve(t, samples(t))
	s.facts.ServerName = "[::1]"
	if !strings.Contains(s.get(base+"?b=app", "Referer: http://[::1]:8080/"), "Edit balancer") {
		t.Error("an IPv6 server does not know its own Referer")
	}
}

// TestGetChangesNothing: the four keys select, the rest does not count; a POST's query does not either.
func TestGetChangesNothing(t *testing.T) {
	s := serve(t, samples(t))
	query := "?b=app&w=http://127.0.0.1:18101&nonce=" + appNonce + "&w_status_D=1&w_lf=9"
	s.get(base+query, referer)
	s.ask("POST", base+query, "", referer)
	if row := s.row(2, 1); row != "n1,,2.00,0,Init Ok " {
		t.Error(row)
	}
	for target, title := range map[string]string{
		"?w=http://127.0.0.1:18101": "",
		"?b=nosuch":                 "",
		"?b=app&w=http://127.0.0.1:18101/deeper/path":     "Edit worker settings for http://127.0.0.1:18101",
		"?b=app&w=http://127.0.0.1:18101/":                "Edit worker settings for http://127.0.0.1:18101",
		"?b=app&w=http://127.0.0.1:1":                     "Edit balancer settings for balancer://app",
		"?b=APP&nonce=wrong":                              "Edit balancer settings for balancer://app",
		"?b=app&w=http://app.internal":                    "Edit worker settings for unix:/srv/httpd/run/app.sock|http://app.internal/",
		"?b=app&w=http%3A%2F%2FAPP.internal%3A80%2F":      "Edit worker settings for unix:/srv/httpd/run/app.sock|http://app.internal/",
		"?b=app&w=http%253A%252F%252F127.0.0.1:18103/ctx": "Edit worker settings for http://127.0.0.1:18103/ctx",
		"?B=app": "",
	} {
		page := s.get(base+target, referer)
		_, edit, _ := strings.Cut(page, "<h3>Edit")
		edit, _, _ = strings.Cut(edit, "</h3>")
		if edit = strings.NewReplacer("<i>", "", "</i>", "").Replace(edit); edit != strings.TrimPrefix(title, "Edit") {
			t.Errorf("%s: Edit%s, want %s", target, edit, title)
		}
	}
}

// TestLinksLead: each link of a page with odd names leads to its form, and the form edits.
func TestLinksLead(t *testing.T) {
	urls := []string{"http://h:1/a%20b", "http://h:2/x(y)&z=1;'+\"<>", "http://[::1]:3/", "http://h:4/%2541"}
	sp := spec(t, "b-1.x", "/", "nonce=a&b<'\">", env)
	for _, u := range urls {
		sp.Members = append(sp.Members, member(t, u, env))
	}
	f := farmOf(t, sp)
	s := serve(t, f)
	page := s.get(base)
	for i, u := range urls {
		name := html.EscapeString(u)
		href := between(strings.Split(page, "<td><a href=\"")[i+1], "", `"`)
		form := s.get(html.UnescapeString(href), referer)
		if !strings.Contains(form, "Edit worker settings for "+strings.NewReplacer("&#39;", "'", "&#34;", "&quot;").Replace(name)+"<") {
			t.Errorf("%s: the link %s leads to %q", u, href, between(form, "<h3>Edit", "</h3>"))
			continue
		}
		hidden := url.QueryEscape(html.UnescapeString(between(form, `name='w' id='w' value="`, `"`)))
		nonce := url.QueryEscape(html.UnescapeString(between(form, `id='nonce' value='`, `'`)))
		s.post("w=" + hidden + "&b=b-1.x&nonce=" + nonce + "&w_ls=" + fmt.Sprint(i+1))
		if got := f.Balancer(vhost, "b-1.x").Members()[i].Settings().LBSet; got != i+1 {
			t.Errorf("%s: the form of hidden w %s did not reach it: set %d", u, hidden, got)
		}
	}
}

func between(s, before, after string) string {
	_, s, _ = strings.Cut(s, before)
	s, _, _ = strings.Cut(s, after)
	return s
}

func TestAddMember(t *testing.T) {
	s := serve(t, farmOf(t, spec(t, "c", "/", "nonce=fixed growth=2", env, "http://h:1")))
	for _, c := range []struct {
		url, yes string
		status   int
		log      string
	}{
		{"http://h:3", "0", 200, ""}, {"http://h:3", "11", 200, ""},
		{"http://h:1/x", "1", 400, "AH10164: balancer://c: failed to add worker http://h:1/x|balancer://c: http://h:1/x was not added: another member covers the URL"},
		{"not a url", "1", 400, "AH10163: balancer://c: failed to add worker not a url|balancer://c: not a url was not added: not the URL of a worker: URL must be absolute!: not a url"},
		{"", "1", 400, "AH10163: balancer://c: failed to add worker |balancer://c:  was not added: not the URL of a worker"},
		{"unix:/run/docker.sock|http://x/", "1", 400, "AH10163: balancer://c: failed to add worker unix:/run/docker.sock|http://x/|balancer://c: unix:/run/docker.sock|http://x/ was not added: not the URL of a worker"},
		{"http://h:3", "1", 200, ""}, {"http://h:4/ctx", "1", 200, ""},
		{"http://h:5", "1", 400, "AH10164: balancer://c: failed to add worker http://h:5|balancer://c: http://h:5 was not added: no room for another member: the balancer may have 3, growth= allows more"},
	} {
		s.logged = nil
		r := s.ask("POST", base, edit("c", "", "fixed", "b_nwrkr", c.url, "b_wyes", c.yes), referer)
		if log := strings.Join(s.logged, "|"); r.StatusCode != c.status || log != c.log || c.status == 400 && (text(t, r) != "" || !strings.Contains(r.Header.Get("Set-Cookie"), "balancer-notice")) {
			t.Errorf("%q %s: %d, logged %q", c.url, c.yes, r.StatusCode, log)
		}
	}
	page := s.get(base+"?b=c", referer)
	if !strings.Contains(page, "growth=") || strings.Contains(page, "Add New Worker") || cells(page, 1)[1][0] != "3 [3 Used]" || cells(page, 2)[2][5] != "Init Dis " {
		t.Errorf("afterwards: %v %v", cells(page, 1), cells(page, 2))
	}
}

// TestLongForms: the whole form counts, not httpd's first kilobyte, up to 64.
func TestLongForms(t *testing.T) {
	s := serve(t, samples(t))
	long := edit("app", "http://127.0.0.1:18101", appNonce) + "&x=" + strings.Repeat("y", 5000) + "&w_ls=8"
	if s.post(long); !strings.HasPrefix(s.row(2, 1), "n1,,2.00,8") {
		t.Error("what comes late in a form is lost")
	}
	if r := s.ask("POST", base, strings.Repeat("y", 64<<10+1), referer); r.StatusCode != 413 || text(t, r) != "" {
		t.Errorf("too long: %d", r.StatusCode)
	}
	if r := s.ask("POST", base, "b=%zz&=&&&w=%&nonce=%00x%"+strings.Repeat("&&", 9000), referer); r.StatusCode != 200 {
		t.Errorf("nonsense: %d", r.StatusCode)
	}
}

// TestToken: the header stands for Referer and nonce.
func TestToken(t *testing.T) {
	s := serve(t, samples(t))
	for _, c := range []struct {
		token, b string
		set      string
	}{{appNonce, "app", "1"}, {hcNonce, "app", "1"}, {"x", "app", "1"}, {hcNonce, "hc", "2"}} {
		body := "b=" + c.b + "&w=" + map[string]string{"app": "http://127.0.0.1:18101", "hc": "http://127.0.0.1:18104"}[c.b] + "&w_ls=" + c.set
		r := s.ask("POST", base, body, "X-Balancer-Nonce: "+c.token)
		if r.StatusCode != 200 || r.Header.Get("Set-Cookie") != "" {
			t.Errorf("%v: %d %v", c, r.StatusCode, r.Header)
		}
	}
	if got := s.row(2, 1) + s.row(4, 1); got != "n1,,2.00,1,Init Ok ,,1.00,2,Init Ok " {
		t.Error(got)
	}
	if !strings.HasPrefix(s.get(base+"?xml=1", "X-Balancer-Nonce: "+hcNonce), "<?xml") {
		t.Error("the header does not open the XML")
	}
	s.post(edit("app", "http://127.0.0.1:18101", hcNonce, "w_ls", "9"))
	r := s.ask("POST", base, edit("app", "http://127.0.0.1:18101", hcNonce, "w_ls", "9"), "X-Balancer-Nonce: "+hcNonce)
	if text(t, r); !strings.HasPrefix(s.row(2, 1), "n1,,2.00,1") {
		t.Error("another balancer's nonce opens this one")
	}
}

func TestJSON(t *testing.T) {
	s := serve(t, samples(t))
	var doc struct {
		Balancers []struct {
			Name, Nonce string
			Settings    map[string]string
			Members     []struct {
				URL      string
				Status   []string
				Usable   bool
				Settings map[string]string
			}
		}
	}
	read := func(r *http.Response) {
		t.Helper()
		if kind := r.Header.Get("Content-Type"); kind != "application/json" {
			t.Fatalf("%d %s", r.StatusCode, kind)
		}
		doc.Balancers = nil
		if err := json.Unmarshal([]byte(text(t, r)), &doc); err != nil {
			t.Fatal(err)
		}
	}
	read(s.ask("GET", base, "", "Accept: application/json"))
	app := doc.Balancers[0]
	if app.Name != "app" || app.Nonce != appNonce || app.Settings["timeout"] != "2" || app.Members[0].Settings["route"] != "n1" || !app.Members[0].Usable ||
		!slices.Equal(app.Members[0].Status, []string{"Init", "Ok"}) {
		t.Errorf("%+v", app)
	}
	read(s.ask("GET", base+"/hc?json=1", ""))
	if len(doc.Balancers) != 1 || doc.Balancers[0].Name != "hc" {
		t.Errorf("/hc: %+v", doc.Balancers)
	}
	token := "X-Balancer-Nonce: " + appNonce
	read(s.ask("POST", base, "json=1&b=app&w=http://127.0.0.1:18101&w_status_D=1", token))
	if doc.Balancers[0].Members[0].Usable {
		t.Error("the answer to a POST is not the new state")
	}
	for _, c := range []struct {
		body, header string
		status       int
	}{
		{"b=app", "X: y", 403}, {"b=app&nonce=x", referer, 403}, {"b=nosuch", token, 404}, {"b=app&w=http://nosuch", token, 404},
		{"b=app&b_wyes=1&b_nwrkr=http://127.0.0.1:18101/x", token, 400}, {"b=app&b_wyes=1&b_nwrkr=no", token, 400},
	} {
		r := s.ask("POST", base, c.body, c.header, "Accept: application/json")
		var e struct{ Error string }
		if err := json.Unmarshal([]byte(text(t, r)), &e); r.StatusCode != c.status || err != nil || e.Error == "" {
			t.Errorf("%v: %d %v", c, r.StatusCode, e)
		}
	}
	if s.get(base, "Accept: text/html,application/xhtml+xml,application/json;q=0.1")[0] != '<' {
		t.Error("a browser got JSON")
	}
}

// TestOneBalancer: /balancer-manager/NAME shows NAME alone; any other path all.
func TestOneBalancer(t *testing.T) {
	s := serve(t, samples(t))
	for path, want := range map[string]string{"": "app hc", "/": "app hc", "/hc": "hc", "/HC/": "hc", "/x/app": "app", "/nosuch": "app hc"} {
		page := s.get(base + path)
		var names []string
		for _, h := range strings.Split(page, "<h3>LoadBalancer Status for ")[1:] {
			names = append(names, between(h, "balancer://", "<"))
			if !strings.HasPrefix(h, `<a href="`+base+path+"?b=") {
				t.Errorf("%s: link %s", path, h[:60])
			}
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	f := farmOf(t, spec(t, "app", "/", "", env), spec(t, "other", "/", "", env))
	if s := serve(t, f); strings.Count(s.get("/app"), "<h3>") != 2 {
		t.Error("a manager at /app shows balancer app alone")
	}
}

func TestNotice(t *testing.T) {
	s := serve(t, samples(t))
	r := s.ask("POST", base, edit("app", "http://127.0.0.1:18102", appNonce, "w_lf", "5", "w_status_D", "1", "w_rr", "", "b_tmo", "9"), referer)
	c := r.Cookies()
	if len(c) != 1 || !c[0].HttpOnly || c[0].SameSite != http.SameSiteStrictMode || c[0].Path != base || strings.Contains(text(t, r), "class=notice") {
		t.Fatalf("cookies %v", c)
	}
	r = s.ask("GET", base, "", "Cookie: "+c[0].Name+"="+c[0].Value)
	want := `<p class=notice role=status>n2&#39;s load factor is now 5.00; n2 has no route redirect now; n2 disabled; balancer://app&#39;s timeout is now 9</p>`
	if page := text(t, r); !strings.Contains(page, want) || r.Cookies()[0].MaxAge != -1 || r.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%v %s", r.Cookies(), between(page, "<p class=notice", "\n"))
	}
	for name, page := range map[string]string{
		"no cookie":     s.get(base),
		"a forged one":  s.get(base, "Cookie: "+c[0].Name+"=x"+c[0].Value),
		"a foreign one": serve(t, samples(t)).get(base, "Cookie: "+c[0].Name+"="+c[0].Value+"x"),
	} {
		if strings.Contains(page, "class=notice") {
			t.Errorf("%s: a notice", name)
		}
	}
	for _, body := range []string{
		edit("app", "http://127.0.0.1:18102", appNonce, "w_lf", "5"), // as it is
		edit("app", "http://127.0.0.1:18102", appNonce, "w_lf", "7", "xml", "1"),
		edit("app", "http://127.0.0.1:18102", "x", "w_lf", "6", "xml", "1"),
	} {
		if r := s.ask("POST", base, body, referer); len(r.Cookies()) != 0 {
			t.Errorf("%s: cookies %v", body, r.Cookies())
		}
	}
	r = s.ask("POST", base, edit("app", "", appNonce, "b_nwrkr", "http://new:1", "b_wyes", "1", "b_ss", strings.Repeat("x", 62), "b_sforce", "1"), referer)
	page := s.get(base, "Cookie: "+r.Cookies()[0].Name+"="+r.Cookies()[0].Value)
	if want := `balancer://app does not fail over; balancer://app&#39;s sticky session is now ` + strings.Repeat("x", 62) + `; http://new:1 added, disabled for now</p>`; !strings.Contains(page, want) {
		t.Errorf("%s", between(page, "<p class=notice", "\n"))
	}
	r = s.ask("POST", base, edit("app", "http://127.0.0.1:18102", "x", "w_lf", "8"), referer) // of before a reload
	page = s.get(base, "Cookie: "+r.Cookies()[0].Name+"="+r.Cookies()[0].Value)
	if want := `nothing was changed: the form is older than the last reload, or not this balancer&#39;s; send it again</p>`; !strings.Contains(page, want) || strings.Contains(page, "<td>8.00</td>") {
		t.Errorf("an old form: %s", between(page, "<p class=notice", "\n"))
	}
}

// TestMarkup: nothing that an editor or client says comes back as markup.
func TestMarkup(t *testing.T) {
	const x = `"'><script>alert(1)</script>`
	s := serve(t, samples(t))
	s.facts.ServerName = x
	s.facts.Base = "http://" + x
	r := "Referer: http://" + x + "/"
	token := "X-Balancer-Nonce: " + appNonce
	w := "http://127.0.0.1:18101"
	pages := []string{
		s.get(base+"?b=app&nonce="+url.QueryEscape(appNonce+x), token),
		s.get("/balancer-manager/"+url.PathEscape(x), token),
		s.get(base+"?x="+url.QueryEscape(x), r),
		text(t, s.ask("POST", base, edit("app", w, appNonce, "w_wr", x, "w_rr", x, "b_ss", x, "b_lbm", x, "w_hu", x), token)),
		text(t, s.ask("POST", base, edit("app", "", appNonce, "b_nwrkr", "http://h/"+x, "b_wyes", "1"), token)),
		s.get(base+"?b=app&w="+w, token),
		s.get(base+"?b=app&w=http://h/", token),
		s.get(base+"?xml=1", token),
	}
	for i, page := range pages {
		if strings.Contains(page, "<script") || strings.Contains(page, "'><") && strings.Contains(page, "alert(1)<") {
			t.Errorf("page %d has the markup", i)
		}
	}
	if strings.Contains(s.get("//evil.example"+base), `href="//`) {
		t.Error("a link names another host")
	}
}

// TestAlone: without facts the handler goes by the Host field.
func TestAlone(t *testing.T) {
	f := farmOf(t, balancer.Spec{Name: "balancer://x", Settings: balancer.NewBalancerSettings(), Path: "/", Env: env, Members: []balancer.WorkerSpec{member(t, "http://h:1", env)}})
	s := &site{t: t, handler: manager.New(f, manager.Options{})}
	page := s.get(base+"?b=x", "Referer: http://127.0.0.1/")
	for _, want := range []string{"<h1>Load Balancer Manager for 127.0.0.1</h1>", `action="http://127.0.0.1:18080/balancer-manager"`, "Balancers are NOT inherited"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s", want)
		}
	}
}

// TestNoHealthChecks: without mod_proxy_hcheck its columns and fields are not there.
func TestNoHealthChecks(t *testing.T) {
	s := serve(t, farmOf(t, spec(t, "c", "/", "", balancer.Env{Methods: env.Methods}, "http://h:1")))
	page := s.get(base+"?b=c&w=http://h:1", referer)
	if strings.Contains(page, "HC ") || strings.Contains(page, "w_h") || strings.Contains(page, "w_status_C") || len(cells(page, 2)[0]) != 11 {
		t.Error("health checks on the page")
	}
}

// unkept is a farm whose store fails.
type unkept struct {
	*balancer.Farm
	err error
}

func (u *unkept) Apply(ctx context.Context, c balancer.Change) error {
	u.Farm.Apply(ctx, c)
	return u.err
}

func TestNotKept(t *testing.T) {
	u := &unkept{samples(t), &balancer.SaveError{Err: errors.New("disk full")}}
	s := serve(t, u)
	s.post(edit("app", "http://127.0.0.1:18101", appNonce, "w_ls", "3"))
	u.err = &balancer.SaveError{Err: errors.New("disk full"), Repeated: true}
	s.post(edit("app", "http://127.0.0.1:18101", appNonce, "w_ls", "4"))
	if got := strings.Join(s.logged, "|"); got != "balancer://app: "+u.err.Error() || !strings.HasPrefix(s.row(2, 1), "n1,,2.00,4") {
		t.Errorf("logged %q, %s", got, s.row(2, 1))
	}
	r := s.ask("POST", base, edit("app", "http://127.0.0.1:18101", appNonce, "w_ls", "5"), referer)
	if page := text(t, r); r.StatusCode != 200 || len(r.Cookies()) != 1 || !strings.Contains(page, "lb set is now 5; not saved, ends with the server: disk full</p>") {
		t.Errorf("the page says %d %s", r.StatusCode, between(page, "<p class=notice", "\n"))
	}
	r = s.ask("POST", base, edit("app", "http://127.0.0.1:18101", appNonce, "w_ls", "6"), referer, "Accept: application/json")
	if page := text(t, r); r.StatusCode != 507 || !strings.Contains(page, "disk full; the edit holds until the server ends") {
		t.Errorf("a program is told %d %s", r.StatusCode, page)
	}
	u.err = balancer.ErrUnknownBalancer // a reload took it
	if r := s.ask("POST", base, edit("app", "", appNonce, "b_tmo", "3"), referer); r.StatusCode != 200 {
		t.Errorf("gone: %d", r.StatusCode)
	}
}
