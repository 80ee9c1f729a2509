package manager_test

import (
	"fmt"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"balancerd/manager"
)

// TestInvariants is what fifteen years of programs expect of the manager, one row each; the two that
// concern the status page are in proxy/mod/status.
func TestInvariants(t *testing.T) {
	for _, c := range []struct {
		number int
		says   string
		broken func(s *site) string // what is wrong, "" for nothing
	}{
		{1, "GET is 200 text/html; any path works and is repeated in links, never with a host", func(s *site) string {
			for _, path := range []string{base, base + "/", base + "/x/y", "/bm%20x"} {
				r := s.ask("GET", path, "")
				page := text(s.t, r)
				if r.StatusCode != 200 || r.Header.Get("Content-Type") != "text/html; charset=ISO-8859-1" || !strings.Contains(page, `<a href="`+path+`?b=app&amp;nonce=`) {
					return path
				}
			}
			return ""
		}},
		{2, "h1, then one dl; the first dt is the version, Apache/2.4.N", func(s *site) string {
			return unmatched(s.get(base), `(?s)<h1>Load Balancer Manager for 127\.0\.0\.1</h1>\n\n<dl><dt>Server Version: Apache/2\.4\.\d+ \(.*?\)[^<]*</dt>`, `(?s)^(?:.(?:<dl>)?)*?<dl>(?:[^<]|<[^d]|<dt>)*</dl>`)
		}},
		{3, "the second dt is the build's date, then what is kept and inherited", func(s *site) string {
			return unmatched(s.get(base), `</dt>\n<dt>Server Built: \S+</dt>\n<dt>Balancer changes will NOT be persisted on restart\.</dt><dt>Balancers are inherited from main server\.</dt><dt>ProxyPass settings are inherited from main server\.</dt></dl>\n`)
		}},
		{4, "each balancer's heading is one line", func(s *site) string {
			return unmatched(s.get(base), `<hr />\n<h3>LoadBalancer Status for <a href="/balancer-manager\?b=app&amp;nonce=[-a-f0-9]{36}">balancer://app</a> \[p59bfe437_app\]</h3>\n`)
		}},
		{5, "two tables a balancer and no other before the forms; no tbody; httpd's columns", func(s *site) string {
			page := s.get(base + "?b=app")
			lists, _, _ := strings.Cut(s.get(base+"?b=app", referer), "<form")
			if strings.Contains(page, "tbody") || strings.Count(page, "<table") != 4 || strings.Count(lists, "<table") != 4 {
				return "the tables"
			}
			if h := strings.Join(cells(page, 1)[0], " "); h != "MaxMembers StickySession DisableFailover Timeout FailoverAttempts Method Path Active" {
				return h
			}
			if h := strings.Join(cells(page, 2)[0], " "); h != "Worker URL Route RouteRedir Factor Set Status Elected Busy Load To From HC Method HC Interval Passes Fails HC uri HC Expr" {
				return h
			}
			return ""
		}},
		{6, "the shapes of cells", func(s *site) string {
			page := s.get(base)
			return unmatched(page, `<td>8 \[4 Used\]</td>`, `<td> \(None\) </td>`, `<td>JSESSIONID\|jsessionid</td>`, `<td>2\.00</td>`, `<td>1\.3K</td><td> 21K</td>`, `<td>  0 </td>`)
		}},
		{7, "a member's row: all cells on one line, the link's parameters in the order b, w, nonce", func(s *site) string {
			return unmatched(s.get(base), `<tr>\n<td><a href="/balancer-manager\?b=app&amp;w=http://127\.0\.0\.1:18103/ctx&amp;nonce=[-a-f0-9]{36}">http://127\.0\.0\.1:18103/ctx</a></td><td>n3</td>.*</td></tr>\n`)
		}},
		{8, "no other anchor before the last member's", func(s *site) string {
			page := s.get(base)
			page = page[:strings.LastIndex(page, "</a>")]
			if n := strings.Count(page, "<a "); n != 2+7 {
				return fmt.Sprint(n, " anchors")
			}
			return ""
		}},
		{9, "the nonce is a UUID, the same everywhere, one a balancer; a fixed one is honoured", func(s *site) string {
			own := farmOf(s.t, spec(s.t, "a", "/", "", env, "http://h:1"), spec(s.t, "b", "/", "", env, "http://h:2"))
			o := serve(s.t, own)
			page := o.get(base+"?b=a", referer) + o.get(base+"?xml=1", referer)
			found := map[string]int{}
			for _, m := range regexp.MustCompile(`nonce(?:=|>|' value=')([-0-9a-f]+)["<']`).FindAllStringSubmatch(page, -1) {
				if !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`).MatchString(m[1]) {
					return m[1]
				}
				found[m[1]]++
			}
			if len(found) != 2 || !strings.Contains(s.get(base), appNonce) {
				return fmt.Sprint(found)
			}
			return ""
		}},
		{10, "the status is words in order, each with a blank, and Ok when usable", func(s *site) string {
			for letters, want := range map[string]string{"": "Init Ok ", "D": "Init Dis ", "N": "Init Drn Ok ", "RHIDSCE": "Init Ign Dis Stop Err Stby Spar HcFl ", "U": "Init Shut ", "FG": "Init Gen Free Ok "} {
				line := "http://h:1"
				if letters != "" {
					line += " status=+" + letters
				}
				if got := serve(s.t, farmOf(s.t, spec(s.t, "c", "/", "", env, line))).get(base); cells(got, 2)[1][5] != want {
					return cells(got, 2)[1][5]
				}
			}
			return ""
		}},
		{11, "the forms come last, with all inputs, ids as names; the expressions' table is inside", func(s *site) string {
			worker := s.get(base+"?b=hc&w=http://127.0.0.1:18104", referer)
			lb := s.get(base+"?b=app", referer)
			for _, id := range strings.Fields("w_lf w_ls w_wr w_rr w_hi w_hp w_hf w_hu w b nonce") {
				if !strings.Contains(worker, "name='"+id+"' id='"+id+"'") {
					return id
				}
			}
			for _, f := range "INDHRCS" {
				for _, v := range "10" {
					id := fmt.Sprintf("w_status_%c%c", f, v)
					if !strings.Contains(worker, fmt.Sprintf("<label for='%s'>%s</label> <input name='w_status_%c' id='%s' value='%c' type=radio", id, map[rune]string{'1': "On", '0': "Off"}[v], f, id, v)) {
						return id
					}
				}
			}
			for _, id := range strings.Fields("b_lbm b_tmo b_max b_ss b_nwrkr b_wyes b nonce") {
				if !strings.Contains(lb, "name='"+id+"' id='"+id+"'") {
					return id
				}
			}
			if strings.LastIndex(worker, "<table>") > strings.Index(worker, "</form>") || strings.Index(worker, "Health check cond.") < strings.Index(worker, "<form") || strings.Contains(s.get(base), "Health check cond.") {
				return "the order"
			}
			return unmatched(worker+lb, `<h3>Edit worker settings for http://127\.0\.0\.1:18104</h3>\n<form method='POST'`, `<h3>Edit balancer settings for balancer://app</h3>\n<form method='POST'`, `<select name='w_hm'>`, `<select name='w_he'>`, `name='b_sforce' id='b_sforce1'`)
		}},
		{12, "a POST answers with the page of the new state; bad values are ignored one by one; values are decoded twice", func(s *site) string {
			r := s.ask("POST", base, edit("app", "http%3A%2F%2F127.0.0.1%3A18101", appNonce, "w_ls", "nonsense", "w_lf", "9999", "w_wr", "%2541", "w_status_D", "1", "zzz", ""), referer)
			if row := cells(text(s.t, r), 2)[1]; r.StatusCode != 200 || strings.Join(row[1:6], ",") != "%41,,2.00,0,Init Dis " {
				return fmt.Sprint(r.StatusCode, row)
			}
			return ""
		}},
		{13, "the ranges", func(s *site) string {
			for _, c := range [][3]string{{"w_lf", "1", "1.00"}, {"w_lf", "100", "100.00"}, {"w_lf", "0.5", "100.00"}} {
				if row := cells(s.post(edit("app", "http://127.0.0.1:18101", appNonce, c[0], c[1])), 2)[1]; row[3] != c[2] {
					return fmt.Sprint(c, row)
				}
			}
			for _, c := range [][2]string{{"99", "30000ms"}, {"100", "100ms"}, {"2s", "2000ms"}} {
				if row := cells(s.post(edit("app", "http://127.0.0.1:18101", appNonce, "w_hi", c[0])), 2)[1]; row[12] != c[1] {
					return fmt.Sprint(c, row)
				}
			}
			if r := s.ask("POST", base, edit("hc", "", hcNonce, "b_nwrkr", "http://h:9", "b_wyes", "1"), referer); r.StatusCode != 400 {
				return "no room, yet " + r.Status
			}
			if row := cells(s.post(edit("app", "", appNonce, "b_nwrkr", "http://h:9", "b_wyes", "1")), 2)[5]; row[5] != "Init Dis " {
				return fmt.Sprint(row)
			}
			return ""
		}},
		{14, "without a Referer of the same host parameters do not count, and AH10187 is logged; the header does instead", func(s *site) string {
			s.ask("POST", base, edit("app", "http://127.0.0.1:18101", appNonce, "w_ls", "1"))
			if len(s.logged) != 1 || !strings.HasPrefix(s.logged[0], "AH10187: ") || cells(s.get(base), 2)[1][4] != "0" {
				return fmt.Sprint(s.logged)
			}
			s.ask("POST", base, edit("app", "http://127.0.0.1:18101", "", "w_ls", "1"), "X-Balancer-Nonce: "+appNonce)
			return strings.TrimPrefix(cells(s.get(base), 2)[1][4], "1")
		}},
		{15, "w with and without final slash and default port", func(s *site) string {
			for _, w := range []string{"http://app.internal/", "http://app.internal", "http://app.internal:80/", "HTTP://App.Internal/", "http://127.0.0.1:18101/"} {
				if !strings.Contains(s.get(base+"?b=app&w="+w, referer), "Edit worker settings") {
					return w
				}
			}
			return ""
		}},
		{16, "the XML: names, order, loadfactor twice, text/xml", func(s *site) string {
			r := s.ask("GET", base+"?xml=1", "", referer)
			if kind := r.Header.Get("Content-Type"); kind != "text/xml" || strings.HasPrefix(s.get(base+"?xml=1"), "<?xml") {
				return kind
			}
			var order []string
			for _, m := range regexp.MustCompile(`<httpd:(\w+)[ >]`).FindAllStringSubmatch(between(text(s.t, r), "", "</httpd:worker>"), -1) {
				order = append(order, m[1])
			}
			if got := strings.Join(order, " "); got != "manager balancers balancer name nonce stickysession nofailover timeout maxattempts lbmethod scolonpathdelim workers worker name scheme hostname loadfactor port min smax max ttl status retries lbstatus loadfactor transferred read elected route redirect busy lbset retry" {
				return got
			}
			return ""
		}},
		{19, "simple clients reach it over HTTP/1.1: no redirect, no script, no compulsory cookie", func(s *site) string {
			server := httptest.NewServer(s.handler)
			defer server.Close()
			r, err := server.Client().Transport.RoundTrip(httptest.NewRequest("GET", server.URL+base+"?b=x&w=y", nil))
			if err != nil {
				return err.Error()
			}
			if page := text(s.t, r); r.Proto != "HTTP/1.1" || r.StatusCode != 200 || strings.Contains(page, "<script") || len(r.Cookies()) > 0 {
				return r.Proto
			}
			return ""
		}},
		{20, "/balancer-manager/NAME shows one balancer", func(s *site) string {
			if page := s.get(base + "/hc"); strings.Count(page, "<h3>") != 1 || strings.Count(page, "<table") != 2 {
				return "it shows more"
			}
			return ""
		}},
	} {
		t.Run(fmt.Sprint(c.number), func(t *testing.T) {
			if wrong := c.broken(serve(t, samples(t))); wrong != "" {
				t.Errorf("%s: %s", c.says, wrong)
			}
		})
	}
}

// unmatched is the first pattern that page does not match.
func unmatched(page string, patterns ...string) string {
	for _, p := range patterns {
		if !regexp.MustCompile(p).MatchString(page) {
			return p
		}
	}
	return ""
}

// TestEditorsAndReaders: edits at the same time leave a state that one of them wrote, and readers
// always see a whole page.
func TestEditorsAndReaders(t *testing.T) {
	f := samples(t)
	done := make(chan string)
	for k := range 8 {
		go func() {
			s := &site{t: t, handler: manager.New(f, manager.Options{}), facts: manager.Facts{VHost: vhost}}
			for i := range 25 {
				page := s.post(edit("app", "http://127.0.0.1:18101", appNonce, "w_ls", fmt.Sprint((i*7+k)%100)))
				if !strings.HasSuffix(page, "</body></html>\n") || len(cells(page, 2)) != 5 {
					done <- "a torn page"
					return
				}
			}
			done <- ""
		}()
	}
	for range 8 {
		select {
		case wrong := <-done:
			if wrong != "" {
				t.Error(wrong)
			}
		case <-time.After(30 * time.Second):
			t.Fatal("stuck")
		}
	}
	var last []int
	for k := range 8 {
		last = append(last, (24*7+k)%100)
	}
	if got := f.Balancer(vhost, "app").Members()[0].Settings().LBSet; !slices.Contains(last, got) {
		t.Errorf("set %d was not the last of any editor, %v", got, last)
	}
}
