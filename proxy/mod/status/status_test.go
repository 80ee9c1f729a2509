package status

import (
	"context"
	"flag"
	"html/template"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"balancerd/balancer"
	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
	"balancerd/proxy/site/sitetest"
	"balancerd/proxy/snapshot"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var now = time.Date(2026, 11, 21, 5, 9, 4, 0, time.UTC)

// sample is the server of httpd's samples: one request under way of sixteen.
func sample() snapshot.Server {
	s := snapshot.Server{Started: now.Add(-5 * time.Second), Requests: 18, Sent: 74 << 10, Busy: 12 * time.Millisecond, MaxWorkers: 16,
		Generations: []snapshot.Generation{{Requests: 1}},
		Clients: []snapshot.Connection{{State: snapshot.Serving, Requests: 2, Since: now, Took: 3 * time.Millisecond, Busy: 3 * time.Millisecond,
			Client: "127.0.0.1", Protocol: "HTTP/1.1", Server: &exchange.Server{Name: "lb.test"}, Port: 18080, Line: "GET /a?<script>&b=" + strings.Repeat("x", 80) + " HTTP/1.1"}},
	}
	s.Connections[snapshot.Serving] = 1
	return s
}

func app() []snapshot.Balancer {
	member := func(url, host string, status balancer.Status, set balancer.WorkerSettings, elected uint64, busy, sent, read int64) snapshot.Member {
		scheme, _, _ := strings.Cut(url, ":")
		return snapshot.Member{Name: url, Address: balancer.Address{Scheme: scheme, Host: host},
			Snapshot: balancer.Snapshot{Settings: &set, Status: status, Elected: elected, Busy: busy, Sent: sent, Read: read}}
	}
	one := &balancer.BalancerSettings{Sticky: balancer.Sticky{Cookie: "JSESSIONID", Path: "jsessionid"}, Timeout: 2 * time.Second, Method: balancer.Some("byrequests")}
	two := &balancer.BalancerSettings{Method: balancer.Some("bybusyness")}
	return []snapshot.Balancer{
		{Name: "balancer://app", Settings: one, Members: []snapshot.Member{
			member("http://127.0.0.1:18101", "127.0.0.1", balancer.Init, balancer.WorkerSettings{Route: "n1", LoadFactor: 200}, 7, 0, 1351, 21105),
			member("http://127.0.0.1:18102", "127.0.0.1", balancer.Init|balancer.Standby, balancer.WorkerSettings{Route: "n2", Redirect: "<n1>", LoadFactor: 100, LBSet: 1}, 0, 0, 0, 0),
		}},
		{Name: "balancer://hc", Settings: two, Members: []snapshot.Member{
			member("ajp://127.0.0.1:18110", "127.0.0.1", balancer.Init|balancer.InError, balancer.WorkerSettings{LoadFactor: 125}, 1, 3, 0, 0),
		}},
	}
}

func options() Options {
	return Options{Snapshot: sample, Built: "2026-11-12T08:58:41", Now: func() time.Time { return now },
		Proxy: func(*exchange.Exchange) []snapshot.Balancer { return app() }}
}

func ask(t *testing.T, o Options, method, query string) (*exchange.Exchange, string, error) {
	t.Helper()
	x := &exchange.Exchange{Server: &exchange.Server{Name: "lb.test", Token: "Apache/2.4.71 (Debian)"}, Conn: &exchange.Conn{Local: netip.MustParseAddrPort("127.0.0.1:80")}}
	x.Req.Method, x.Req.Host, x.Req.Query = method, "127.0.0.1", query
	h := New(o)
	h.cpu = func() cpu { return cpu{User: 0, System: 0.01} }
	h.load = func() [3]float64 { return [3]float64{1.65, 1.27, 0.68} }
	err := h.Serve(context.Background(), x)
	if err != nil {
		return x, "", err
	}
	body := make([]byte, x.Res.Length)
	x.Res.Body.Read(body)
	return x, string(body), nil
}

// golden compares with a file of testdata, the process's number cut out.
func golden(t *testing.T, name, got string) {
	t.Helper()
	pid := strconv.Itoa(os.Getpid())
	got = strings.NewReplacer("<td>"+pid+"</td>", "<td>PID</td>", "("+pid+")", "(PID)").Replace(got)
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}

func TestPages(t *testing.T) {
	for _, c := range []struct {
		name, query string
		change      func(*Options)
	}{
		{"page.html", "", nil},
		{"notable.html", "notable", nil},
		{"plain.html", "", func(o *Options) {
			o.Proxy, o.Extended = nil, func(*exchange.Exchange) bool { return false }
			o.Signature = func(*exchange.Exchange) template.HTML {
				return "<hr />\n<address>Apache/2.4.71 Server at lb.test Port 80</address>\n"
			}
		}},
		{"auto.txt", "auto", nil},
		{"auto-plain.txt", "auto", func(o *Options) { o.Proxy, o.Extended = nil, func(*exchange.Exchange) bool { return false } }},
	} {
		o := options()
		if c.change != nil {
			c.change(&o)
		}
		_, body, err := ask(t, o, "GET", c.query)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, c.name, body)
	}
}

