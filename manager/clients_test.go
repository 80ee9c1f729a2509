package manager_test

import (
	"encoding/xml"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// The programs below are in use against httpd's manager. Each is imitated in what it depends on: how
// it cuts the page up, and what it sends.

// find returns the pattern's first group, or fails.
func find(t *testing.T, text, pattern string) string {
	t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("%s is not found in %.300s", pattern, text)
	}
	return m[1]
}

// TestAnsible is community.general.apache2_mod_proxy: every anchor but the first is a member, whose
// link is fetched with itself as Referer; the second table says what the state is.
func TestAnsible(t *testing.T) {
	s := serve(t, samples(t))
	page := s.get(base + "/hc") // the module knows one balancer a page
	find(t, strings.ToUpper(page), `(SERVER VERSION: APACHE/2\.4\.\d+)`)
	anchors := regexp.MustCompile(`<a href="([^"]*)"`).FindAllStringSubmatch(page, -1)[1:]
	if len(anchors) != 3 {
		t.Fatalf("%d members", len(anchors))
	}
	href := html.UnescapeString(anchors[0][1])
	m := regexp.MustCompile(`^(/[^?]*)\?b=([\w.\-]+)&w=((?:https?|ajp|wss?|ftp|[sf]cgi)://[\w.\-]+:?\d*(?:/[^&]*)?)&nonce=([\w\-]+)$`).FindStringSubmatch(href)
	if m == nil {
		t.Fatalf("link %s", href)
	}
	link := "http://" + host + href
	status := func() string {
		page := s.get(href, "Referer: "+link)
		table := strings.Split(page, "<table>")[2]
		var keys []string
		for _, th := range regexp.MustCompile(`<th>(.*?)</th>`).FindAllStringSubmatch(table, -1) {
			keys = append(keys, th[1])
		}
		for _, row := range strings.Split(table, "<tr>")[2:] {
			if !strings.Contains(row, "127.0.0.1:18104") {
				continue
			}
			for i, td := range regexp.MustCompile(`<td>(.*?)</td>`).FindAllStringSubmatch(row, -1) {
				if keys[i] == "Status" {
					return td[1]
				}
			}
		}
		return "not found"
	}
	if got := status(); got != "Init Ok " {
		t.Errorf("status %q", got)
	}
	body := url.Values{"b": {m[2]}, "w": {m[3]}, "nonce": {m[4]}, "w_status_D": {"1"}, "w_status_N": {"1"}, "w_status_H": {"0"}, "w_status_I": {"0"}}.Encode()
	if r := s.ask("POST", href, body, "Referer: "+link); r.StatusCode != 200 {
		t.Errorf("edit: %s", r.Status)
	}
	if got := status(); got != "Init Drn Dis " {
		t.Errorf("status %q", got)
	}
}

// TestPyBalancerManager: forms are dropped, tables come in pairs, each after an h3; members are known
// by their routes, and the answer to an edit must already show it.
func TestPyBalancerManager(t *testing.T) {
	s := serve(t, samples(t))
	routes := func(page string) map[string][]string {
		page = regexp.MustCompile(`(?s)<form.*?</form>`).ReplaceAllString(page, "")
		dts := regexp.MustCompile(`<dt>(.*?)</dt>`).FindAllStringSubmatch(page, 2)
		if !regexp.MustCompile(`^Server Version: Apache/\d+\.\d+\.\d+`).MatchString(dts[0][1]) || !regexp.MustCompile(`^Server Built: \d{4}-\d\d-\d\dT`).MatchString(dts[1][1]) {
			t.Fatal(dts)
		}
		found := map[string][]string{}
		tables := strings.Count(page, "<table")
		if tables%2 != 0 || tables != 2*strings.Count(page, "<h3>LoadBalancer") {
			t.Fatalf("%d tables", tables)
		}
		for i := 1; i <= tables; i += 2 {
			lb := cells(page, i)[1]
			for k, pattern := range []string{`^\d+ \[\d+ Used\]$`, `^( \(None\) |.+)$`, `^(On|Off)$`, `^\d+$`, `^\d+$`, `^\w+$`, `^/`, `^(Yes|No)$`} {
				if !regexp.MustCompile(pattern).MatchString(lb[k]) {
					t.Errorf("balancer cell %d is %q", k, lb[k])
				}
			}
			for _, row := range cells(page, i+1)[1:] {
				for k, pattern := range []string{`://`, ``, ``, `^\d+\.\d\d$`, `^\d+$`, `^Init `, `^\d+$`, `^\d+$`, `^-?\d+$`, `^ *[0-9.]+[KMGT]? *$`, `^ *[0-9.]+[KMGT]? *$`} {
					if !regexp.MustCompile(pattern).MatchString(row[k]) {
						t.Errorf("member cell %d is %q", k, row[k])
					}
				}
				found[row[1]] = row
			}
		}
		return found
	}
	nonce := find(t, s.get(base), `&amp;nonce=([-a-f0-9]{36})`)
	body := url.Values{"w_lf": {"1.00"}, "w_ls": {"0"}, "w_wr": {"n3"}, "w_rr": {""}, "w": {"http://127.0.0.1:18103/ctx"}, "b": {"app"}, "nonce": {nonce},
		"w_status_I": {"0"}, "w_status_N": {"1"}, "w_status_D": {"0"}, "w_status_H": {"0"}, "w_status_R": {"1"}, "w_status_S": {"0"}}.Encode()
	r := s.ask("POST", base, body, "Origin: http://"+host, referer)
	if row := routes(text(t, r))["n3"]; row == nil || row[5] != "Init Drn Spar Ok " {
		t.Errorf("after the edit: %v", row)
	}
}

