// Package proxytest puts configurations of mod_proxy in force for tests: a site with a backend that answers from
// memory, or passes on to another one.
//
//	configuration text --New--> Rig --Get(request text)--> exchange with its answer
package proxytest

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
	"balancerd/proxy/mod/proxy"
	"balancerd/proxy/site"
)

// Rig is a configuration put in force, with a backend that answers from memory or passes on to
// another one.
type Rig struct {
	t    testing.TB
	Farm *balancer.Farm
	Site *site.Site
	Conf *directive.Config
	Log  *LogBook
	To   Answerer
	TLS  proxy.Secure // nil: none
}

// Answerer is a backend made of a function. It stands in for members only where a socket can't do
// what the test needs.
type Answerer func(w *balancer.Worker, x *exchange.Exchange, c *backend.Call) error

func (a Answerer) RoundTrip(_ context.Context, w *balancer.Worker, x *exchange.Exchange, c *backend.Call) error {
	return a(w, x, c)
}

// OK answers 200 with nothing.
func OK(*balancer.Worker, *exchange.Exchange, *backend.Call) error { return nil }

// LogBook collects the error log.
type LogBook struct {
	mu    sync.Mutex
	lines []string
}

func (l *LogBook) Write(e *exchange.LogEntry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := e.Message
	if e.Errno != "" {
		text = e.Errno + ": " + text
	}
	client := ""
	if e.X != nil {
		client = " client"
	} else if e.Conn != nil {
		client = " remote " + e.Conn.RemoteText
	}
	l.lines = append(l.lines, "["+e.Module+":"+e.Level.String()+client+"] "+text)
}

// Take is the lines since the last Take.
func (l *LogBook) Take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := strings.Join(l.lines, "\n")
	l.lines = nil
	return text
}

const Preload = "proxy proxy_http proxy_balancer proxy_hcheck proxy_ajp lbmethod_byrequests lbmethod_bytraffic lbmethod_bybusyness lbmethod_heartbeat slotmem_shm"

// LinesInFront is how many lines Bind puts in front of a configuration.
var LinesInFront = len(strings.Fields(Preload)) + 2

// Bind reads a configuration as far as -t does.
func Bind(conf string, mods ...site.Module) (*directive.Config, error) {
	head := "ServerName localhost\nListen 127.0.0.1:80\n"
	for _, m := range strings.Fields(Preload) {
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

func New(t testing.TB, conf string, to Answerer) *Rig {
	t.Helper()
	r := &Rig{t: t, Farm: balancer.NewFarm(method.Builtin(nil), nil), Log: &LogBook{}, To: to}
	r.Load(conf)
	return r
}

// Load puts a configuration in force, as a reload does.
func (r *Rig) Load(conf string) {
	r.t.Helper()
	mods := []site.Module{core.Module(), proxy.Module(r.Farm, Answerer(func(w *balancer.Worker, x *exchange.Exchange, c *backend.Call) error { return r.To(w, x, c) }), r.TLS)}
	c, err := Bind(conf, mods...)
	if err != nil {
		r.t.Fatal(err)
	}
	r.Conf = c
	r.Site, err = site.Build(c, mods, site.Options{})
	if err != nil {
		r.t.Fatal(err)
	}
	for _, h := range r.Site.Hosts {
		h.Server.ErrorLog = r.Log
	}
	r.Site.Commit()
}

// noBody is the body of a request without one.
type noBody struct{}

func (noBody) Read([]byte) (int, error) { return 0, io.EOF }
func (noBody) Buffered() []byte         { return nil }
func (noBody) Discard(int)              {}
func (noBody) Taken() int64             { return 0 }

// Request is a request: a line and header fields, "Host: localhost" when there is none.
func Request(text string) *exchange.Exchange {
	line, fields, _ := strings.Cut(text, "\n")
	words := strings.SplitN(line, " ", 3)
	x := &exchange.Exchange{Conn: &exchange.Conn{
		Remote: netip.MustParseAddrPort("127.0.0.1:5000"), Local: netip.MustParseAddrPort("127.0.0.1:80"), RemoteIP: "127.0.0.1",
	}, Start: time.Now()}
	q := &x.Req
	q.Line, q.Method, q.Target, q.Major, q.Minor, q.Scheme, q.Body = line, words[0], words[1], 1, 1, "http", noBody{}
	if len(words) > 2 {
		switch words[2] {
		case "HTTP/1.0":
			q.Minor = 0
		case "HTTP/2.0":
			q.Major, q.Minor = 2, 0
		}
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
	q.Upgrade = strings.Contains(strings.ToLower(q.Header.Get("Connection")), "upgrade") && q.Header.Has("Upgrade")
	q.Expect100 = exchange.EqualFold(q.Header.Get("Expect"), "100-continue")
	return x
}

// Serve walks a request through the site. The caller ends it with Finish.
func (r *Rig) Serve(text string) *exchange.Exchange {
	x := Request(text)
	r.Site.Serve(context.Background(), x)
	return x
}

func (r *Rig) Finish(x *exchange.Exchange) { r.Site.Done(context.Background(), x) }

// Get is Serve and Finish.
func (r *Rig) Get(text string) *exchange.Exchange {
	x := r.Serve(text)
	r.Finish(x)
	return x
}

// Body is what the answer holds.
func Body(x *exchange.Exchange) string {
	if x.Res.Body == nil {
		return ""
	}
	var b bytes.Buffer
	b.ReadFrom(x.Res.Body)
	return b.String()
}

// Head is the request as a member would get it, without framing.
func Head(o *exchange.Outgoing) string {
	var b strings.Builder
	b.WriteString(o.Method + " " + o.Target + "\nHost: " + o.Host + "\n")
	for _, f := range o.Header.F {
		b.WriteString(f.Name + ": " + f.Value + "\n")
	}
	return b.String()
}