func TestQuery(t *testing.T) {
	for _, c := range []struct{ query, kind, refresh string }{
		{"", "text/html; charset=ISO-8859-1", ""},
		{"auto", "text/plain; charset=ISO-8859-1", ""},
		{"xauto=1", "text/plain; charset=ISO-8859-1", ""},
		{"refresh", "text/html; charset=ISO-8859-1", "10"},
		{"refresh=0", "text/html; charset=ISO-8859-1", "10"},
		{"refresh=-3", "text/html; charset=ISO-8859-1", "10"},
		{"refresh=7x&auto", "text/plain; charset=ISO-8859-1", "7"},
	} {
		x, _, err := ask(t, options(), "GET", c.query)
		if err != nil {
			t.Fatal(err)
		}
		if kind, refresh := x.Res.Header.Get("Content-Type"), x.Res.Header.Get("Refresh"); kind != c.kind || refresh != c.refresh {
			t.Errorf("?%s: %s, Refresh %q; want %s, %q", c.query, kind, refresh, c.kind, c.refresh)
		}
	}
	if _, _, err := ask(t, options(), "POST", ""); err != exchange.Declined {
		t.Errorf("POST: %v, want %v", err, exchange.Declined)
	}
}

func TestNumbers(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 0.01: ".01", 3.6: "3.6", 15155.2: "15155.2", 2.0 / 3: ".666667", 1234567: "1.23457e+06", 100000: "100000"} {
		if got := general(v, 6); got != want {
			t.Errorf("general(%v) = %q, want %q", v, got, want)
		}
	}
	for d, want := range map[time.Duration]string{0: "", time.Second: " 1 second", 26*time.Hour + 5*time.Second: " 1 day 2 hours 5 seconds", 60 * time.Second: " 1 minute"} {
		if got := uptimeText(d); got != want {
			t.Errorf("uptimeText(%v) = %q, want %q", d, got, want)
		}
	}
	for n, want := range map[int64]string{5119: "5119 B", 5120: "5.0 kB", 1 << 19: "0.5 MB", 1 << 30: "1.0 GB"} {
		if got := bytesText(n); got != want {
			t.Errorf("bytesText(%d) = %q, want %q", n, got, want)
		}
	}
}

// TestExporter reads ?auto as apache_exporter and telegraf do.
func TestExporter(t *testing.T) {
	_, body, err := ask(t, options(), "GET", "auto")
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for i, line := range strings.Split(strings.TrimSuffix(body, "\n"), "\n") {
		key, value, ok := strings.Cut(line, ": ")
		if i > 0 && !ok {
			t.Errorf("line %d has no key: %q", i, line)
		}
		values[key] = value
	}
	for _, key := range strings.Split("Load1|Load5|Load15|Total Accesses|Total kBytes|Total Duration|CPUUser|CPUSystem|CPUChildrenUser|CPUChildrenSystem|Uptime|ReqPerSec|BytesPerSec|BytesPerReq|DurationPerReq|BusyWorkers|IdleWorkers|Processes|Stopping|ConnsTotal|ConnsAsyncWriting|ConnsAsyncKeepAlive|ConnsAsyncClosing|ParentServerConfigGeneration|ParentServerMPMGeneration|ServerUptimeSeconds", "|") {
		if _, err := strconv.ParseFloat(values[key], 64); err != nil {
			t.Errorf("%s: %q is not a number", key, values[key])
		}
	}
	if !regexp.MustCompile(`^\S+/(\d+)\.(\d+)\.(\d+)`).MatchString(values["ServerVersion"]) {
		t.Errorf("ServerVersion: %q would panic apache_exporter", values["ServerVersion"])
	}
	if strings.Trim(values["Scoreboard"], "_SRWKDCLGI.") != "" || len(values["Scoreboard"]) != 16 {
		t.Errorf("Scoreboard: %q", values["Scoreboard"])
	}
	row := regexp.MustCompile(`^ProxyBalancer\[(\d+)\](Name|Worker\[(\d+)\](Name|Status|Elected|Busy|Sent|Rcvd))$`)
	n := 0
	for key, value := range values {
		if !strings.HasPrefix(key, "Proxy") {
			continue
		}
		n++
		if !row.MatchString(key) {
			t.Errorf("unknown key %q", key)
		}
		if strings.HasSuffix(key, "Sent") || strings.HasSuffix(key, "Rcvd") {
			if !regexp.MustCompile(`^\d+K$`).MatchString(value) {
				t.Errorf("%s: %q is not kilobytes", key, value)
			}
		}
	}
	if n != 2+3*6 {
		t.Errorf("%d keys of the proxy, want %d", n, 2+3*6)
	}
}