// TestPerlBalancerManager is Apache::BalancerManager: h3 > a, then //table[2]/tr/td.
func TestPerlBalancerManager(t *testing.T) {
	s := serve(t, samples(t))
	page := s.get(base + "/app")
	if name := find(t, page, `<h3>[^<]*<a [^>]*>(balancer://[^<]*)</a>`); name != "balancer://app" {
		t.Error(name)
	}
	rows := strings.Split(strings.Split(page, "<table>")[2], "<tr>")[2:]
	link := html.UnescapeString(find(t, rows[0], `<td><a href="([^"]*)">`))
	nonce := find(t, link, `nonce=(.*)`)
	if n := len(regexp.MustCompile(`<td>`).FindAllString(rows[0], -1)); n < 11 {
		t.Errorf("%d cells", n)
	}
	for _, f := range []string{"D", "I", "N", "H", "R", "S"} {
		s.ask("POST", base+"/app", "w_status_"+f+"=1&w_lf=1&w_ls=0&w_wr=n1&w_rr=&w=http://127.0.0.1:18101&b=app&nonce="+nonce, referer)
	}
	if got := cells(s.get(base), 2)[1][5]; got != "Init Ign Drn Dis Stop Stby Spar " {
		t.Error(got)
	}
}

// TestHttpdsOwnTest is t/modules/proxy_balancer.t of httpd's test suite.
func TestHttpdsOwnTest(t *testing.T) {
	s := serve(t, farmOf(t, spec(t, "dynproxy", "/", "growth=3", env, "http://h:1")))
	page := s.get(base)
	rest := strings.SplitN(page, "?b=dynproxy", 2)[1]
	rest = strings.SplitN(rest, "&amp;nonce=", 2)[1]
	nonce := strings.SplitN(rest, `"`, 2)[0]
	if !regexp.MustCompile(`^[0-9a-fA-F-]+$`).MatchString(nonce) {
		t.Fatal(nonce)
	}
	add := "b_lbm=byrequests&b_tmo=0&b_max=0&b_sforce=0&b_ss=&b_nwrkr=http%3A%2F%2F127.0.0.1%3A8529&b_wyes=1&b=dynproxy&nonce=" + nonce
	if page := text(t, s.ask("POST", base, add)); strings.Contains(page, "8529") {
		t.Error("added without a Referer")
	}
	if page := s.post(add); !strings.Contains(page, "http://127.0.0.1:8529") {
		t.Error("not added")
	}
	s.post("w=http%3A%2F%2F127.0.0.1%3A8529&b=dynproxy&w_status_D=0&nonce=" + nonce)
	if got := cells(s.get(base), 2)[2][5]; got != "Init Ok " {
		t.Errorf("enabled: %q", got)
	}
}

// TestJwala finds the nonce by a regular expression and unmarshals the XML.
func TestJwala(t *testing.T) {
	s := serve(t, samples(t))
	nonce := find(t, s.get(base), `<h3>LoadBalancer Status for <a href=".*balancer-manager\?b=app&amp;nonce=(.*)">balancer`)
	var m struct {
		XMLName   xml.Name `xml:"http://httpd.apache.org manager"`
		Balancers []struct {
			Name    string `xml:"http://httpd.apache.org name"`
			Workers []struct {
				Name  string `xml:"http://httpd.apache.org name"`
				Route string `xml:"http://httpd.apache.org route"`
			} `xml:"http://httpd.apache.org workers>worker"`
		} `xml:"http://httpd.apache.org balancers>balancer"`
	}
	if err := xml.Unmarshal([]byte(s.get(base+"?b=app&xml=1&nonce="+nonce, referer)), &m); err != nil {
		t.Fatal(err)
	}
	if len(m.Balancers) != 2 || m.Balancers[0].Name != "balancer://app" || len(m.Balancers[0].Workers) != 4 || m.Balancers[0].Workers[1].Route != "n2" {
		t.Errorf("%+v", m)
	}
}

// TestNagiosPerl is check_apache_balancer_members: table:nth-of-type(2) tr:not(:first-child), td 6.
func TestNagiosPerl(t *testing.T) {
	page := serve(t, samples(t)).get(base)
	body, _, _ := strings.Cut(page[strings.Index(page, "<body"):], "<form") // tables are siblings in body
	if strings.Contains(body, "<div") {
		t.Error("the tables have another parent")
	}
	ok := 0
	for _, row := range cells(page, 2)[1:] {
		if regexp.MustCompile(`Err`).MatchString(row[5]) {
			t.Error(row)
		}
		if regexp.MustCompile(`Ok\s?$`).MatchString(row[5]) {
			ok++
		}
	}
	if ok != 3 {
		t.Errorf("%d members are ok", ok)
	}
}

