package manager_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"balancerd/balancer"
	"balancerd/manager"
)

const (
	vhost    = "p59bfe437"
	appNonce = "45849073-8277-a942-c7ec-8d7538de7248"
	hcNonce  = "e661cfd0-b9b8-0c51-1605-61f260cc15f8"
)

// byRequests is enough of an lbmethod to see requests move.
func byRequests(name string) balancer.Method {
	return balancer.Method{Name: name, Reset: func(all []*balancer.Worker) {
		for _, w := range all {
			w.ResetLoad()
		}
	}, Best: func(p *balancer.Pick) *balancer.Worker {
		var best *balancer.Worker
		var total int64
		for _, w := range p.Candidates {
			w.AddLoad(w.Factor())
			total += w.Factor()
			if best == nil || w.Load() > best.Load() {
				best = w
			}
		}
		best.AddLoad(-total)
		return best
	}}
}

var env = balancer.Env{Methods: []string{"heartbeat", "byrequests", "bybusyness", "bytraffic"}, HCheck: true, CPing: true,
	Exprs: []balancer.Expr{{Name: "ok234", Text: "%{REQUEST_STATUS} =~ /^[234]/"}, {Name: "in_maint", Text: "hc('body') !~ /Under maintenance/"}}}

// member is a BalancerMember line: URL and parameters. A nil env is the one above.
func member(t testing.TB, line string, env balancer.Env) balancer.WorkerSpec {
	t.Helper()
	words := strings.Fields(line)
	a, err := balancer.ParseAddress(words[0], "/run", false)
	if err != nil {
		t.Fatal(err)
	}
	s := balancer.NewWorkerSettings()
	for _, word := range words[1:] {
		key, value, _ := strings.Cut(word, "=")
		if err := s.Set(key, value, env); err != nil {
			t.Fatal(line, err)
		}
	}
	return balancer.WorkerSpec{Address: a, Settings: s}
}

// spec is a <Proxy> section: its ProxySet parameters, then its members.
func spec(t testing.TB, name, path, set string, env balancer.Env, members ...string) balancer.Spec {
	t.Helper()
	s := balancer.Spec{VHost: vhost, Name: balancer.Prefix + name, Settings: balancer.NewBalancerSettings(), Added: balancer.NewWorkerSettings(), Path: path, Env: env, Runtime: "/run"}
	for _, word := range strings.Fields(set) {
		key, value, _ := strings.Cut(word, "=")
		if err := s.Settings.Set(key, value, env); err != nil {
			t.Fatal(set, err)
		}
	}
	for _, line := range members {
		s.Members = append(s.Members, member(t, line, env))
	}
	return s
}

func farmOf(t testing.TB, specs ...balancer.Spec) *balancer.Farm {
	t.Helper()
	var methods []balancer.Method
	for _, name := range env.Methods {
		methods = append(methods, byRequests(name))
	}
	f := balancer.NewFarm(methods, nil)
	r, err := f.Plan(context.Background(), slices.Values(specs), nil)
	if err != nil {
		t.Fatal(err)
	}
	f.Commit(r)
	return f
}

// samples is the farm of httpd's sample pages: the configuration, and what had happened to it.
func samples(t testing.TB) *balancer.Farm {
	t.Helper()
	f := farmOf(t,
		spec(t, "app", "/app/", "stickysession=JSESSIONID|jsessionid scolonpathdelim=On nofailover=Off timeout=2 maxattempts=3 growth=4 nonce="+appNonce, env,
			"http://127.0.0.1:18101 route=n1 loadfactor=2 retry=5",
			"http://127.0.0.1:18102 route=n2 redirect=n1 status=+H",
			"http://127.0.0.1:18103/ctx route=n3 lbset=1 timeout=7 connectiontimeout=500ms acquire=250 keepalive=On",
			"unix:/srv/httpd/run/app.sock|http://app.internal/ route=n4 status=+D"),
		spec(t, "hc", "/hc/", "lbmethod=bybusyness nonce="+hcNonce, env,
			"http://127.0.0.1:18104 hcmethod=GET hcuri=health?x=<1> hcinterval=2 hcexpr=ok234",
			"http://127.0.0.1:18109 hcmethod=TCP hcinterval=5 hcpasses=2 hcfails=3",
			"ajp://127.0.0.1:18110 ping=3 loadfactor=1.25"))
	app, hc := f.Balancer(vhost, "app"), f.Balancer(vhost, "hc")
	for range 7 {
		pick(t, app).Worker.AddTraffic(193, 3015)
	}
	all := hc.Members()
	for range 5 { // only the first one serves
		if w := pick(t, hc).Worker; w != all[0] {
			w.Fail(failed)
		}
	}
	all[0].AddTraffic(552, 54)
	return f
}