// TestProxyTables is what scrapers of the page depend on: the headings, and the columns of the
// second table after each.
func TestProxyTables(t *testing.T) {
	_, body, err := ask(t, options(), "GET", "")
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(body, "<h1>Proxy LoadBalancer Status for balancer://")
	if len(parts) != 3 || !strings.HasPrefix(parts[1], "app</h1>\n") || !strings.HasPrefix(parts[2], "hc</h1>\n") {
		t.Fatalf("%d headings", len(parts)-1)
	}
	for _, part := range parts[1:] {
		var head []string
		for _, m := range regexp.MustCompile(`<th>(.*?)</th>`).FindAllStringSubmatch(strings.Split(part, "<table")[2], -1) {
			head = append(head, m[1])
		}
		if got := strings.Join(head, " "); got != "Sch Host Stat Route Redir F Set Acc Busy Wr Rd" {
			t.Error(got)
		}
	}
	off := options()
	off.Proxy = func(*exchange.Exchange) []snapshot.Balancer { return nil }
	if _, body, _ := ask(t, off, "GET", ""); strings.Contains(body, "Proxy LoadBalancer") || strings.Contains(body, "SSes") {
		t.Error("balancers are shown with ProxyStatus Off")
	}
}

// TestModule registers the handler under both of its names, with what the site's settings say.
func TestModule(t *testing.T) {
	s := &site.Site{}
	s.Settings.Token = "Apache/2.4.71 (Debian) balancerd"
	for preload, there := range map[string]bool{"": false, "status": true} {
		c, err := sitetest.Bind(preload, "")
		if err != nil {
			t.Fatal(err)
		}
		build, err := Module(options()).Open(c, s)
		if err != nil || (build != nil) != there {
			t.Fatalf("LoadModule %q: %v, is there: %v", preload, err, build != nil)
		}
	}
	c, err := sitetest.Bind("status", "")
	if err != nil {
		t.Fatal(err)
	}
	build, err := Module(options()).Open(c, s)
	if err != nil {
		t.Fatal(err)
	}
	var p site.Plan
	if err := build(nil, &p); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"server-status", "application/x-httpd-status"} {
		x := &exchange.Exchange{Server: &exchange.Server{Name: "lb.test", Token: s.Settings.Token}, Local: &exchange.Local{Signature: exchange.SignatureOn}}
		x.Req.Method = "GET"
		h, _ := p.HandlerNamed(name)
		if err := h.Serve(context.Background(), x); err != nil {
			t.Fatal(err)
		}
		body := make([]byte, x.Res.Length)
		x.Res.Body.Read(body)
		for _, want := range []string{"Server Version: Apache/2.4.71 (Debian) balancerd</dt>", "<code>ExtendedStatus On</code>", "<hr />\n<address>Apache/2.4.71 (Debian) balancerd Server at lb.test Port 80</address>\n</body>"} {
			if !strings.Contains(string(body), want) {
				t.Errorf("%s: no %s", name, want)
			}
		}
	}
}

// TestEscaping holds the rows' escaping against that of the page's templates.
func TestEscaping(t *testing.T) {
	text := template.Must(template.New("").Parse("<td>{{.}}</td>"))
	for _, s := range []string{"", "a<b>&\"'+`=/\x00\x01é\xff\u2028", "GET /?a=1&b=<script> HTTP/1.1"} {
		var want strings.Builder
		if err := text.Execute(&want, s); err != nil {
			t.Fatal(err)
		}
		if got := "<td>" + string(appendEscaped(nil, s)) + "</td>"; got != want.String() {
			t.Errorf("%q, want %q", got, want.String())
		}
	}
}

// crowd is a server with many connections and balancers.
func crowd(connections, balancers int) Options {
	s := sample()
	for len(s.Clients) < connections {
		s.Clients = append(s.Clients, s.Clients[0])
	}
	s.Connections[snapshot.Serving] = len(s.Clients)
	var lbs []snapshot.Balancer
	for len(lbs) < balancers {
		lbs = append(lbs, app()...)
	}
	return Options{Snapshot: func() snapshot.Server { return s }, Now: func() time.Time { return now }, Proxy: func(*exchange.Exchange) []snapshot.Balancer { return lbs }}
}

func printed(o Options, query string) {
	x := &exchange.Exchange{Server: &exchange.Server{Name: "lb.test"}}
	x.Req.Method, x.Req.Query = "GET", query
	New(o).Serve(context.Background(), x)
}

// TestRowsAllocateLittle: a row of the page costs at most its sizes as texts, whoever has many connections and members.
func TestRowsAllocateLittle(t *testing.T) {
	for _, query := range []string{"", "notable"} {
		few, many := crowd(10, 10), crowd(2010, 2010)
		n := testing.AllocsPerRun(3, func() { printed(many, query) }) - testing.AllocsPerRun(3, func() { printed(few, query) })
		if most := 2000*3.0 + 2000*1.5*4; n > most {
			t.Errorf("?%s: %.0f allocations for 2,000 connections and 3,000 members more, at most %.0f", query, n, most)
		}
	}
}

func BenchmarkPage(b *testing.B) {
	o := crowd(5000, 2000)
	for _, q := range []string{"", "auto"} {
		b.Run("?"+q, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				printed(o, q)
			}
		})
	}
}
