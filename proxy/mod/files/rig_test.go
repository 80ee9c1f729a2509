package files

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
	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// rig is a configuration put in force.
type rig struct {
	t    testing.TB
	site *site.Site
	log  *logBook
}

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
	l.lines = append(l.lines, "["+e.Module+":"+e.Level.String()+"] "+text)
}

// take is the lines since the last take.
func (l *logBook) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := strings.Join(l.lines, "\n")
	l.lines = nil
	return text
}

const preload = "mime dir alias"

// bind reads a configuration as far as -t does.
func bind(conf string, mods ...site.Module) (*directive.Config, error) {
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

// refused is what is wrong with a configuration; "" for nothing.
func refused(conf string) string {
	c, err := bind(conf, modules()...)
	if err == nil {
		_, err = site.Build(c, modules(), site.Options{Checking: true})
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

func newRig(t testing.TB, conf string) *rig {
	t.Helper()
	r := &rig{t: t, log: &logBook{}}
	c, err := bind(conf, modules()...)
	if err != nil {
		t.Fatal(err)
	}
	if r.site, err = site.Build(c, modules(), site.Options{}); err != nil {
		t.Fatal(err)
	}
	for _, h := range r.site.Hosts {
		h.Server.ErrorLog = r.log
	}
	r.site.Commit()
	return r
}

// member is a stand-in for the proxy: paths below /proxied and those that end in .far belong to it.
// Its answer has the fields that the request's X-Answer names, "A: b|C: d".
func member() site.Module {
	serve := func(_ context.Context, x *exchange.Exchange) error {
		x.Res.Status, x.Res.Proxied = 200, true
		for _, f := range strings.Split(x.Req.Header.Get("X-Answer"), "|") {
			if name, value, ok := strings.Cut(f, ": "); ok {
				x.Res.Header.Add(name, value)
			}
		}
		x.Res.Text("member")
		return nil
	}
	return site.Module{Name: "proxy", Open: func(*directive.Config, *site.Site) (site.Builder, error) {
		return func(_ []*directive.Scope, p *site.Plan) error {
			p.HandlerFor("proxy-server", exchange.HandlerFunc(serve))
			p.Translate = append(p.Translate, func(_ context.Context, x *exchange.Exchange) error {
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

// request is a line and header fields; a field named Env sets a variable, From the client's address.
func request(text string) *exchange.Exchange {
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

// get is one request through the site.
func (r *rig) get(text string) *exchange.Exchange {
	x := request(text)
	r.site.Serve(context.Background(), x)
	return x
}

// body is what the answer holds.
func body(x *exchange.Exchange) string {
	if x.Res.Body == nil {
		return ""
	}
	var b bytes.Buffer
	b.ReadFrom(x.Res.Body)
	x.Res.Body.Close()
	return b.String()
}

// field is a field of the answer.
func answered(x *exchange.Exchange, name string) string {
	if v := x.Res.Always.Joined(name); v != "" {
		return v
	}
	return x.Res.Header.Joined(name)
}
