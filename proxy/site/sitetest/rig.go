// Package sitetest puts configurations in force for the tests of modules: a site with a stand-in for the
// proxy behind it, asked without sockets.
//
//	configuration text --New--> Rig --Get(request text)--> exchange with its answer
package sitetest

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// Rig is a configuration put in force.
type Rig struct {
	Site *site.Site
	Log  *LogBook
}

// LogBook collects the error log.
type LogBook struct {
	mu    sync.Mutex
	lines []string
}

// Write keeps a line.
func (l *LogBook) Write(e *exchange.LogEntry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := e.Message
	if e.Errno != "" {
		text = e.Errno + ": " + text
	}
	l.lines = append(l.lines, "["+e.Module+":"+e.Level.String()+"] "+text)
}

// Take is the lines since the last take.
func (l *LogBook) Take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := strings.Join(l.lines, "\n")
	l.lines = nil
	return text
}

// Bind reads a configuration as far as -t does, with modules loaded by name.
func Bind(preload, conf string, mods ...site.Module) (*directive.Config, error) {
	var head strings.Builder
	head.WriteString("ServerName localhost\nListen 127.0.0.1:80\nLogLevel info\n")
	for _, m := range strings.Fields(preload) {
		head.WriteString("LoadModule " + m + "_module x\n")
	}
	tree, err := apacheconf.ParseText("test.conf", head.String()+conf, apacheconf.Options{ServerRoot: "/", Modules: directive.Catalog{}})
	if err != nil {
		return nil, err
	}
	return directive.Bind(tree, directive.Options{}, site.Tables(mods)...)
}

// Refused is what is wrong with a configuration; "" for nothing.
func Refused(preload, conf string, mods ...site.Module) string {
	c, err := Bind(preload, conf, mods...)
	if err == nil {
		_, err = site.Build(c, mods, site.Options{Checking: true})
	}
	if err == nil {
		return ""
	}
	_, msg, ok := strings.Cut(err.Error(), ":\n")
	if !ok {
		msg = err.Error()
	}
	msg, _, _ = strings.Cut(msg, "\nhint: ")
	return msg
}

// New puts a configuration in force; what is wrong with it ends the test.
func New(t testing.TB, preload, conf string, mods ...site.Module) *Rig {
	t.Helper()
	r := &Rig{Log: &LogBook{}}
	c, err := Bind(preload, conf, mods...)
	if err != nil {
		t.Fatal(err)
	}
	if r.Site, err = site.Build(c, mods, site.Options{}); err != nil {
		t.Fatal(err)
	}
	for _, h := range r.Site.Hosts {
		h.Server.ErrorLog = r.Log
	}
	r.Site.Commit()
	return r
}

// Member is a stand-in for the proxy: paths below /proxied and those that end in .far belong to it.
// Its answer has the fields that the request's X-Answer names, "A: b|C: d", and X-Status as its status.
func Member() site.Module {
	serve := func(_ context.Context, x *exchange.Exchange) error {
		x.Res.Status, x.Res.Proxied = 200, true
		for _, f := range strings.Split(x.Req.Header.Get("X-Answer"), "|") {
			if name, value, ok := strings.Cut(f, ": "); ok {
				x.Res.Header.Add(name, value)
			}
		}
		if status := directive.Atoi(x.Req.Header.Get("X-Status")); status != 0 {
			x.Res.Status = status
		}
		if x.Res.Status != 304 {
			x.Res.Text("member")
		}
		return nil
	}
	return site.Module{Name: "proxy", Open: func(*directive.Config, *site.Site) (site.Builder, error) {
		return func(_ []*directive.Scope, p *site.Plan) error {
			p.HandlerFor("proxy-server", exchange.HandlerFunc(serve))
			p.Add(site.Translate, "ProxyPass", func(_ context.Context, x *exchange.Exchange) error {
				if strings.HasPrefix(x.Req.Path, "/proxied") || strings.HasSuffix(x.Req.Path, ".far") {
					x.Filename, x.Handler = "proxy:http://member"+x.Req.Path, "proxy-server"
					return exchange.Stop
				}
				return nil
			})
			return nil
		}, nil
	}}
}

// noBody is the body of a request without one.
type noBody struct{}

func (noBody) Read([]byte) (int, error) { return 0, io.EOF }
func (noBody) Buffered() []byte         { return nil }
func (noBody) Discard(int)              {}
func (noBody) Taken() int64             { return 0 }

// Request is a line and header fields; a field named Env sets a variable, From the client's address.
func Request(text string) *exchange.Exchange {
	line, fields, _ := strings.Cut(text, "\n")
	words := strings.SplitN(line, " ", 3)
	x := &exchange.Exchange{Start: time.Now(), ClientIP: "127.0.0.1", Conn: &exchange.Conn{
		Remote: netip.MustParseAddrPort("127.0.0.1:5000"), Local: netip.MustParseAddrPort("127.0.0.1:80"), RemoteIP: "127.0.0.1",
	}}
	q := &x.Req
	q.Line, q.Method, q.Target, q.Major, q.Minor, q.Scheme, q.Body = line, words[0], words[1], 1, 1, "http", noBody{}
	q.RawPath, q.Query, q.HasQuery = strings.Cut(q.Target, "?")
	q.Header.Add("Host", "localhost")
	q.Authority, q.Host = "localhost", "localhost"
	for s := bufio.NewScanner(strings.NewReader(fields)); s.Scan(); {
		name, value, _ := strings.Cut(s.Text(), ":")
		value = strings.TrimSpace(value)
		switch name {
		case "Env":
			x.Env.Set(value, "1")
		case "From":
			x.ClientIP = value
		case "Host":
			q.Header.Set(name, value)
			q.Authority = value
			q.Host, _, _ = strings.Cut(strings.ToLower(value), ":")
			if _, port, has := strings.Cut(value, ":"); has {
				q.Port = directive.Atoi(port)
			}
		default:
			q.Header.Add(name, value)
		}
	}
	return x
}

// Get is one request through the site.
func (r *Rig) Get(text string) *exchange.Exchange {
	x := Request(text)
	r.Site.Serve(context.Background(), x)
	return x
}

// Body is what the answer holds.
func Body(x *exchange.Exchange) string {
	if x.Res.Body == nil {
		return ""
	}
	var b bytes.Buffer
	b.ReadFrom(x.Res.Body)
	x.Res.Body.Close()
	return b.String()
}

// Answered is a field of the answer.
func Answered(x *exchange.Exchange, name string) string {
	if v := x.Res.Always.Joined(name); v != "" {
		return v
	}
	return x.Res.Header.Joined(name)
}

// Files are the lines that have files below root served, with a few media types.
func Files(t testing.TB, root string) string {
	t.Helper()
	types := filepath.Join(t.TempDir(), "mime.types")
	os.WriteFile(types, []byte("# comment\ntext/html html htm\ntext/plain txt\n"), 0o600)
	return "DocumentRoot " + root + "\nTypesConfig " + types + "\n"
}
