package proxy

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
	"balancerd/balancer"
	"balancerd/balancer/method"
	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
	"balancerd/proxy/mod/core"
	"balancerd/proxy/site"
)

// rig is a configuration put in force, with a backend that answers from memory or passes on to
// another one.
type rig struct {
	t    testing.TB
	farm *balancer.Farm
	site *site.Site
	conf *directive.Config
	log  *logBook
	to   answerer
	tls  Secure // nil: none
}

// answerer is a backend made of a function. It stands in for members only where a socket can't do
// what the test needs.
type answerer func(w *balancer.Worker, x *exchange.Exchange, c *backend.Call) error

func (a answerer) RoundTrip(_ context.Context, w *balancer.Worker, x *exchange.Exchange, c *backend.Call) error {
	return a(w, x, c)
}

// ok answers 200 with nothing.
func ok(*balancer.Worker, *exchange.Exchange, *backend.Call) error { return nil }

// logBook collects the error log.
type logBook struct {
	mu    sync.Mutex
	lines []string
}

func (l *logBook) Write(e *exchange.LogEntry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := e.Message
	if e.Errno != "" {
		text = e.Errno + ": " + text
	}
	client := ""
	if e.X != nil {
		client = " client"
	}
	l.lines = append(l.lines, "["+e.Module+":"+e.Level.String()+client+"] "+text)
}

// take is the lines since the last take.
func (l *logBook) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := strings.Join(l.lines, "\n")
	l.lines = nil
	return text
}

const preload = "proxy proxy_http proxy_balancer proxy_hcheck proxy_ajp lbmethod_byrequests lbmethod_bytraffic lbmethod_bybusyness lbmethod_heartbeat slotmem_shm"

// bind reads a configuration as far as -t does.
func bind(conf string, mods ...site.Module) (*directive.Config, error) {
	head := "ServerName localhost\nListen 127.0.0.1:80\n"
	for _, m := range strings.Fields(preload) {
		head = "LoadModule " + m + "_module x; " + head
	}
	head = strings.ReplaceAll(head, "; ", "\n")
	tree, err := apacheconf.ParseText("test.conf", head+conf, apacheconf.Options{ServerRoot: "/", Modules: directive.Catalog{}})
	if err != nil {
		return nil, err
	}
	list := make([]directive.Module, 0, len(mods))
	for _, m := range mods {
		list = append(list, directive.Module{Name: "mod_" + m.Name + ".c", Table: m.Table})
	}
	return directive.Bind(tree, directive.Options{}, list...)
}

func newRig(t testing.TB, conf string, to answerer) *rig {
	t.Helper()
	r := &rig{t: t, farm: balancer.NewFarm(method.Builtin(nil), nil), log: &logBook{}, to: to}
	r.load(conf)
	return r
}

// load puts a configuration in force, as a reload does.
func (r *rig) load(conf string) {
	r.t.Helper()
	mods := []site.Module{core.Module(), Module(r.farm, answerer(func(w *balancer.Worker, x *exchange.Exchange, c *backend.Call) error { return r.to(w, x, c) }), r.tls)}
	c, err := bind(conf, mods...)
	if err != nil {
		r.t.Fatal(err)
	}
	r.conf = c
	r.site, err = site.Build(c, mods, site.Options{})
	if err != nil {
		r.t.Fatal(err)
	}
	for _, h := range r.site.Hosts {
		h.Server.ErrorLog = r.log
	}
	r.site.Commit()
}

// noBody is the body of a request without one.
type noBody struct{}

func (noBody) Read([]byte) (int, error) { return 0, io.EOF }
func (noBody) Buffered() []byte         { return nil }
func (noBody) Discard(int)              {}
func (noBody) Taken() int64             { return 0 }

// exchange is a request: a line and header fields, "Host: localhost" when there is none.
func request(text string) *exchange.Exchange {
	line, fields, _ := strings.Cut(text, "\n")
	words := strings.SplitN(line, " ", 3)
	x := &exchange.Exchange{Conn: &exchange.Conn{
		Remote: netip.MustParseAddrPort("127.0.0.1:5000"), Local: netip.MustParseAddrPort("127.0.0.1:80"), RemoteIP: "127.0.0.1",
	}, Start: time.Now()}
	q := &x.Req
	q.Line, q.Method, q.Target, q.Major, q.Minor, q.Scheme, q.Body = line, words[0], words[1], 1, 1, "http", noBody{}
	if len(words) > 2 && words[2] == "HTTP/1.0" {
		q.Minor = 0
	}
	q.RawPath, q.Query, q.HasQuery = strings.Cut(q.Target, "?")
	if fields != "" && !strings.HasSuffix(fields, "\n") {
		fields += "\n"
	}
	if !strings.Contains("\n"+strings.ToLower(fields), "\nhost:") && q.Minor == 1 {
		q.Header.Add("Host", "localhost")
	}
	for s := bufio.NewScanner(strings.NewReader(fields)); s.Scan(); {
		name, value, _ := strings.Cut(s.Text(), ":")
		q.Header.Add(name, strings.TrimSpace(value))
	}
	q.Authority = q.Header.Get("Host")
	q.Host, _, _ = strings.Cut(strings.ToLower(q.Authority), ":")
	if _, port, has := strings.Cut(q.Authority, ":"); has {
		q.Port = directive.Atoi(port)
	}
	if n, has := q.Header.Lookup("Content-Length"); has {
		q.Length = int64(directive.Atoi(n))
	}
	if q.Header.Has("Transfer-Encoding") {
		q.Length = -1
	}
	q.Upgrade = namesField(q.Header.Get("Connection"), "upgrade") && q.Header.Has("Upgrade")
	q.Expect100 = exchange.EqualFold(q.Header.Get("Expect"), "100-continue")
	return x
}

// serve walks a request through the site. The caller ends it with finish.
func (r *rig) serve(text string) *exchange.Exchange {
	x := request(text)
	r.site.Serve(context.Background(), x)
	return x
}

func (r *rig) finish(x *exchange.Exchange) { r.site.Done(context.Background(), x) }

// get is serve and finish.
func (r *rig) get(text string) *exchange.Exchange {
	x := r.serve(text)
	r.finish(x)
	return x
}

// body is what the answer holds.
func body(x *exchange.Exchange) string {
	if x.Res.Body == nil {
		return ""
	}
	var b bytes.Buffer
	b.ReadFrom(x.Res.Body)
	return b.String()
}

// head is the request as a member would get it, without framing.
func head(o *exchange.Outgoing) string {
	var b strings.Builder
	b.WriteString(o.Method + " " + o.Target + "\nHost: " + o.Host + "\n")
	for _, f := range o.Header.F {
		b.WriteString(f.Name + ": " + f.Value + "\n")
	}
	return b.String()
}
