package main

import (
	"balancerd/testdata/ports"
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// allProtocols is a configuration where every protocol comes in and goes out, with what reads and makes
// texts on the way. Members: plain and in TLS, each by HTTP/1.1 and by HTTP/2.
const allProtocols = `
LoadModule http2_module modules/mod_http2.so
LoadModule proxy_http2_module modules/mod_proxy_http2.so
LoadModule proxy_wstunnel_module modules/mod_proxy_wstunnel.so
LoadModule ssl_module modules/mod_ssl.so
LoadModule headers_module modules/mod_headers.so
LoadModule setenvif_module modules/mod_setenvif.so
LoadModule log_config_module modules/mod_log_config.so
Listen 127.0.0.1:{secure}
Protocols h2 h2c http/1.1
KeepAliveTimeout 60
MaxKeepAliveRequests 0
SSLProxyEngine On
SSLProxyVerify none
SSLProxyCheckPeerName Off
SSLProxyCheckPeerCN Off
SSLProxyCheckPeerExpire Off
ProxyPreserveHost On
SetEnvIf X-Id "(.*)" ID=$1
RequestHeader set X-Twice "%{ID}e %{ID}e"
Header set X-Noted "expr=%{req:X-Id} %{reqenv:ID}"
CustomLog access.log "%h %{X-Id}i %{ID}e %r %>s %{X-Id}o %{Host}i %q"
<Location "/">
<If "%{HTTP:X-Id} =~ /^id-(\d+)-/">
Header set X-Kind "matched"
</If>
</Location>
<Proxy balancer://plain>
BalancerMember http://{plain} route=a
BalancerMember http://localhost:{plainport} route=b
ProxySet stickysession=ROUTE
</Proxy>
ProxyPass /http balancer://plain
ProxyPass /https https://{tls}
ProxyPass /h2c h2c://{plain}
ProxyPass /h2 h2://{tls}
ProxyPass /ws ws://{plain}
<VirtualHost 127.0.0.1:{secure}>
ServerName localhost
SSLEngine On
SSLCertificateFile {pem}
SSLCertificateKeyFile {key}
ProxyPass /http balancer://plain
ProxyPass /https https://{tls}
ProxyPass /h2c h2c://{plain}
ProxyPass /h2 h2://{tls}
ProxyPass /ws ws://{plain}
</VirtualHost>
`

// textOf is a body that tells whose it is at each place.
func textOf(id string, size int) []byte {
	return bytes.Repeat([]byte(id+","), size/(len(id)+1)+1)[:size]
}

// loaded is a member: what it answers is made of the request's id, names of fields included.
func loaded(w http.ResponseWriter, r *http.Request) {
	id := r.Header.Get("X-Id")
	if r.Header.Get("Upgrade") != "" {
		echoLines(w, r)
		return
	}
	got, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	h := w.Header()
	h.Set("X-Id", id)
	h.Set("X-Of-"+id, id)
	h.Set("X-Twice", r.Header.Get("X-Twice"))
	h.Set("X-Target", r.RequestURI[strings.LastIndex(r.RequestURI, "/"):])
	h.Set("X-Host", r.Host)
	h.Set("X-Took", strconv.FormatBool(bytes.Equal(got, textOf(id, len(got))))+" "+strconv.Itoa(len(got)))
	size, _ := strconv.Atoi(r.URL.Query().Get("size"))
	if r.URL.Query().Get("chunked") == "" {
		h.Set("Content-Length", strconv.Itoa(size))
	}
	w.WriteHeader(200)
	if r.Method != "HEAD" {
		w.Write(textOf(id, size))
	}
}

// echoLines is a websocket as far as a proxy sees it.
func echoLines(w http.ResponseWriter, r *http.Request) {
	c, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer c.Close()
	io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: "+r.Header.Get("Upgrade")+"\r\nX-Of-"+r.Header.Get("X-Id")+": 1\r\n\r\n")
	for {
		line, err := rw.ReadString('\n')
		if err != nil {
			return
		}
		io.WriteString(c, line)
	}
}

// traffic sends requests and looks at what comes back.
type traffic struct {
	t     *testing.T
	next  atomic.Int64
	wrong atomic.Int64
	good  atomic.Int64

	mu   sync.Mutex
	kept map[string]bool // under mu: ids of requests that were answered
}

func (l *traffic) fail(format string, a ...any) {
	if l.wrong.Add(1) < 20 {
		l.t.Errorf(format, a...)
	}
}

func (l *traffic) id() string {
	return fmt.Sprintf("id-%d-%s", l.next.Add(1), strings.Repeat("x", rand.IntN(30)))
}

var loadSizes = []int{0, 0, 0, 1, 100, 5000, 16384, 70000, 300000}

// one is a request by a client, to a member of some protocol.
func (l *traffic) one(c *http.Client, base string) {
	id := l.id()
	sent, back := loadSizes[rand.IntN(len(loadSizes))], loadSizes[rand.IntN(len(loadSizes))]
	method := []string{"GET", "GET", "HEAD", "POST", "PUT"}[rand.IntN(5)]
	prefix := []string{"/http", "/https", "/h2c", "/h2"}[rand.IntN(4)]
	target := fmt.Sprintf("/%s?size=%d", id, back)
	if rand.IntN(2) == 0 {
		target += "&chunked=1"
	}
	var body io.Reader
	if method == "POST" || method == "PUT" {
		body = bytes.NewReader(textOf(id, sent))
	} else {
		sent = 0
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	gone := rand.IntN(20) == 0
	if gone { // a client that goes away somewhere on the way
		time.AfterFunc(time.Duration(rand.IntN(3000))*time.Microsecond, cancel)
	}
	r, _ := http.NewRequestWithContext(ctx, method, base+prefix+target, body)
	r.Host = fmt.Sprintf("h%d.test", rand.IntN(5))
	r.Header.Set("X-Id", id)
	r.AddCookie(&http.Cookie{Name: "ROUTE", Value: "s." + string("ab"[rand.IntN(2)])})
	res, err := c.Do(r)
	if err != nil {
		if !gone {
			l.fail("%s %s: %v sent %d %s", method, prefix, err, sent, c.Transport.(*http.Transport).Protocols)
		}
		return
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if gone {
		return
	}
	want := map[string]string{"X-Id": id, http.CanonicalHeaderKey("X-Of-" + id): id, "X-Twice": id + " " + id, "X-Target": target, "X-Host": r.Host,
		"X-Noted": id + " " + id, "X-Kind": "matched", "X-Took": "true " + strconv.Itoa(sent)}
	seen := map[string]string{}
	for name := range res.Header {
		if strings.HasPrefix(name, "X-") {
			seen[name] = res.Header.Get(name)
		}
	}
	if method == "HEAD" {
		back = 0
	}
	switch {
	case err != nil || res.StatusCode != 200:
		l.fail("%s %s%s by %s: %s %v", method, prefix, target, res.Proto, res.Status, err)
	case !maps.Equal(want, seen):
		l.fail("%s %s by %s: fields\n%v, want\n%v", method, prefix, res.Proto, seen, want)
	case !bytes.Equal(got, textOf(id, back)):
		l.fail("%s %s by %s: a body of %d bytes that is not %s's", method, prefix, res.Proto, len(got), id)
	default:
		l.good.Add(1)
		l.mu.Lock()
		l.kept[id] = true
		l.mu.Unlock()
	}
}

// talk is a websocket.
func (l *traffic) talk(address string) {
	c, err := net.Dial("tcp", address)
	if err != nil {
		l.fail("%v", err)
		return
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(20 * time.Second))
	id := l.id()
	fmt.Fprintf(c, "GET /ws/%s HTTP/1.1\r\nHost: h.test\r\nX-Id: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", id, id)
	r := bufio.NewReader(c)
	res, err := http.ReadResponse(r, nil)
	if err != nil || res.StatusCode != 101 || res.Header.Get("X-Of-"+id) != "1" {
		l.fail("websocket: %v %v", res, err)
		return
	}
	for i := range 20 {
		line := string(textOf(id+strconv.Itoa(i), 1+rand.IntN(40000))) + "\n"
		go io.WriteString(c, line)
		if got, err := r.ReadString('\n'); err != nil || got != line {
			l.fail("websocket: %d bytes that are not %d of message %d of %s: %v", len(got), len(line), i, id, err)
			return
		}
	}
	l.good.Add(1)
}

// members starts one member in clear text and one in TLS; each speaks HTTP/1.1 and HTTP/2.
func loadMembers(t *testing.T) (plain, secure string) {
	for _, in := range []bool{false, true} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		s := &http.Server{Handler: http.HandlerFunc(loaded), Protocols: new(http.Protocols)}
		s.Protocols.SetHTTP1(true)
		s.Protocols.SetHTTP2(true)
		s.Protocols.SetUnencryptedHTTP2(true)
		t.Cleanup(func() { s.Close() })
		if in {
			s.TLSConfig = &tls.Config{Certificates: []tls.Certificate{pkiPair(t, "member")}}
			secure = l.Addr().String()
			go s.ServeTLS(l, "", "")
		} else {
			plain = l.Addr().String()
			go s.Serve(l)
		}
	}
	return plain, secure
}

// loadClient is a client of one protocol, and what it speaks to.
type loadClient struct {
	base string
	set  func(*http.Protocols)
}

func (c *loadClient) client(t *testing.T) *http.Client {
	tr := &http.Transport{Protocols: new(http.Protocols), DisableCompression: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true, ServerName: "localhost"}}
	c.set(tr.Protocols)
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: 30 * time.Second}
}

