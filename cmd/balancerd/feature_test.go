package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
	"balancerd/balancer"
	"balancerd/cmd/balancerd/cli"
	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
	"balancerd/proxy/mod/proxy"
	"balancerd/proxy/server"
	"balancerd/proxy/site"
	"balancerd/testdata/linear"
	"balancerd/testdata/ports"
)

// A feature is what real files configure for every request, with the members on two ports.
type feature struct{ name, conf string }

const (
	featureMembers = `<Proxy balancer://c>
BalancerMember http://127.0.0.1:%[1]d route=r1
BalancerMember http://127.0.0.1:%[2]d route=r2
</Proxy>
`
	featureSections = `<Location />
Require all granted
</Location>
<Location /admin/>
Require ip 10.0.0.0/8
</Location>
<Location /private>
Require all denied
</Location>
<Location /api/v1>
Require all granted
</Location>
<Location /api/v2>
Require all granted
</Location>
<Location /status>
Require local
</Location>
<LocationMatch "^/static/.*\.(css|js)$">
Header set Cache-Control max-age=3600
</LocationMatch>
<Location /images>
Require all granted
</Location>
<Location /robots.txt>
Require all granted
</Location>
<Location /page>
Require method GET POST
</Location>
`
	featureEdits = `Header set X-Frame-Options SAMEORIGIN
Header always set Strict-Transport-Security "max-age=31536000"
Header unset X-Powered-By
Header append Vary Accept-Encoding
Header set X-Took "%D %t"
RequestHeader set X-Forwarded-Proto expr=%{REQUEST_SCHEME}
RequestHeader set X-Request-Start "%t"
RequestHeader unset Proxy early
`
	featureSticky = `<Proxy balancer://c>
ProxySet stickysession=ROUTEID
</Proxy>
Header add Set-Cookie "ROUTEID=.%%{BALANCER_WORKER_ROUTE}e; path=/" env=BALANCER_ROUTE_CHANGED
`
	featureLog = `LogFormat "%%h %%l %%u %%t \"%%r\" %%>s %%O \"%%{Referer}i\" \"%%{User-Agent}i\"" combined
CustomLog access_log combined
`
	featureEnv = `SetEnvIf User-Agent Mozilla browser
SetEnvIfNoCase Request_URI \.(gif|png)$ image
BrowserMatch MSIE nokeepalive
SetEnv site main
`
	featurePass = "ProxyPass / balancer://c/\n"
)

var features = []feature{
	{"bare", featureMembers},
	{"location", featureMembers + featureSections},
	{"header", featureMembers + strings.ReplaceAll(featureEdits, "%", "%%")},
	{"sticky", featureMembers + featureSticky},
	{"log", featureMembers + featureLog},
	{"setenvif", featureMembers + featureEnv},
	{"all", featureMembers + featureSections + strings.ReplaceAll(featureEdits, "%", "%%") + featureSticky + featureLog + featureEnv},
}

const featureModules = "mpm_event authz_core authz_host headers setenvif env log_config slotmem_shm proxy proxy_http proxy_balancer lbmethod_byrequests"

// siteHere builds a site without another process's help.
func (p *loader) siteHere() (*site.Site, error) {
	tree, err := apacheconf.ParseFile(p.File, p.reading())
	if err != nil {
		return nil, err
	}
	conf, err := p.bind(tree, directive.OSFiles{}, nil)
	if err != nil {
		return nil, err
	}
	return site.Build(conf, p.modules, site.Options{})
}

// loadHere puts it in force.
func (p *loader) loadHere() error {
	next, err := p.siteHere()
	if err != nil {
		return err
	}
	opened := map[string]*net.TCPListener{}
	for _, at := range next.Listeners {
		if opened[at.Address], err = server.Listen(context.Background(), at, &next.Settings); err != nil {
			return err
		}
	}
	return p.server.Swap(next, opened)
}

// featured makes the program that serves a feature's configuration; nothing runs yet.
func featured(t testing.TB, f feature, listen int, members [2]int) *loader {
	root := t.TempDir()
	var b strings.Builder
	fmt.Fprintf(&b, "ServerRoot %s\nDefaultRuntimeDir %[1]s\nErrorLog error_log\nServerName localhost\nListen 127.0.0.1:%d\nKeepAliveTimeout 60\nMaxKeepAliveRequests 0\n", root, listen)
	for _, m := range strings.Fields(featureModules) {
		fmt.Fprintf(&b, "LoadModule %s_module x\n", m)
	}
	fmt.Fprintf(&b, f.conf+featurePass+"# %[1]d %[2]d\n", members[0], members[1])
	path := filepath.Join(root, "httpd.conf")
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	o, err := cli.Parse([]string{"balancerd", "-f", path})
	if err != nil {
		t.Fatal(err)
	}
	return newLoader(cli.NewCommand(o, io.Discard, io.Discard))
}

// fakeMember answers from memory.
type fakeMember struct{}

func (fakeMember) RoundTrip(_ context.Context, _ *balancer.Worker, x *exchange.Exchange, _ *backend.Call) error {
	x.Res.Status = 200
	for _, f := range [...][2]string{{"Server", "member"}, {"Date", "Sun, 06 Nov 1994 08:49:37 GMT"}, {"Content-Type", "text/html"}, {"X-Powered-By", "PHP"}} {
		x.Res.Header.Add(f[0], f[1])
	}
	x.Res.Length = 0
	return nil
}

