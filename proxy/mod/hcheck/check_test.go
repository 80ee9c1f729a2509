package hcheck

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"balancerd/balancer"
	"balancerd/balancer/method"
	"balancerd/proxy/backend"
	"balancerd/proxy/backend/backendtest"
	"balancerd/proxy/exchange"
	"balancerd/proxy/expr"
	http1 "balancerd/proxy/http1/client"
	http2 "balancerd/proxy/http2/client"
	"balancerd/proxy/site"
)

// book is an error log in memory.
type book struct {
	mu    sync.Mutex
	lines []string
}

func (b *book) Write(e *exchange.LogEntry) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lines = append(b.lines, e.Module+":"+e.Level.String()+" "+e.Message)
}

func (b *book) take() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer func() { b.lines = nil }()
	return b.lines
}

// rig is one member with a check of it, which is made by hand.
type rig struct {
	*checker
	*target
	m   *member
	log *book
}

func newRig(t testing.TB, url string, change func(*balancer.WorkerSettings), exprs ...string) *rig {
	t.Helper()
	a, err := balancer.ParseAddress(url, "/", false)
	if err != nil {
		t.Fatal(err)
	}
	s := balancer.NewWorkerSettings()
	s.Timeout = balancer.Some(5 * time.Second)
	s.Health.Method = balancer.CheckGet
	if change != nil {
		change(&s)
	}
	spec := balancer.Spec{VHost: "v", Name: "balancer://c", Settings: balancer.NewBalancerSettings(), Env: balancer.Env{Methods: []string{"byrequests"}},
		Members: []balancer.WorkerSpec{{Address: a, Settings: s}}}
	f := balancer.NewFarm(method.Builtin(nil), nil)
	p, err := f.Plan(context.Background(), slices.Values([]balancer.Spec{spec}), nil)
	if err != nil {
		t.Fatal(err)
	}
	f.Commit(p)
	h1, h2 := http1.NewBackend(), http2.NewBackend()
	log := &book{}
	server := &exchange.Server{Name: "named.test", LimitLine: 8190, LimitFieldSize: 8190, LimitFields: 100, Timeout: 5 * time.Second,
		Levels: &exchange.Levels{All: exchange.Debug}, ErrorLog: log}
	r := &rig{
		checker: newChecker(f, backend.Table{{Name: "http", Backend: h1}, {Name: "ws", Backend: h1}, {Name: "h2c", Backend: h2}},
			func(*site.Host, string) (backend.Call, error) { return backend.Call{Timeout: 5 * time.Second}, nil }),
		target: &target{generation: &generation{context: t.Context(), word: "Threaded "}, url: "balancer://c/", server: quiet(server), set: &settings{}},
		m:      &member{Worker: f.Balancer("v", "c").Members()[0]}, log: log,
	}
	for i, text := range exprs {
		e, err := expr.Compile(text, expr.Options{HC: true, DontVary: true, Module: "proxy_hcheck"})
		if err != nil {
			t.Fatal(text, err)
		}
		r.set.define(string(rune('a'+i)), text, e)
	}
	return r
}

// once makes one check.
func (r *rig) once() bool { return r.check(r.target, r.m) == nil }

// reader is a member that takes down each head it gets, and answers with a text.
func reader(t testing.TB, answer string) (*backendtest.Member, chan string) {
	heads := make(chan string, 100)
	return backendtest.Listen(t, func(c net.Conn) {
		in := bufio.NewReader(c)
		var head strings.Builder
		for {
			line, err := in.ReadString('\n')
			if head.WriteString(line); err != nil || line == "\r\n" {
				break
			}
		}
		heads <- head.String()
		io.WriteString(c, answer)
	}), heads
}