var failed = time.Date(2026, 11, 21, 5, 8, 59, 0, time.UTC)

func pick(t testing.TB, b *balancer.Balancer) balancer.Claim {
	t.Helper()
	c, err := b.Claim(nil, failed)
	if err != nil {
		t.Fatal(err)
	}
	c.Done()
	return c
}

// site is a manager that serves a farm at "http://127.0.0.1:18080", the samples' address.
type site struct {
	t       testing.TB
	handler *manager.Handler
	facts   manager.Facts
	logged  []string
}

func serve(t testing.TB, f manager.Farm) *site {
	s := &site{t: t}
	s.handler = manager.New(f, manager.Options{Version: "Apache/2.4.71 (Debian)", Built: "2026-11-12T08:58:41", Key: []byte("0123456789abcdef0123456789abcdef")})
	s.facts = manager.Facts{VHost: vhost, Inherited: true, PassInherited: true, Threads: 16, Log: s.log}
	return s
}

const host = "127.0.0.1:18080"

// ask sends a request; headers are "Name: value".
func (s *site) ask(method, target, body string, headers ...string) *http.Response {
	s.t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Host = host
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r.WithContext(manager.WithFacts(r.Context(), s.facts)))
	return w.Result()
}

const (
	base    = "/balancer-manager"
	referer = "Referer: http://127.0.0.1:18080/balancer-manager"
)

// get is a page as text.
func (s *site) get(target string, headers ...string) string {
	s.t.Helper()
	return text(s.t, s.ask("GET", target, "", headers...))
}

// post sends a form as a script does, with a matching Referer, and returns the page.
func (s *site) post(body string) string {
	s.t.Helper()
	return text(s.t, s.ask("POST", base, body, referer))
}

func text(t testing.TB, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// edit is the body of a member's edit.
func edit(b, w, nonce string, fields ...string) string {
	body := "b=" + b + "&nonce=" + nonce
	if w != "" {
		body += "&w=" + url.QueryEscape(w)
	}
	for i := 0; i < len(fields); i += 2 {
		body += "&" + fields[i] + "=" + strings.ReplaceAll(url.QueryEscape(fields[i+1]), "+", "%20") // a plus is no blank here
	}
	return body
}

// cells is the cells of all rows of the page's n-th table outside the forms, heads included.
func cells(page string, n int) (rows [][]string) {
	tables := strings.Split(regexp.MustCompile(`(?s)<form.*?</form>`).ReplaceAllString(page, ""), "<table")
	if n >= len(tables) {
		return nil
	}
	table, _, _ := strings.Cut(tables[n], "</table>")
	for _, row := range strings.Split(table, "<tr>")[1:] {
		var list []string
		for _, m := range regexp.MustCompile(`(?s)<t[dh]>(.*?)</t[dh]>`).FindAllStringSubmatch(row, -1) {
			list = append(list, regexp.MustCompile(`<[^>]*>`).ReplaceAllString(m[1], ""))
		}
		rows = append(rows, list)
	}
	return rows
}

func (s *site) log(_ slog.Level, message string) { s.logged = append(s.logged, message) }
