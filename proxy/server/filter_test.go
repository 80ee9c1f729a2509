package server

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
	"balancerd/balancer"
	"balancerd/balancer/method"
	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
	http1 "balancerd/proxy/http1/client"
	http2 "balancerd/proxy/http2/client"
	"balancerd/proxy/log/errorlog"
	"balancerd/proxy/mod/core"
	"balancerd/proxy/mod/h2"
	"balancerd/proxy/mod/headers"
	"balancerd/proxy/mod/mpm"
	"balancerd/proxy/mod/proxy"
	"balancerd/proxy/mod/setenvif"
	"balancerd/proxy/mod/static"
	"balancerd/proxy/site"
)

// packing is a module with two filters, put in force by SetOutputFilter and SetInputFilter: PACK makes gzip
// of answers, UNPACK takes gzip off requests, and off answers.
func packing() site.Module {
	type names struct{ output, input []string }
	dirs := directive.NewKey("packing", func(outer, inner names) names {
		if inner.output == nil {
			inner.output = outer.output
		}
		if inner.input == nil {
			inner.input = outer.input
		}
		return inner
	})
	table := directive.Table{
		{Name: "SetOutputFilter", Set: func(s *directive.Scope, a directive.Args) error {
			dirs.In(s).output = strings.Split(a.Words[0], ";")
			return nil
		}},
		{Name: "SetInputFilter", Set: func(s *directive.Scope, a directive.Args) error {
			dirs.In(s).input = strings.Split(a.Words[0], ";")
			return nil
		}},
	}
	open := func(*directive.Config, *site.Site) (site.Builder, error) {
		return func(chain []*directive.Scope, p *site.Plan) error {
			p.OutputFor(exchange.Filter{Name: "PACK", Kind: exchange.ContentSet, Do: pack})
			p.OutputFor(exchange.Filter{Name: "UNPACK", Kind: exchange.ContentSet - 1, Do: unpackAnswer})
			p.InputFor(exchange.Filter{Name: "UNPACK", Kind: exchange.ContentSet - 1, Do: unpackRequest})
			d := dirs.Merged(chain...)
			for _, n := range d.output {
				p.AddOutput(n)
			}
			for _, n := range d.input {
				p.AddInput(n)
			}
			p.Add(site.Fixup, "AddOutputFilter", func(_ context.Context, x *exchange.Exchange) error {
				if strings.HasSuffix(x.Req.Path, ".packed") {
					f, _ := site.OutputNamed(x, "pack")
					x.AddOutput(f)
				}
				return nil
			})
			return nil
		}, nil
	}
	return site.Module{Name: "packing", Table: table, Open: open}
}

// pack is the output filter that changes the length.
func pack(_ context.Context, x *exchange.Exchange) error {
	r := &x.Res
	if x.Env.Has("no-gzip") || r.Status == 204 || r.Header.Has("Content-Encoding") || r.Header.Has("Content-Range") || r.Length >= 0 && r.Length <= 68 {
		return nil
	}
	r.Header.Merge("Vary", "Accept-Encoding")
	if !strings.Contains(x.Req.Header.Get("Accept-Encoding"), "gzip") {
		return nil
	}
	r.Header.Set("Content-Encoding", "gzip")
	if tag := r.Header.Get("ETag"); strings.HasSuffix(tag, `"`) {
		r.Header.Set("ETag", x.Arena.Join(tag[:len(tag)-1], `-gzip"`))
	}
	r.ChangesLength()
	if r.Body != nil && !x.HeadOnly {
		r.Body = exchange.Rewritten(r.Body, func(out io.Writer) exchange.Rewriter { return gzip.NewWriter(out) })
	}
	return nil
}

// unpackAnswer is the same backwards, as a reader.
func unpackAnswer(_ context.Context, x *exchange.Exchange) error {
	r := &x.Res
	if r.Header.Get("Content-Encoding") != "gzip" {
		return nil
	}
	r.Header.Del("Content-Encoding")
	r.ChangesLength()
	if r.Body != nil && !x.HeadOnly {
		r.Body = exchange.Through(r.Body, &lazyGunzip{from: r.Body})
	}
	return nil
}

