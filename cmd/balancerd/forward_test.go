package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"
)

const forwardModules = "LoadModule proxy_connect_module modules/mod_proxy_connect.so\nLoadModule authz_host_module modules/mod_authz_host.so\n"

// TestForwardProxy: an office's proxy beside what this server proxies itself. A real client goes through it, by GET and by
// CONNECT; what is closed stays closed, its own address too.
func TestForwardProxy(t *testing.T) {
	p := newInstance(t)
	_, memberPort, _ := net.SplitHostPort(p.back)
	p.conf(forwardModules + "ProxyRequests On\nAllowCONNECT " + memberPort + " {port}\nProxyPass /own http://{back}/passed\n<Proxy *>\nRequire ip 127.0.0.1\n</Proxy>\n<ProxyMatch /closed>\nRequire all denied\n</ProxyMatch>\nErrorDocument 403 /own/denied\n")
	p.start()
	proxy, _ := url.Parse(p.url(""))
	client := http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(proxy)}, Timeout: 20 * time.Second}
	for path, want := range map[string]string{"/a%20b": "200 member /a b", "/closed": "200 member /passed/denied", "/own": "200 member /own"} {
		r, err := client.Get("http://" + p.back + path)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(r.Body)
		r.Body.Close()
		if got := fmt.Sprint(r.StatusCode, " ", string(b)); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	if status, body := p.get("/own/x"); status != 200 || body != "member /passed/x" {
		t.Error(status, body)
	}
	for target, want := range map[string]string{p.back: "HTTP/1.0 200 Connection Established", "127.0.0.1:1": "HTTP/1.1 403 Proxy Error", fmt.Sprint("127.0.0.1:", p.port): "HTTP/1.1 403 Proxy Error", fmt.Sprint("0.0.0.0:", p.port): "HTTP/1.1 403 Proxy Error", "127.0.0.1": "HTTP/1.1 400 Bad Request"} {
		nc, err := net.Dial("tcp", proxy.Host)
		if err != nil {
			t.Fatal(err)
		}
		nc.SetDeadline(time.Now().Add(20 * time.Second))
		fmt.Fprintf(nc, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\nGET /early HTTP/1.1\r\nHost: e\r\nConnection: close\r\n\r\n", target, target)
		r := bufio.NewReader(nc)
		line, _ := r.ReadString('\n')
		if strings.TrimSpace(line) != want {
			t.Errorf("CONNECT %s: %s, want %s", target, line, want)
		}
		if strings.Contains(line, " 200 ") {
			if rest, _ := io.ReadAll(r); !strings.HasSuffix(string(rest), "member /early") {
				t.Errorf("%q came through the tunnel", rest)
			}
		}
		nc.Close()
	}
}

// What httpd 2.4.71 answered to requests in absolute form: paths of all kinds, hosts that lack a domain, Max-Forwards.
func TestForwardRequests(t *testing.T) {
	p := newInstance(t)
	p.conf(forwardModules + "ProxyRequests On\nProxyDomain .office.invalid\n<Proxy *>\nRequire ip 127.0.0.1\n</Proxy>\n")
	p.start()
	for _, c := range []struct{ method, url, forwards, want string }{
		{"GET", "http://{}/a%20b", "", "200 "}, {"GET", "http://{}", "", "200 "}, {"OPTIONS", "http://{}", "", "200 "}, {"GET", "http://{}/%zz", "", "400 "}, {"GET", "http://{}/../x", "", "400 "}, {"GET", "http://{}/%2e%2e/x", "", "400 "},
		{"GET", "http://{}?q", "", "400 "}, {"OPTIONS", "http://{}?q", "", "400 "}, {"GET", "http://{}/x?%zz", "", "200 "},
		{"GET", "http://wiki:81/%41/../b//c?q=%zz", "", "301 http://wiki.office.invalid:81/b/c?q=%zz"}, {"HEAD", "http://wiki", "", "301 http://wiki.office.invalid"}, {"GET", "http://wiki?q", "", "301 http://wiki.office.invalid?q"},
		{"GET", "http://wiki/x", "1", "301 http://wiki.office.invalid/x"}, {"GET", "http://wiki/x", "0", "400 "}, {"HEAD", "http://wiki/x", "x", "400 "}, {"GET", "http://wiki/x", "-1", "400 "},
		{"GET", "http://wiki:80/x", "", "301 http://wiki.office.invalid/x"}, {"GET", "http://wiki:/x", "", "301 http://wiki.office.invalid/x"}, {"GET", "https://wiki:443/x", "", "301 https://wiki.office.invalid/x"}, {"GET", "http://wiki:443/x", "", "301 http://wiki.office.invalid:443/x"}, {"GET", "foo://wiki:80/x", "", "301 foo://wiki.office.invalid:80/x"},
		{"OPTIONS", "http://wiki", " ", "200 "}, {"GET", "http://wiki", " ", "400 "}, {"TRACE", "http://wiki", " ", "200 "}, {"OPTIONS", "http://wiki", "0", "200 "}, {"OPTIONS", "http://wiki?q", "0", "200 "}, {"POST", "http://wiki.invalid/x", "", "500 "},
	} {
		nc, err := net.Dial("tcp", fmt.Sprint("127.0.0.1:", p.port))
		if err != nil {
			t.Fatal(err)
		}
		nc.SetDeadline(time.Now().Add(20 * time.Second))
		target := strings.ReplaceAll(c.url, "{}", p.back)
		fmt.Fprintf(nc, "%s %s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n", c.method, target)
		if c.forwards != "" {
			fmt.Fprintf(nc, "Max-Forwards: %s\r\n", c.forwards)
		}
		io.WriteString(nc, "\r\n")
		r, err := http.ReadResponse(bufio.NewReader(nc), &http.Request{Method: c.method})
		if err != nil {
			t.Fatal(c, err)
		}
		if got := fmt.Sprint(r.StatusCode, " ", r.Header.Get("Location")); got != c.want {
			t.Errorf("%s %s, Max-Forwards %q: %s, want %s", c.method, c.url, c.forwards, got, c.want)
		}
		nc.Close()
	}
}

// Whose a URL is, and what httpd 2.4.71 answered to URLs without a host, with and without a scheme that somebody serves. The main
// server has a URL without a host, and names only with the port of its ServerName; a virtual host has no URL without a host.
func TestWhoseURL(t *testing.T) {
	p := newInstance(t)
	member, port, _ := net.SplitHostPort(p.back)
	p.conf(forwardModules + "ProxyRequests On\nServerName main.invalid\nProxyPass /own http://{back}/own\n<Proxy *>\nRequire ip 127.0.0.1\n</Proxy>\n" +
		"<VirtualHost *:{port}>\nServerName v.invalid\nServerAlias a.invalid\n</VirtualHost>\n<VirtualHost *:{port}>\nServerName w.invalid:80\n</VirtualHost>\n")
	p.start()
	for target, want := range map[string]int{
		"http:/own": 400, "http:": 400, "https:/own": 400, "http:?q": 400, "ws:/x": 400, "ajp:/x": 400, "balancer:/x": 400, "http:own": 400,
		"foo:/x": 500, "foo:": 500, "foo://": 500, "foo:///x": 500, "foo://?q": 500, "foo:?q": 500, "unix:/x": 500, "file:///etc/passwd": 500, "foo:x": 400,
		"http:///own": 400, "http://": 400, "http://:80/own": 400, "http://:/own": 500, "http://?q": 500, "ajp:///x": 400, "balancer:///x": 400, "fcgi:///x": 400, "h2:///x": 400, "scgi:/x": 400,
		"http://v.invalid/own": 500, "http://v.invalid:80/own": 500, "http://a.invalid/own": 500, "http://w.invalid/own": 200, "http://w.invalid:/own": 200, "http://w.invalid:81/own": 500,
		"http://" + member + ":0" + port + "/x": 200, "http://" + member + ":000000" + port + "/x": 200, "http://" + member + ":0000065536/x": 400, "https://" + p.back + "/x": 500,
	} {
		if got := p.absolute(target, "v.invalid"); got != want {
			t.Errorf("%s: %d, want %d", target, got, want)
		}
	}
	log := p.read("error.log")
	for _, line := range []string{
		"AH01083: error parsing URL http:/own: Malformed URL", "AH01083: error parsing URL http://: Invalid host/port", "AH01083: error parsing URL http://:80: Invalid host/port",
		"[proxy_ajp:error]", "AH00867: error parsing URL /x: Malformed URL", "AH00867: error parsing URL //: Invalid host/port", "AH01157: error parsing URL /x: Malformed URL", "AH01157: error parsing URL //: Invalid host/port",
		"AH01059: error parsing URL //: Invalid host/port", "AH03350: error parsing URL //: Invalid host/port", "AH00857: error parsing URL /x: Malformed URL",
		"(EAI 2)Name or service not known: ", "AH00898: DNS lookup failure for:  returned by http://?q", "valid for the URL foo:///x (scheme 'foo')", "valid for the URL foo: (scheme 'foo')",
		"[remote " + p.back + "] AH01961:  failed to enable ssl support [Hint: if using mod_ssl, see SSLProxyEngine]",
	} {
		if !strings.Contains(log, line) {
			t.Error("no line: ", line)
		}
	}
	p.conf(forwardModules + "ProxyRequests On\nServerName main.invalid:80\nProxyPass /own http://{back}/own\n<Proxy *>\nRequire ip 127.0.0.1\n</Proxy>\n")
	p.reload(syscall.SIGUSR1)
	for target, want := range map[string]int{"http:/own": 400, "http:///own": 200, "http://:80/own": 200, "http://:/own": 200, "http://:1/own": 200, "http://main.invalid/own": 200, "http://MAIN.invalid:/own": 200, "http://main.invalid:81/own": 500} {
		if got := p.absolute(target, "h"); got != want {
			t.Errorf("main server, %s: %d, want %d", target, got, want)
		}
	}
}

// absolute is the status of the answer to GET of a target as it is.
func (p *instance) absolute(target, host string) int {
	nc, err := net.Dial("tcp", fmt.Sprint("127.0.0.1:", p.port))
	if err != nil {
		p.t.Fatal(err)
	}
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(20 * time.Second))
	fmt.Fprintf(nc, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", target, host)
	r, err := http.ReadResponse(bufio.NewReader(nc), nil)
	if err != nil {
		p.t.Fatal(target, err)
	}
	return r.StatusCode
}

// For SetEnvIf a forward request's URI is the whole URL, and a handler that [H=] names does not take a proxied request away (httpd 2.4.71).
func TestProxiedForOthers(t *testing.T) {
	p := newInstance(t)
	p.conf(forwardModules + "LoadModule setenvif_module modules/mod_setenvif.so\nLoadModule headers_module modules/mod_headers.so\nLoadModule rewrite_module modules/mod_rewrite.so\nProxyRequests On\nProxyPass /own http://{back}/own\n" +
		"SetEnvIf Request_URI (.*) U=$1\nSetEnvIfExpr \"%{REQUEST_URI} =~ /(.*)/\" E=$1\nHeader always set X-Uri \"%{U}e %{E}e\"\n<Proxy *>\nRequire ip 127.0.0.1\nRewriteEngine On\nRewriteRule . - [H=server-status]\n</Proxy>\n")
	p.start()
	proxy, _ := url.Parse(p.url(""))
	for _, c := range []struct {
		client           http.Client
		ask, uri, answer string
	}{
		{http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(proxy)}}, "http://" + p.back + "/x?a=b", "http://" + p.back + "/x?a=b http://" + p.back + "/x?a=b", "member /x"},
		{http.Client{}, p.url("/own/%78?a=b"), "/own/%78 /own/%78", "member /own/x"},
	} {
		c.client.Timeout = 20 * time.Second
		r, err := c.client.Get(c.ask)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(r.Body)
		r.Body.Close()
		if r.Header.Get("X-Uri") != c.uri || string(b) != c.answer {
			t.Errorf("%s: URI %q, answer %q", c.ask, r.Header.Get("X-Uri"), b)
		}
	}
}