// A load of all protocols, each request with texts of its own: nobody gets another one's, in answers or
// in logs. In a build with the tag poison what is given back too early is seen at once.
func TestLoadOfAllProtocols(t *testing.T) {
	p := newInstance(t)
	port := ports.Reserve(t)
	plain, secure := loadMembers(t)
	p.conf(strings.NewReplacer("{secure}", strconv.Itoa(port), "{plain}", plain, "{plainport}", plain[strings.LastIndexByte(plain, ':')+1:], "{tls}", secure, "{pem}", pki("site.pem"), "{key}", pki("site.key")).Replace(allProtocols))
	p.start()
	l := &traffic{t: t, kept: map[string]bool{}}
	each := 150
	if testing.Short() {
		each = 60
	}
	var over sync.WaitGroup
	front, secureFront := fmt.Sprint("http://127.0.0.1:", p.port), fmt.Sprint("https://127.0.0.1:", port)
	for _, kind := range []loadClient{
		{front, func(p *http.Protocols) { p.SetHTTP1(true) }}, {front, func(p *http.Protocols) { p.SetUnencryptedHTTP2(true) }},
		{secureFront, func(p *http.Protocols) { p.SetHTTP1(true) }}, {secureFront, func(p *http.Protocols) { p.SetHTTP2(true) }},
	} {
		c := kind.client(t)
		for range 8 {
			over.Go(func() {
				for range each {
					l.one(c, kind.base)
				}
			})
		}
	}
	for range 4 {
		over.Go(func() {
			for range each / 10 {
				l.talk(fmt.Sprint("127.0.0.1:", p.port))
			}
		})
	}
	over.Wait()
	if l.good.Load() < int64(each)*20 {
		t.Error(l.good.Load(), "answers were good, ", l.wrong.Load(), "not")
	}
	l.logs(p)
}

// logs looks at the lines: each answered request has one, with its id at three places.
func (l *traffic) logs(p *instance) {
	l.t.Helper()
	p.signal(syscall.SIGTERM)
	p.exit()
	lines := strings.Split(strings.TrimSpace(p.read("access.log")), "\n")
	for _, line := range lines {
		f := strings.Fields(line)
		if strings.Contains(line, `\xdb`) || strings.ContainsRune(line, 0xdb) || len(f) > 2 && f[1] != f[2] {
			l.fail("access log: %s", line)
		}
		if len(f) > 1 {
			delete(l.kept, f[1])
		}
	}
	if len(l.kept) > 0 {
		l.fail("%d answered requests have no line in the access log, such as %v", len(l.kept), slices.Sorted(maps.Keys(l.kept))[0])
	}
	for _, sign := range []string{`\xdb`, "\xdb", "AH00052", "AH00959", "panic"} {
		if log := p.read("error.log") + p.said.String(); strings.Contains(log, sign) {
			l.fail("the error log has %q", sign)
		}
	}
}