// TestIcingaGo is check_httpd_balancer: tags become one blank, each member is one line.
func TestIcingaGo(t *testing.T) {
	page := serve(t, farmOf(t, spec(t, "c", "/", "", env, "http://h:1/x route=r1", "ajp://h:2 route=r2 loadfactor=2.5"))).get(base)
	parts := regexp.MustCompile(`LoadBalancer Status for (?:<a.+/a>)? ?`).Split(page, -1)
	if len(parts) != 2 || !strings.HasPrefix(strings.TrimSpace(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(page[strings.Index(page, "LoadBalancer Status for"):], " ")), "LoadBalancer Status for  balancer://c  [") {
		t.Error("the heading")
	}
	plain := regexp.MustCompile(`<[^>]*>+`).ReplaceAllString(page, " ")
	rows := regexp.MustCompile(`(?m)((?:ajp.?|http.?)://\S+)\s+(\S+)\s+([\d.]+)\s+(\d+)\s+(\S+ \S+)`).FindAllStringSubmatch(plain, -1)
	if got := fmt.Sprint(len(rows), rows[0][1:], rows[1][1:]); got != "2 [http://h:1/x r1 1.00 0 Init Ok] [ajp://h:2 r2 2.50 0 Init Ok]" {
		t.Error(got)
	}
}

// TestZabbix is the template's script: from an h3 to the next, the second table, its first row left out.
func TestZabbix(t *testing.T) {
	page := serve(t, samples(t)).get(base)
	var got []string
	for _, m := range regexp.MustCompile(`(?i)<h3>[\s\S]*?<a[^>]*>balancer://([^<]+)</a>[\s\S]*?</h3>([\s\S]*?)(?:<hr)`).FindAllStringSubmatch(page, -1) {
		table := regexp.MustCompile(`(?i)<table[\s\S]*?</table>`).FindAllString(m[2], -1)[1]
		for _, row := range regexp.MustCompile(`(?i)<tr[\s\S]*?</tr>`).FindAllString(table, -1)[1:] {
			c := regexp.MustCompile(`(?i)<td[^>]*>([\s\S]*?)</td>`).FindAllStringSubmatch(row, -1)
			got = append(got, m[1]+" "+regexp.MustCompile(`<[^>]+>`).ReplaceAllString(c[0][1], "")+" "+strings.TrimSpace(c[5][1])+" "+c[7][1]+" "+c[8][1])
		}
	}
	if len(got) != 7 || got[6] != "hc ajp://127.0.0.1:18110 Init Err 0 -200" {
		t.Errorf("%q", got)
	}
}

// TestShell is the family of scripts with grep, sed and curl, which know lines and quotes.
func TestShell(t *testing.T) {
	s := serve(t, samples(t))
	lines := strings.Split(s.get(base), "\n")
	grep := func(text string) (found []string) {
		for _, l := range lines {
			if strings.Contains(l, text) {
				found = append(found, l)
			}
		}
		return found
	}
	names := grep("balancer://")
	if len(names) != 2 || regexp.MustCompile(`.*balancer://(.*)</a>.*`).ReplaceAllString(names[0], "$1") != "app" {
		t.Errorf("%q", names)
	}
	members := grep("/balancer-manager?b=app&amp;w")
	if len(members) != 4 {
		t.Fatalf("%q", members)
	}
	nonce := regexp.MustCompile(`.*nonce=(.*?)['"].*`).ReplaceAllString(members[0], "$1")
	s.ask("POST", base, "b=app&w=http%3A%2F%2F127.0.0.1%3A18101%2F&nonce="+nonce+"&w_status_D=1", referer)
	if got := cells(s.get(base), 2)[1][5]; got != "Init Dis " {
		t.Errorf("after curl: %q", got)
	}
	for _, word := range []string{"Err", "Dis ", "Stop"} { // scripts count words in the whole page
		n, want := strings.Count(s.get(base), word), map[string]int{"Err": 2, "Dis ": 2}[word]
		if n != want {
			t.Errorf("%s is %d times on the page, want %d", word, n, want)
		}
	}
}

// TestFormReaders find the balancer's inputs by id and take their values, and read all inputs of the form.
func TestFormReaders(t *testing.T) {
	page := serve(t, samples(t)).get(base+"?b=app&nonce="+appNonce, referer)
	form := between(page, "<form", "</form>")
	for id, want := range map[string]string{"b_tmo": "2", "b_max": "3", "b_sforce1": "1", "b_ss": "JSESSIONID|jsessionid", "b": "app", "nonce": appNonce} {
		input := find(t, form, `<input ([^>]*id='`+id+`'[^>]*)>`)
		if value := find(t, input, `value ?=['"]([^'"]*)['"]`); value != want {
			t.Errorf("%s is %q", id, value)
		}
	}
	if find(t, form, `action="([^"]*)"`) != "http://127.0.0.1:18080/balancer-manager" || find(t, form, `value='(\w+)' selected`) != "byrequests" {
		t.Error("action or method")
	}
}