// By another proxy, the client reads that one's answer to CONNECT, and what comes through its tunnel.
func TestConnectByARemote(t *testing.T) {
	for _, answer := range []string{"HTTP/1.1 200 Granted by me\r\nVia: 1.0 far\r\n\r\nbytes of the target", "HTTP/1.1 407 Who are you\r\nProxy-Authenticate: Basic realm=x\r\nContent-Length: 2\r\n\r\nno", "junk"} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		got := make(chan string, 1)
		go func() {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			defer nc.Close()
			in := bufio.NewReader(nc)
			var head strings.Builder
			for line := ""; line != "\r\n" && err == nil; head.WriteString(line) {
				line, err = in.ReadString('\n')
			}
			io.WriteString(nc, answer)
			early := make([]byte, len("hello"))
			io.ReadFull(in, early)
			got <- head.String() + string(early)
		}()
		p := newInstance(t)
		p.conf(forwardModules + "ProxyRequests On\nAllowCONNECT 1\nProxyRemote * http://" + l.Addr().String() + "\n<Proxy *>\nRequire ip 127.0.0.1\n</Proxy>\n")
		p.start()
		proxy, _ := url.Parse(p.url(""))
		nc, err := net.Dial("tcp", proxy.Host)
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		nc.SetDeadline(time.Now().Add(20 * time.Second))
		io.WriteString(nc, "CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\nhello")
		if b, err := io.ReadAll(nc); err != nil || string(b) != answer {
			t.Errorf("the client reads %q, %v; want %q", b, err, answer)
		}
		if head := <-got; !strings.HasPrefix(head, "CONNECT 127.0.0.1:1 HTTP/1.0\r\nProxy-agent: ") || !strings.HasSuffix(head, "\r\n\r\nhello") {
			t.Errorf("the other proxy reads %q", head)
		}
	}
}

// An open proxy is refused at the start, with the way out.
func TestOpenProxyIsRefused(t *testing.T) {
	for conf, open := range map[string]bool{
		"ProxyRequests On": true,
		"ProxyRequests On\n<Proxy http://x/>\nRequire all denied\n</Proxy>":                                               true,
		"ProxyRequests On\n<Proxy *>\nRequire ip 127.0.0.1\n</Proxy>":                                                     false,
		"ProxyRequests On\nProxyBlock *":                                                                                  false,
		"Define BALANCERD_OPEN_PROXY\nProxyRequests On":                                                                   false,
		"<VirtualHost *>\nProxyRequests On\n</VirtualHost>":                                                               true,
		"ProxyRequests On\n<VirtualHost *>\nProxyRequests Off\n</VirtualHost>\n<Proxy *>\nRequire ip 127.0.0.1\n</Proxy>": false,
	} {
		p := newInstance(t)
		exit, _, errs := p.run("-t", "-f", p.conf(forwardModules+conf))
		if refused := exit != 0; refused != open || open && !strings.Contains(errs, "makes this server a proxy for everybody\nhint: <Proxy \"*\"> with Require in it") {
			t.Errorf("%s: %d %s", conf, exit, errs)
		}
	}
}