// unpackRequest is the input filter.
func unpackRequest(_ context.Context, x *exchange.Exchange) error {
	if x.Req.Header.Get("Content-Encoding") != "gzip" {
		return nil
	}
	x.Req.Header.Del("Content-Encoding")
	x.Req.ChangesLength()
	exchange.ThroughBody(x, &lazyGunzip{from: x.Req.Body})
	return nil
}

// lazyGunzip reads no header before it is read itself.
type lazyGunzip struct {
	from io.Reader
	z    *gzip.Reader
}

func (l *lazyGunzip) Read(p []byte) (n int, err error) {
	if l.z == nil {
		if l.z, err = gzip.NewReader(l.from); err != nil {
			return 0, err
		}
	}
	return l.z.Read(p)
}

// filterRig is a server with filters, files and members.
type filterRig struct {
	*rig
	at  string // host:port
	h11 *http.Client
	h2c *http.Client
}

func newFilterRig(t *testing.T, conf string, member http.Handler, more ...site.Module) *filterRig {
	t.Helper()
	f := &filterRig{rig: newRig(t), at: free(t)}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var both http.Protocols
	both.SetHTTP1(true)
	both.SetUnencryptedHTTP2(true)
	m := &http.Server{Handler: member, Protocols: &both}
	go m.Serve(l)
	t.Cleanup(func() { m.Close() })
	text := "LoadModule http2_module x\nLoadModule proxy_balancer_module x\nLoadModule lbmethod_byrequests_module x\nLoadModule slotmem_shm_module x\nLoadModule proxy_module x\nLoadModule proxy_http_module x\nLoadModule proxy_http2_module x\nLoadModule env_module x\nLoadModule headers_module x\n" +
		"ServerName localhost\nListen " + f.at + "\nProtocols h2c http/1.1\nDocumentRoot " + f.dir + "\nErrorLog " + filepath.Join(f.dir, "error.log") + "\n" +
		strings.ReplaceAll(conf, "MEMBER", l.Addr().String())
	tree, err := apacheconf.ParseText(filepath.Join(f.dir, "httpd.conf"), text, apacheconf.Options{ServerRoot: f.dir, Modules: directive.Catalog{}})
	if err != nil {
		t.Fatal(err)
	}
	h1, two := http1.NewBackend(), http2.NewBackend()
	schemes := backend.Table{{Name: "http", Backend: h1}, {Name: "h2c", Backend: two}}
	mods := []site.Module{core.Module(), mpm.Module(), errorlog.Module("error.log", "test"), h2.Module(), proxy.Module(balancer.NewFarm(method.Builtin(nil), nil), schemes)}
	mods = append(mods, setenvif.Modules()...)
	mods = append(mods, headers.Module())
	mods = append(mods, packing())
	mods = append(append(mods, more...), static.Module())
	c, err := directive.Bind(tree, directive.Options{}, site.Tables(mods)...)
	if err != nil {
		t.Fatal(err)
	}
	s, err := site.Build(c, mods, site.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.load(s); err != nil {
		t.Fatal(err)
	}
	f.h11 = &http.Client{Transport: &http.Transport{DisableCompression: true}, Timeout: time.Minute}
	var h2c http.Protocols
	h2c.SetUnencryptedHTTP2(true)
	f.h2c = &http.Client{Transport: &http.Transport{DisableCompression: true, Protocols: &h2c}, Timeout: time.Minute}
	return f
}

// got is an answer, its body unpacked where it is gzip.
type got struct {
	*http.Response
	raw  []byte
	body string
	err  error
}

func (f *filterRig) do(c *http.Client, method, path, body string, fields ...string) (g got) {
	r, err := http.NewRequest(method, "http://"+f.at+path, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	if body != "" {
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
		if strings.HasPrefix(path, "/unknown") {
			r.ContentLength = -1
		}
	}
	for i := 0; i < len(fields); i += 2 {
		r.Header.Set(fields[i], fields[i+1])
	}
	if g.Response, g.err = c.Do(r); g.err != nil {
		f.t.Fatal(method, path, g.err)
	}
	defer g.Body.Close()
	g.raw, g.err = io.ReadAll(g.Body)
	g.body = string(g.raw)
	if g.Header.Get("Content-Encoding") == "gzip" && len(g.raw) > 0 && g.StatusCode != 206 {
		z, err := gzip.NewReader(bytes.NewReader(g.raw))
		if err != nil {
			f.t.Error(method, path, err)
			return g
		}
		b, err := io.ReadAll(z)
		if err != nil {
			f.t.Error(method, path, err)
		}
		g.body = string(b)
	}
	return g
}

func packed(s string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	io.WriteString(z, s)
	z.Close()
	return b.String()
}

var lines = strings.Repeat("a line that packs well\n", 4000)

// TestOutputFilter: an answer of a file and of members passes through the filters in force, whatever the
// client speaks.
func TestOutputFilter(t *testing.T) {
	member := http.NewServeMux()
	member.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"tag"`)
		w.Header().Set("Content-Length", fmt.Sprint(len(lines)))
		io.WriteString(w, lines)
	})
	member.HandleFunc("/chunked", func(w http.ResponseWriter, r *http.Request) {
		for i := range 8 {
			io.WriteString(w, lines[i*len(lines)/8:(i+1)*len(lines)/8])
			w.(http.Flusher).Flush()
		}
	})
	member.HandleFunc("/small", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "small") })
	member.HandleFunc("/none", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(304) })
	member.HandleFunc("/gone", func(w http.ResponseWriter, r *http.Request) { http.Error(w, lines, 404) })
	f := newFilterRig(t, `ProxyPass /m h2c://MEMBER
ProxyPass /n http://MEMBER
SetOutputFilter PACK
ErrorDocument 404 /why.txt
Header edit ETag -gzip -seen
Header set X-Coded expr=%{resp:Content-Encoding}
<Location /m/plain>
SetEnv no-gzip 1
</Location>
<Location /m/twice>
SetOutputFilter PACK;UNPACK
</Location>
`, member)
	os.WriteFile(filepath.Join(f.dir, "lines.txt"), []byte(lines), 0o644)
	os.WriteFile(filepath.Join(f.dir, "why.txt"), []byte("why "+lines), 0o644)
	for name, c := range map[string]*http.Client{"HTTP/1.1": f.h11, "HTTP/2": f.h2c} {
		for _, k := range []struct {
			path, coding, body string
			status             int
		}{
			{"/lines.txt", "gzip", lines, 200},
			{"/m/", "gzip", lines, 200},
			{"/n/", "gzip", lines, 200},
			{"/m/chunked", "gzip", lines, 200},
			{"/n/chunked", "gzip", lines, 200},
			{"/n/small", "", "small", 200},
			{"/m/plain", "", lines, 200},
			{"/m/twice", "gzip", lines, 200},
			{"/n/none", "gzip", "", 304},
			{"/n/gone", "gzip", lines + "\n", 404},
			{"/nothing", "gzip", "why " + lines, 404},
			{"/m/plain/x.packed", "", lines, 200},
		} {
			g := f.do(c, "GET", k.path, "", "Accept-Encoding", "gzip")
			if g.StatusCode != k.status || g.body != k.body || g.Header.Get("Content-Encoding") != k.coding || g.err != nil {
				t.Errorf("%s %s: %d, %d bytes, %q, %v", name, k.path, g.StatusCode, len(g.body), g.Header.Get("Content-Encoding"), g.err)
			}
			if g.Header.Get("X-Coded") != k.coding {
				t.Errorf("%s %s: Header saw %q", name, k.path, g.Header.Get("X-Coded"))
			}
			if strings.Contains(g.Header.Get("ETag"), "-gzip") || k.path == "/m/" && g.Header.Get("ETag") != `"tag-seen"` {
				t.Errorf("%s %s: %s is not the tag that Header edits", name, k.path, g.Header.Get("ETag"))
			}
			if k.coding == "gzip" && g.ContentLength > int64(len(k.body))/10 {
				t.Errorf("%s %s: a Content-Length of %d", name, k.path, g.ContentLength)
			}
			head := f.do(c, "HEAD", k.path, "", "Accept-Encoding", "gzip")
			if head.Header.Get("Content-Encoding") != g.Header.Get("Content-Encoding") || head.Header.Get("Vary") != g.Header.Get("Vary") || len(head.raw) > 0 {
				t.Errorf("%s HEAD %s: %v, GET %v", name, k.path, head.Header, g.Header)
			}
			if k.coding == "gzip" && head.ContentLength > 0 {
				t.Errorf("%s HEAD %s: a Content-Length of %d", name, k.path, head.ContentLength)
			}
		}
	}
	if g := f.do(f.h11, "GET", "/m/", ""); g.Header.Get("Content-Encoding") != "" || g.Header.Get("Vary") != "Accept-Encoding" || g.ContentLength != int64(len(lines)) {
		t.Error("without Accept-Encoding:", g.Header, g.ContentLength)
	}
}

// TestFilterOldClient: HTTP/1.0 learns the end of a body of unknown length by the connection's.
func TestFilterOldClient(t *testing.T) {
	f := newFilterRig(t, "SetOutputFilter PACK\n", http.NotFoundHandler())
	random := make([]byte, 300<<10)
	for i := range random {
		random[i] = byte(rand.Uint32())
	}
	os.WriteFile(filepath.Join(f.dir, "random"), random, 0o644)
	os.WriteFile(filepath.Join(f.dir, "lines.txt"), []byte(lines), 0o644)
	for path, want := range map[string]string{"random": string(random), "lines.txt": lines} {
		c, err := net.Dial("tcp", f.at)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(20 * time.Second))
		fmt.Fprintf(c, "GET /%s HTTP/1.0\r\nConnection: keep-alive\r\nAccept-Encoding: gzip\r\n\r\n", path)
		in := bufio.NewReader(c)
		r, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		if kept := r.Header.Get("Connection") == "Keep-Alive"; kept != (path == "lines.txt") || kept != (r.ContentLength > 0) || len(r.TransferEncoding) > 0 {
			t.Errorf("%s: %v, length %d", path, r.Header, r.ContentLength)
		}
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			t.Fatal(path, err)
		}
		if b, err := io.ReadAll(z); string(b) != want || err != nil {
			t.Error(path, len(b), err)
		}
	}
}

// TestFilterRange: what a range is cut of is what the filters made.
func TestFilterRange(t *testing.T) {
	f := newFilterRig(t, "SetOutputFilter PACK\n", http.NotFoundHandler())
	os.WriteFile(filepath.Join(f.dir, "lines.txt"), []byte(lines), 0o644)
	whole := f.do(f.h11, "GET", "/lines.txt", "", "Accept-Encoding", "gzip")
	for _, c := range []*http.Client{f.h11, f.h2c} {
		g := f.do(c, "GET", "/lines.txt", "", "Accept-Encoding", "gzip", "Range", "bytes=5-24")
		if g.StatusCode != 206 || !bytes.Equal(g.raw, whole.raw[5:25]) || g.Header.Get("Content-Encoding") != "gzip" ||
			g.Header.Get("Content-Range") != fmt.Sprintf("bytes 5-24/%d", len(whole.raw)) {
			t.Errorf("packed: %d %q %v", g.StatusCode, g.raw, g.Header)
		}
		g = f.do(c, "GET", "/lines.txt", "", "Range", "bytes=5-24")
		if g.StatusCode != 206 || g.body != lines[5:25] {
			t.Errorf("plain: %d %q", g.StatusCode, g.body)
		}
		if g = f.do(c, "GET", "/lines.txt", "", "Accept-Encoding", "gzip", "Range", "bytes=99999-"); g.StatusCode != 416 {
			t.Error("behind the end of what was packed:", g.StatusCode)
		}
	}
}

// TestFilterStreams: what a member has sent so far comes through a filter before the member goes on.
func TestFilterStreams(t *testing.T) {
	seen := make(chan bool)
	f := newFilterRig(t, "SetOutputFilter PACK\nProxyPass /m http://MEMBER\nProxyPass /n h2c://MEMBER\n", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for i := range 5 {
			fmt.Fprintln(w, "event", i)
			w.(http.Flusher).Flush()
			select {
			case <-seen:
			case <-r.Context().Done():
				return
			}
		}
	}))
	for _, c := range []*http.Client{f.h11, f.h2c} {
		for _, path := range []string{"/m/", "/n/"} {
			r, _ := http.NewRequest("GET", "http://"+f.at+path, nil)
			r.Header.Set("Accept-Encoding", "gzip")
			a, err := c.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			z, err := gzip.NewReader(a.Body)
			if err != nil {
				t.Fatal(err)
			}
			in := bufio.NewReader(z)
			for i := range 5 {
				if line, err := in.ReadString('\n'); line != fmt.Sprintf("event %d\n", i) {
					t.Fatal(path, line, err)
				}
				seen <- true
			}
			if rest, err := io.ReadAll(in); len(rest) > 0 || err != nil {
				t.Error(path, rest, err)
			}
			a.Body.Close()
		}
	}
}

// TestFilterBrokenBody: a body that breaks off does not look whole behind a filter.
func TestFilterBrokenBody(t *testing.T) {
	f := newFilterRig(t, "SetOutputFilter PACK\nProxyPass /m http://MEMBER\n", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, lines)
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}))
	for _, c := range []*http.Client{f.h11, f.h2c} {
		r, _ := http.NewRequest("GET", "http://"+f.at+"/m/", nil)
		r.Header.Set("Accept-Encoding", "gzip")
		a, err := c.Do(r)
		if err != nil {
			continue // nothing was sent yet
		}
		if _, err := io.ReadAll(a.Body); err == nil && a.StatusCode == 200 {
			t.Error("the body seemed whole")
		}
		a.Body.Close()
	}
}

// TestFilterMemory: a filter holds a piece of a body, however long that is and however slowly it is read.
func TestFilterMemory(t *testing.T) {
	chunk := make([]byte, 64<<10)
	for i := range chunk {
		chunk[i] = byte(rand.Uint32())
	}
	f := newFilterRig(t, "SetOutputFilter PACK\nProxyPass /m http://MEMBER\n", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for range 160 {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}))
	r, _ := http.NewRequest("GET", "http://"+f.at+"/m/", nil)
	r.Header.Set("Accept-Encoding", "gzip")
	a, err := f.h11.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	io.CopyN(io.Discard, a.Body, 1<<20)
	held := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := held()
	n, err := io.Copy(io.Discard, a.Body)
	if after := held(); err != nil || n < 8<<20 || after > before+2<<20 {
		t.Errorf("%d bytes more, %v; %d bytes held, then %d", n, err, before, after)
	}
}

// TestInputFilter: a member gets the request's body as the filter made it, with its length if the client
// told one.
func TestInputFilter(t *testing.T) {
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		w.Header().Set("X-Saw", fmt.Sprint(r.ContentLength, " ", r.Header.Get("Content-Encoding"), " ", err))
		w.Write(b)
	})
	f := newFilterRig(t, "SetInputFilter UNPACK\nProxyPass /m http://MEMBER\nProxyPass /n h2c://MEMBER\nProxyPass /unknown http://MEMBER\nProxyPass /unknown2 h2c://MEMBER\n", echo)
	long := strings.Repeat(lines, 20)
	for _, c := range []*http.Client{f.h11, f.h2c} {
		for _, path := range []string{"/m/", "/n/", "/unknown/", "/unknown2/"} {
			for _, text := range []string{"short", lines, long} {
				g := f.do(c, "POST", path, packed(text), "Content-Encoding", "gzip")
				if g.StatusCode != 200 || g.body != text || !strings.HasSuffix(g.Header.Get("X-Saw"), "  <nil>") {
					t.Errorf("%s, %d bytes: %d, %d bytes, %s", path, len(text), g.StatusCode, len(g.body), g.Header.Get("X-Saw"))
				}
				if path == "/m/" && g.Header.Get("X-Saw") != fmt.Sprint(len(text), "  <nil>") {
					t.Errorf("%d bytes: the member saw %s", len(text), g.Header.Get("X-Saw"))
				}
			}
			if g := f.do(c, "POST", path, "as it is"); g.body != "as it is" || c == f.h11 && path == "/m/" && g.Header.Get("X-Saw") != "8  <nil>" {
				t.Errorf("%s without gzip: %d %q %s", path, g.StatusCode, g.body, g.Header.Get("X-Saw"))
			}
			if g := f.do(c, "POST", path, "this is no gzip at all", "Content-Encoding", "gzip"); g.StatusCode != 400 {
				t.Errorf("%s with other bytes: %d", path, g.StatusCode)
			}
			half := packed(lines)
			if g := f.do(c, "POST", path, half[:len(half)/2], "Content-Encoding", "gzip"); g.StatusCode != 400 {
				t.Errorf("%s broken off: %d", path, g.StatusCode)
			}
		}
	}
}

// TestInputFilterSlowClient: the member gets what the client has sent so far, through the filter.
func TestInputFilterSlowClient(t *testing.T) {
	arrived := make(chan string)
	f := newFilterRig(t, "SetInputFilter UNPACK\nProxyPass /m http://MEMBER\n", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		in := bufio.NewReader(r.Body)
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				break
			}
			if strings.HasPrefix(line, "mark") {
				arrived <- line
			}
		}
	}))
	r, w := io.Pipe()
	q, _ := http.NewRequest("POST", "http://"+f.at+"/m/", r)
	q.Header.Set("Content-Encoding", "gzip")
	answered := make(chan error)
	go func() {
		a, err := f.h11.Do(q)
		if err == nil {
			a.Body.Close()
		}
		answered <- err
	}()
	z := gzip.NewWriter(w)
	for i := range 3 { // each longer than what is read before a member is asked
		io.WriteString(z, lines)
		fmt.Fprintln(z, "mark", i)
		z.Flush()
		select {
		case got := <-arrived:
			if got != fmt.Sprintf("mark %d\n", i) {
				t.Fatal(got)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("the member did not get what was sent")
		}
	}
	z.Close()
	w.Close()
	if err := <-answered; err != nil {
		t.Error(err)
	}
}

// TestFilterTrailers: the fields behind a member's body come behind what a filter made of it.
func TestFilterTrailers(t *testing.T) {
	f := newFilterRig(t, "SetOutputFilter PACK\nProxyPass /m h2c://MEMBER\n", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-Sum")
		io.WriteString(w, lines)
		w.Header().Set("X-Sum", "all")
	}))
	g := f.do(f.h2c, "GET", "/m/", "", "Accept-Encoding", "gzip")
	if g.body != lines || g.Header.Get("Content-Encoding") != "gzip" || g.Trailer.Get("X-Sum") != "all" {
		t.Errorf("%d bytes, %v, trailers %v", len(g.body), g.Header, g.Trailer)
	}
}

// TestFilterClientLeaves: who goes away in the middle of a filtered body ends it, and the member's.
func TestFilterClientLeaves(t *testing.T) {
	over := make(chan bool)
	f := newFilterRig(t, "SetOutputFilter PACK\nProxyPass /m http://MEMBER\nProxyPass /n h2c://MEMBER\n", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		chunk := make([]byte, 64<<10)
		for i := range chunk {
			chunk[i] = byte(rand.Uint32())
		}
		for {
			if _, err := w.Write(chunk); err != nil {
				over <- true
				return
			}
		}
	}))
	for _, c := range []*http.Client{f.h11, f.h2c} {
		for _, path := range []string{"/m/", "/n/"} {
			r, _ := http.NewRequest("GET", "http://"+f.at+path, nil)
			r.Header.Set("Accept-Encoding", "gzip")
			a, err := c.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			io.CopyN(io.Discard, a.Body, 1<<20)
			a.Body.Close()
			select {
			case <-over:
			case <-time.After(10 * time.Second):
				t.Fatal(path, "the member goes on")
			}
		}
	}
}