// What is sent is httpd's, byte for byte, but for the root that stands where httpd's request line has a hole.
func TestWhatIsAsked(t *testing.T) {
	for _, c := range []struct{ scheme, path, method, uri, header, want string }{
		{"http", "", "GET", "/health", "", "GET /health HTTP/1.0\r\nHost: {}\r\n\r\n"},
		{"http", "/app", "GET11", "up?deep=1", "", "GET /app/up?deep=1 HTTP/1.1\r\nHost: {}\r\n\r\n"},
		{"http", "/app", "HEAD", "", "", "HEAD /app HTTP/1.0\r\nHost: {}\r\n\r\n"},
		{"http", "/", "HEAD11", "status", "", "HEAD //status HTTP/1.1\r\nHost: {}\r\n\r\n"},
		{"http", "/", "GET", "/status", "", "GET ///status HTTP/1.0\r\nHost: {}\r\n\r\n"},
		{"http", "/x?q", "GET", "s", "", "GET /x/s HTTP/1.0\r\nHost: {}\r\n\r\n"},
		{"http", "", "HEAD", "", "", "HEAD / HTTP/1.0\r\nHost: {}\r\n\r\n"},
		{"http", "/app", "OPTIONS", "/ignored", "", "OPTIONS * HTTP/1.0\r\nHost: {}\r\n\r\n"},
		{"ws", "", "OPTIONS11", "", "", "OPTIONS * HTTP/1.1\r\nHost: {}\r\n\r\n"},
		{"ajp", "/p", "GET", "u", "", "GET /p/u HTTP/1.0\r\nHost: {}\r\n\r\n"},
		{"fcgi", "/p", "HEAD", "u", "", "HEAD /p/u HTTP/1.0\r\nHost: {}\r\n\r\n"},
		{"scgi", "/p", "GET11", "u", "", "GET /p/u HTTP/1.1\r\nHost: {}\r\n\r\n"},
		{"http", "", "GET11", "/h", "Host: app.test", "GET /h HTTP/1.1\r\nHost: app.test\r\n\r\n"},
		{"http", "", "GET11", "/h", "X-Check:  me ", "GET /h HTTP/1.1\r\nHost: {}\r\nX-Check: me\r\n\r\n"},
	} {
		m, heads := reader(t, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		r := newRig(t, c.scheme+"://"+m.Addr+c.path, func(s *balancer.WorkerSettings) {
			for k, v := range map[string]string{"hcmethod": c.method, "hcuri": c.uri, "hcheader": c.header} {
				if err := s.Set(k, v, balancer.Env{HCheck: true}); err != nil {
					t.Fatal(err)
				}
			}
		})
		if !r.once() {
			t.Errorf("%s %s: does not pass", c.scheme, c.method)
		}
		if got, want := <-heads, strings.ReplaceAll(c.want, "{}", m.Addr); got != want {
			t.Errorf("%s %s: sent %q, want %q", c.scheme, c.method, got, want)
		}
		if n := backend.Idle(r.m.Worker); n != 0 {
			t.Errorf("%s %s: %d connections are kept", c.scheme, c.method, n)
		}
	}
	if got := hostOf(balancer.Address{Host: "::1", Port: 80}); got != "[::1]:80" {
		t.Errorf("IPv6: %s", got)
	}
}

const (
	ok      = "HTTP/1.1 200 OK\r\n"
	chunked = "Transfer-Encoding: chunked\r\n\r\n"
)

// Which answers pass was asked of httpd 2.4.71, but for those marked as ours.
func TestWhichAnswersPass(t *testing.T) {
	for _, c := range []struct {
		method, answer string
		want           bool
	}{
		{"HEAD", "HTTP/1.1 200 OK\r\n\r\n", true}, {"HEAD", "HTTP/1.1 399 X\r\n\r\n", true}, {"HEAD", "HTTP/1.1 301 X\r\n\r\n", true}, {"HEAD", "HTTP/1.1 204 No\r\n\r\n", true},
		{"HEAD", "HTTP/1.1 199 X\r\n\r\n", false}, {"HEAD", "HTTP/1.1 400 X\r\n\r\n", false}, {"HEAD", "HTTP/1.1 600 High\r\n\r\n", false}, {"HEAD", "HTTP/1.1 99 Low\r\n\r\n", false},
		{"HEAD", "HTTP/1.1 2000\r\n\r\n", true}, {"HEAD", "HTTP/1.1 200OK\r\n\r\n", true}, {"HEAD", "HTTP/1.1 200\r\n\r\n", true}, {"HEAD", "HTTP/1.9 200 OK\r\n\r\n", true},
		{"HEAD", "HTTP/1.1  200 OK\r\n\r\n", false}, {"HEAD", "http/1.1 200 OK\r\n\r\n", false}, {"HEAD", "HTTP/1.10 200 OK\r\n\r\n", false}, {"HEAD", "HTTP/2.0 200 OK\r\n\r\n", false},
		{"HEAD", "HTTP/0.9 200 OK\r\n\r\n", false}, {"HEAD", "ICY 200 OK\r\n\r\n", false}, {"HEAD", "hello", false}, {"HEAD", "", false}, {"HEAD", "HTTP/1.1 200", false}, {"HEAD", "\r\n" + ok + "\r\n", false},
		{"HEAD", ok + "X : v\r\n\r\n", true}, {"HEAD", ok + "X: a\r\n b\r\n\r\n", true}, {"HEAD", ok + ": v\r\n\r\n", true}, {"HEAD", "HTTP/1.1 200 OK\nX: v\n\n", true}, {"HEAD", ok + "no colon\r\n\r\n", false},
		{"HEAD", ok + "X: " + strings.Repeat("a", 9000) + "\r\n\r\n", true}, {"HEAD", ok + strings.Repeat("X: v\r\n", 300) + "\r\n", true},
		{"HEAD", ok + "Content-Length: x\r\n\r\n", true}, {"HEAD", ok + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", true}, {"HEAD", ok + "Content-Length: 10\r\n\r\n", true},
		{"OPTIONS", ok + "Content-Length: x\r\n\r\n", true}, {"OPTIONS", ok + "Content-Length: 10\r\n\r\nshort", true},
		{"HEAD", ok, false}, // ours: a head that breaks off is none
		{"GET", ok + "Content-Length: 2\r\n\r\nok", true}, {"GET", ok + "Content-Length: 2\r\n\r\nokmore", true}, {"GET", ok + "Content-Length: x\r\n\r\nok", false},
		{"GET", ok + "Content-Length: 20\r\n\r\nshort", false}, {"GET", ok + "\r\nuntil the end", true}, {"GET", ok + "\r\n", true},
		{"GET11", ok + chunked + "2;a=b\r\nok\r\n0\r\nX: y\r\n\r\n", true}, {"GET11", ok + chunked + "2\r\nokX\r\n0\r\n\r\n", false}, {"GET11", ok + chunked + "2\r\nok\r\n", false},
		{"GET", "HTTP/1.0 200 OK\r\n" + chunked + "2\r\nok\r\n0\r\n\r\n", true}, {"GET", ok + "Content-Length: 5\r\n" + chunked + "2\r\nok\r\n0\r\n\r\n", true},
		{"GET", "HTTP/1.1 100 Continue\r\n\r\n" + ok + "\r\n", false},
		{"GET11", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + ok + "\r\n", true}, // ours
		{"GET11", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", false},
	} {
		m, _ := reader(t, c.answer)
		r := newRig(t, "http://"+m.Addr, func(s *balancer.WorkerSettings) { s.Set("hcmethod", c.method, balancer.Env{HCheck: true}) })
		if got := r.once(); got != c.want {
			t.Errorf("%s, answered %.60q: passes %v", c.method, c.answer, got)
		}
		for _, line := range r.log.take() {
			if !strings.HasPrefix(line, "proxy_hcheck:debug ") {
				t.Errorf("%s, answered %.60q: the log has %s", c.method, c.answer, line)
			}
		}
	}
}

// An answer without a body is not waited for, though the member keeps the connection.
func TestNobodyWaitsForBodiesThatDoNotCome(t *testing.T) {
	for _, answer := range []string{"HTTP/1.1 204 No\r\n\r\n", "HTTP/1.1 304 X\r\n\r\n", "HTTP/1.1 304 X\r\nContent-Length: 10\r\n\r\n"} {
		m := backendtest.Listen(t, func(c net.Conn) {
			io.WriteString(c, answer)
			io.Copy(io.Discard, c)
		})
		r := newRig(t, "http://"+m.Addr, func(s *balancer.WorkerSettings) {
			s.Health.Method, s.Timeout = balancer.CheckGet11, balancer.Some(time.Minute)
		})
		if !r.once() {
			t.Errorf("%q does not pass", answer)
		}
	}
}

// Conditions see the answer, the member as client, and of a request nothing.
func TestConditions(t *testing.T) {
	answer := "HTTP/1.1 404 Gone\r\nX-A: one\r\nX-Twice: a\r\nX-Twice: b\r\nContent-Type: text/html; charset=x\r\nConnection: close\r\nContent-Length: 7\r\n\r\nload=50"
	yes := []string{
		"%{REQUEST_STATUS} == '404'", "%{REQUEST_STATUS} in {'200','404'}", "%{REQUEST_STATUS} =~ /^[234]/", "hc('body') == 'load=50'", "hc('BODY') == 'load=50' && %{HC_BODY} == %{hc:body}",
		"hc('body') =~ /load=(\\d+)/ && $1 -lt 80", "resp('x-a') == 'one'", "resp('X-Twice') == 'a'", "-z resp('X-Missing')", "resp('connection') == 'close'", "resp('Content-Length') -eq 7",
		"%{CONTENT_TYPE} =~ m#^text/#", "%{REMOTE_ADDR} == '127.0.0.1' && -R '127.0.0.0/8'", "%{CONN_REMOTE_ADDR} == '127.0.0.1' && %{REMOTE_PORT} -gt 1000",
		"%{REQUEST_METHOD} == 'GET' && %{SERVER_PROTOCOL} == 'HTTP/1.1'", "%{SERVER_NAME} == 'named.test' && %{HTTPS} == 'off' && %{REQUEST_SCHEME} == 'http'",
		"%{REQUEST_URI} == '' && %{QUERY_STRING} == '' && %{THE_REQUEST} == '' && %{HTTP_HOST} == '' && req('Host') == '' && %{HANDLER} == '' && %{REMOTE_USER} == ''",
		"note('x') == '' && reqenv('x') == '' && hc('nobody') == '' && %{HC_NOBODY} == ''", "%{TIME_YEAR} -gt 2000",
	}
	no := []string{"false", "%{REQUEST_STATUS} -eq 200", "hc('body') =~ /maintenance/", "-F '/x'", "-U '/x'", "-A '/x'", "file('/nonexistent') == ''", "%{REMOTE_ADDR} == ''"}
	m, _ := reader(t, answer)
	try := func(text string, want bool) {
		t.Helper()
		r := newRig(t, "http://"+m.Addr, func(s *balancer.WorkerSettings) { s.Health.Method, s.Health.Expr = balancer.CheckGet11, "A" }, text)
		if got := r.once(); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
	for _, text := range yes {
		try(text, true)
	}
	for _, text := range no {
		try(text, false)
	}
	r := newRig(t, "http://"+m.Addr, func(s *balancer.WorkerSettings) { s.Health.Expr = "unknown" }, "true")
	if r.once() {
		t.Error("a condition that is not known: 404 passes")
	}
}

// A pattern that would go on for ever fails the check, and one that can't be matched otherwise does so on a large body; what is
// linear is not bounded.
func TestHeavyConditions(t *testing.T) {
	body := strings.Repeat("a", mostBody-1) + "b"
	m, heads := reader(t, ok+"Content-Length: "+strconv.Itoa(len(body))+"\r\n\r\n"+body)
	for text, want := range map[string]bool{
		`hc('body') =~ /^(a|aa)+(?=c)/`:       false, // backtracks
		`hc('body') !~ /^(a|aa)+(?=c)/`:       false, // nothing is known
		`hc('body') =~ /^(a+)+$/`:             false,
		`hc('body') =~ /^(a+)+b$/`:            true,
		`hc('body') =~ /(a*)*(a*)*(a*)*b/`:    true,
		`tolower(hc('body')) == toupper('x')`: false,
	} {
		r := newRig(t, "http://"+m.Addr, func(s *balancer.WorkerSettings) { s.Health.Expr = "a" }, text)
		began := time.Now()
		if got := r.once(); got != want {
			t.Errorf("%s: %v", text, got)
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("%s: took %v", text, took)
		}
		<-heads
	}
}

// What httpd has not: statuses, and a text.
func TestExpectations(t *testing.T) {
	m, _ := reader(t, "HTTP/1.1 404 Gone\r\nContent-Length: 7\r\n\r\nRUNNING")
	for _, c := range []struct {
		statuses, text, expr string
		want                 bool
	}{
		{"", "", "", false}, {"404", "", "", true}, {"200-299,404", "", "", true}, {"200-299", "", "", false}, {"404", "RUNN", "", true}, {"404", "running", "", false},
		{"", "RUNNING", "", false}, {"404", "", "a", true}, {"404", "", "b", false}, {"200", "", "a", false}, {"", "RUNNING", "a", true}, {"", "no", "a", false},
	} {
		r := newRig(t, "http://"+m.Addr, func(s *balancer.WorkerSettings) {
			for k, v := range map[string]string{"hcstatus": c.statuses, "hctext": c.text} {
				if err := s.Set(k, v, balancer.Env{HCheck: true}); err != nil {
					t.Fatal(err)
				}
			}
			s.Health.Expr = c.expr
		}, "true", "false")
		if got := r.once(); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

// A member of HTTP/2 is asked in HTTP/2, by a connection that ends.
func TestChecksOverHTTP2(t *testing.T) {
	asked := make(chan string, 10)
	m := backendtest.HTTP2(t, func(w http.ResponseWriter, r *http.Request) {
		asked <- r.Method + " " + r.RequestURI + " " + r.Host
		io.WriteString(w, "well")
	}, nil)
	r := newRig(t, "h2c://"+m.Addr+"/x", func(s *balancer.WorkerSettings) {
		s.Health.Method, s.Health.URI, s.Health.Text = balancer.CheckGet, "up", "well"
	})
	for range 2 {
		if !r.once() {
			t.Error("does not pass")
		}
		if got, want := <-asked, "GET /x/up "+m.Addr; got != want {
			t.Errorf("asked %q, want %q", got, want)
		}
	}
	if m.Connections() != 2 {
		t.Errorf("%d connections for two checks", m.Connections())
	}
}

// TCP connects and no more; CPING wants a CPONG. Both leave TLS and the scheme alone.
func TestConnectionsAndPings(t *testing.T) {
	m := backendtest.Listen(t, func(c net.Conn) {
		if n, err := c.Read(make([]byte, 1)); n > 0 || err != io.EOF {
			t.Errorf("a TCP check: read %d, %v", n, err)
		}
	})
	for _, scheme := range []string{"http", "https", "ajp", "h2"} {
		r := newRig(t, scheme+"://"+m.Addr, func(s *balancer.WorkerSettings) { s.Health.Method = balancer.CheckTCP })
		if !r.once() {
			t.Errorf("%s: does not pass", scheme)
		}
	}
	for answer, want := range map[string]string{ // as httpd says it; "": passes
		"AB\x00\x01\x09": "", "AB\x00\x01\x09rest": "", "AB\x00\x02\x09\x00": "",
		"AB\x00\x01\x08":           "proxy_ajp:error AH01014: ajp_handle_cping_cpong: awaited CPONG, received 8 ",
		"BA\x00\x01\x09":           "proxy_ajp:error AH01031: ajp_ilink_receive() received bad header",
		"HTTP/1.1 400 Bad\r\n\r\n": "proxy_ajp:error AH01031: ajp_ilink_receive() received bad header",
		"AB\xff\xff\x09":           "proxy_ajp:error AH01031: ajp_ilink_receive() received bad header",
		"AB\x00\x00":               "proxy_ajp:error AH01014: ajp_handle_cping_cpong: awaited CPONG, received 0 ",
		"AB\x00\x01":               "proxy_ajp:error AH01032: ajp_ilink_receive() error while receiving message body of length 4",
		"":                         "proxy_ajp:error AH01030: ajp_ilink_receive() can't receive header",
	} {
		m := backendtest.Listen(t, func(c net.Conn) {
			in := make([]byte, 5)
			if io.ReadFull(c, in); !bytes.Equal(in, []byte{0x12, 0x34, 0, 1, 10}) {
				t.Errorf("CPING is %x", in)
			}
			io.WriteString(c, answer)
		})
		r := newRig(t, "ajp://"+m.Addr, func(s *balancer.WorkerSettings) { s.Health.Method = balancer.CheckCPing })
		for try := range 2 {
			passed := r.once()
			lines := r.log.take()
			lines = slices.DeleteFunc(lines, func(l string) bool { return strings.Contains(l, ":debug ") })
			switch {
			case passed != (want == ""):
				t.Errorf("%q: passes %v", answer, passed)
			case try == 0 && want != "" && (len(lines) == 0 || lines[0] != want), try == 1 && len(lines) > 0:
				t.Errorf("%q: the log has, the %d. time, %q", answer, try+1, lines)
			}
		}
	}
}

// What cannot be reached is told of once, at error, until it could be reached.
func TestUnreachableMembersAreToldOfOnce(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	place := l.Addr().String()
	l.Close()
	for check, name := range map[balancer.Check]string{balancer.CheckTCP: "HCTCP", balancer.CheckHead: "HCOH", balancer.CheckCPing: "HCCPING"} {
		r := newRig(t, "http://"+place, func(s *balancer.WorkerSettings) { s.Health.Method = check })
		want := "proxy:error AH00957: " + name + ": attempt to connect to " + place + " (" + place + ") failed"
		for try := range 3 {
			if r.once() {
				t.Error("passes")
			}
			told := slices.Contains(r.log.take(), want)
			if told != (try == 0) {
				t.Errorf("%s: told the %d. time: %v", name, try+1, told)
			}
			if s := r.m.Snapshot(); s.Status.Usable() != true || !s.ErrorTime.IsZero() {
				t.Errorf("%s: the connect's failure is the member's: %v", name, s)
			}
		}
	}
}

// A check that finds no descriptor for its connection says nothing of the member.
func TestWantOfDescriptorsIsNotTheMembers(t *testing.T) {
	m, _ := reader(t, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
	for _, check := range []balancer.Check{balancer.CheckTCP, balancer.CheckHead} {
		r := newRig(t, "http://"+m.Addr, func(s *balancer.WorkerSettings) { s.Health.Method = check })
		func() {
			defer withoutDescriptors(t)()
			r.run(r.target, r.m)
		}()
		if s := r.m.Snapshot(); !s.Status.Usable() {
			t.Errorf("%v: %v\n%s", check, s.Status, strings.Join(r.log.take(), "\n"))
		}
	}
}

// withoutDescriptors leaves the process none, until the function is called.
func withoutDescriptors(t *testing.T) (again func()) {
	t.Helper()
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	next, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	less := before
	less.Cur = uint64(next.Fd())
	next.Close()
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &less); err != nil {
		t.Fatal(err)
	}
	return func() { syscall.Setrlimit(syscall.RLIMIT_NOFILE, &before) }
}

// What one check costs, the member's side included. Ten thousand a second must take less than one processor.
func BenchmarkCheck(b *testing.B) {
	m, heads := reader(b, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
	go func() {
		for range heads {
		}
	}()
	for name, method := range map[string]balancer.Check{"TCP": balancer.CheckTCP, "GET": balancer.CheckGet} {
		b.Run(name, func(b *testing.B) {
			r := newRig(b, "http://"+m.Addr, func(s *balancer.WorkerSettings) { s.Health.Method = method })
			b.ReportAllocs()
			for b.Loop() {
				if !r.once() {
					b.Fatal("does not pass")
				}
			}
		})
	}
}