// inMemory is one request of a kept connection, from the virtual host's choice to the log, without
// sockets: what a feature costs beside the engine.
func inMemory(t testing.TB, f feature) func() {
	p := featured(t, f, 1, [2]int{2, 3})
	i := slices.IndexFunc(p.modules, func(m site.Module) bool { return m.Name == proxyModule })
	p.modules[i] = proxy.Module(p.farm, fakeMember{})
	s, err := p.siteHere()
	if err != nil {
		t.Fatal(err)
	}
	s.Commit()
	t.Cleanup(s.Close)
	x := &exchange.Exchange{Conn: &exchange.Conn{Remote: netip.MustParseAddrPort("127.0.0.1:5000"), Local: netip.MustParseAddrPort("127.0.0.1:1"), RemoteIP: "127.0.0.1"}}
	ctx := context.Background()
	return func() {
		x.Reset()
		q := &x.Req
		x.Start = time.Now()
		q.Line, q.Method, q.Target, q.RawPath, q.Query, q.HasQuery = "GET /page?id=1 HTTP/1.1", "GET", "/page?id=1", "/page", "id=1", true
		q.Major, q.Minor, q.Scheme, q.Authority, q.Host = 1, 1, "http", "localhost", "localhost"
		for _, f := range featureFields {
			q.Header.Add(f[0], f[1])
		}
		s.Serve(ctx, x)
		if x.Res.Status != 200 {
			panic(x.Res.Status)
		}
		s.Done(ctx, x)
	}
}

const proxyModule = "proxy"

var featureFields = [][2]string{{"Host", "localhost"}, {"User-Agent", "Mozilla/5.0 (X11; Linux x86_64)"}, {"Accept", "text/html,*/*;q=0.8"},
	{"Accept-Language", "en"}, {"Referer", "http://localhost/"}, {"Cookie", "theme=dark; ROUTEID=.r2"}}

// overLoopback is one request by a real connection through the whole server to a real member.
func overLoopback(t testing.TB, f feature) func() {
	member := loopbackMember(t)
	port := ports.Reserve(t)
	p := featured(t, f, port, [2]int{member, member})
	if err := p.loadHere(); err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(context.Background())
	over := make(chan struct{})
	go func() { defer close(over); p.server.Run(ctx) }()
	t.Cleanup(func() { end(); <-over })
	return asking(t, port)
}

func asking(t testing.TB, port int) func() {
	c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	q := []byte("GET /page?id=1 HTTP/1.1\r\n")
	for _, f := range featureFields {
		q = fmt.Appendf(q, "%s: %s\r\n", f[0], f[1])
	}
	q = append(q, "\r\n"...)
	b := make([]byte, 8<<10)
	return func() {
		c.Write(q)
		for n := 0; !bytes.HasSuffix(b[:n], []byte(featureBody)); {
			k, err := c.Read(b[n:])
			if n += k; err != nil {
				t.Fatalf("%v after %q", err, b[:n])
			}
		}
		if !bytes.HasPrefix(b, []byte("HTTP/1.1 200 OK\r\n")) {
			t.Fatalf("%q", b[:100])
		}
	}
}

const featureBody = "the whole page\n"

// loopbackMember answers each request, which comes in one piece, and allocates nothing.
func loopbackMember(t testing.TB) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	answer := fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nServer: member\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: text/html\r\nX-Powered-By: PHP\r\nContent-Length: %d\r\n\r\n%s", len(featureBody), featureBody)
	serveEach(t, l, func(c net.Conn) {
		b := make([]byte, 8<<10)
		for {
			n, err := c.Read(b)
			if err != nil {
				return
			}
			for range bytes.Count(b[:n], []byte("\r\n\r\n")) {
				c.Write(answer)
			}
		}
	})
	return l.Addr().(*net.TCPAddr).Port
}

// TestFeaturesAllocateNothing: a request costs no allocation whatever of these is configured.
func TestFeaturesAllocateNothing(t *testing.T) {
	if linear.Race || poisoned {
		t.Skip("the race detector allocates, and so do pools that keep nothing")
	}
	for _, f := range features {
		t.Run(f.name, func(t *testing.T) { noAllocation(t, overLoopback(t, f)) })
	}
}

func noAllocation(t *testing.T, ask func()) {
	for range 200 {
		ask()
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 1000 {
		ask()
	}
	runtime.ReadMemStats(&after)
	if n := after.Mallocs - before.Mallocs; n > 200 { // each second's time, timers, the runtime's own
		t.Errorf("%d allocations for 1000 requests", n)
	}
}

// BenchmarkFeature is what the server itself does for a request, without sockets but the access log's.
func BenchmarkFeature(b *testing.B) {
	for _, f := range features {
		b.Run(f.name, func(b *testing.B) { timed(b, inMemory(b, f)) })
	}
}

// BenchmarkFeatureLoopback is a whole request over kept connections.
func BenchmarkFeatureLoopback(b *testing.B) {
	for _, f := range features {
		b.Run(f.name, func(b *testing.B) { timed(b, overLoopback(b, f)) })
	}
}

func timed(b *testing.B, ask func()) {
	for range 100 {
		ask()
	}
	b.ReportAllocs()
	for b.Loop() {
		ask()
	}
}
