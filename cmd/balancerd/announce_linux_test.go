package main

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"balancerd/testdata/ports"
)

// announcedPeers are servers that take the PROXY header and answer with the client that they see.
var announcedPeers = []struct {
	name   string
	scheme string
	start  func(p *instance, port int)
}{
	{"HAProxy", "http", func(p *instance, port int) {
		p.write("haproxy.cfg", fmt.Sprintf("defaults\n mode http\n timeout client 30s\n timeout connect 5s\n timeout server 30s\nfrontend f\n bind 127.0.0.1:%d accept-proxy\n"+
			" http-request return status 200 content-type text/plain lf-string %%[src]:%%[src_port]\n", port))
		p.launch("haproxy", "-db", "-f", p.root+"/haproxy.cfg")
	}},
	{"nginx", "http", func(p *instance, port int) { p.nginxSeeing(fmt.Sprintf("listen 127.0.0.1:%d proxy_protocol;", port)) }},
	{"nginx by TLS", "https", func(p *instance, port int) {
		p.certificate("peer")
		p.nginxSeeing(fmt.Sprintf("listen 127.0.0.1:%d ssl proxy_protocol; ssl_certificate {root}/peer.pem; ssl_certificate_key {root}/peer.key;", port))
	}},
	{"nginx by HTTP/2", "h2c", func(p *instance, port int) {
		p.nginxSeeing(fmt.Sprintf("listen 127.0.0.1:%d http2 proxy_protocol;", port))
	}},
	{"httpd", "http", func(p *instance, port int) {
		p.write("peer.conf", seeing(fmt.Sprintf("127.0.0.1:%d", port), "mpm_event", "peer"))
		p.launch(realHTTPD, "-f", p.root+"/peer.conf", "-DFOREGROUND")
	}},
	{"balancerd", "http", func(p *instance, port int) {
		p.write("peer.conf", seeing(fmt.Sprintf("127.0.0.1:%d", port), "mpm_event", "peer"))
		p.launch(p.binary, "-f", p.root+"/peer.conf", "-DFOREGROUND")
	}},
}

// nginxSeeing starts nginx with a server that shows the client of the PROXY header.
func (p *instance) nginxSeeing(listen string) {
	p.write("nginx.conf", "daemon off; master_process off; pid {root}/nginx.pid; events {}\nhttp { access_log off; server { "+listen+
		" location / { return 200 $proxy_protocol_addr:$proxy_protocol_port; } } }\n")
	p.launch("nginx", "-c", p.root+"/nginx.conf", "-e", p.root+"/nginx.err")
}

// seeing is the configuration of httpd, or of balancerd, with an error page that shows the client of the PROXY header,
// whose port no expression has.
func seeing(address, mpm, name string) string {
	text := "ServerRoot {root}\nDefaultRuntimeDir {root}\nPidFile {root}/" + name + ".pid\nErrorLog {root}/" + name + ".err\nServerName localhost\nListen " + address + "\n"
	for _, m := range []string{mpm, "authz_core", "remoteip", "alias", "headers"} {
		text += fmt.Sprintf("LoadModule %s_module /usr/lib/apache2/modules/mod_%[1]s.so\n", m)
	}
	return text + "RemoteIPProxyProtocol On\nRedirect 404 /\nErrorDocument 404 \"%{REMOTE_ADDR}\"\n"
}

// ownConnection is a client at an address with one connection that stays.
func ownConnection(t *testing.T, from string, port int) (ask func(path string) string, address string) {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	c, err := d.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	in := bufio.NewReader(c)
	return func(path string) string {
		c.SetDeadline(time.Now().Add(20 * time.Second))
		fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: h\r\n\r\n", path)
		r, err := http.ReadResponse(in, nil)
		if err != nil {
			return err.Error()
		}
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return err.Error()
		}
		return string(b)
	}, c.LocalAddr().String()
}

// Members of others, and balancerd itself, see each request's own client by proxyprotocol=, whoever else is served
// meanwhile.
func TestMembersSeeTheClient(t *testing.T) {
	t.Parallel()
	for _, r := range announcedPeers {
		for _, version := range []string{"v1", "v2"} {
			t.Run(r.name+" "+version, func(t *testing.T) {
				t.Parallel()
				p := newInstance(t)
				port := ports.Reserve(t)
				r.start(p, port)
				address := fmt.Sprintf("127.0.0.1:%d", port)
				p.until(r.name+" accepts", func() bool { return accepts(address) })
				p.conf("LoadModule ssl_module modules/mod_ssl.so\nLoadModule proxy_http2_module modules/mod_proxy_http2.so\nSSLProxyEngine On\nSSLProxyVerify none\n" +
					"SSLProxyCheckPeerName Off\nSSLProxyCheckPeerExpire Off\n<Proxy balancer://b>\nBalancerMember " + r.scheme + "://" + address + " proxyprotocol=" + version + "\n</Proxy>\n" +
					"ProxyPass / balancer://b/\n")
				p.start()
				p.eachIsSeen()
			})
		}
	}
}

// eachIsSeen has clients ask at a time, two from each of three addresses, on connections that stay; each must be told its own.
func (p *instance) eachIsSeen() {
	p.t.Helper()
	var all sync.WaitGroup
	for i := range 6 {
		ip := fmt.Sprint("127.0.0.", 10+i/2)
		ask, address := ownConnection(p.t, ip, p.port)
		all.Go(func() {
			for range 8 {
				if got := ask("/seen"); got != address && got != ip {
					p.t.Errorf("%s is seen as %q", address, got)
				}
			}
		})
	}
	all.Wait()
}

// A kept connection is the same client's: six clients with eight requests each open six, not 48.
func TestAnnouncedConnectionsAreUsedAgain(t *testing.T) {
	t.Parallel()
	p := newInstance(t)
	var mu sync.Mutex
	heads := map[string]int{}
	address := takingHeaders(t, func(head string, c net.Conn, in *bufio.Reader) {
		mu.Lock()
		heads[head]++
		mu.Unlock()
		for {
			q, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			q.Body.Close()
			said := strings.Fields(head)
			answer := said[2] + ":" + said[4]
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(answer), answer)
		}
	})
	p.conf("ProxyPass / http://" + address + "/ proxyprotocol=v1\n")
	p.start()
	p.eachIsSeen()
	mu.Lock()
	defer mu.Unlock()
	if len(heads) != 6 {
		t.Errorf("%d clients", len(heads))
	}
	for head, n := range heads {
		if n != 1 {
			t.Errorf("%d connections begin with %q", n, head)
		}
	}
}

// takingHeaders is a member that reads the PROXY header of version 1 of each connection, and hands the rest to serve.
func takingHeaders(t *testing.T, serve func(head string, c net.Conn, in *bufio.Reader)) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serveEach(t, l, func(c net.Conn) {
		in := bufio.NewReader(c)
		head, err := in.ReadString('\n')
		if err == nil {
			serve(strings.TrimSuffix(head, "\r\n"), c, in)
		}
	})
	return l.Addr().String()
}

// Each protocol begins behind the header; so do WebSockets and checks.
func TestTheHeaderGoesBeforeEachProtocol(t *testing.T) {
	t.Parallel()
	p := newInstance(t)
	type begin struct{ head, rest string }
	begins := make(chan begin, 100)
	address := takingHeaders(t, func(head string, c net.Conn, in *bufio.Reader) {
		c.SetReadDeadline(time.Now().Add(10 * time.Second))
		first, _ := in.Peek(4)
		begins <- begin{head, string(first)}
	})
	conf := "LoadModule ssl_module modules/mod_ssl.so\nSSLProxyEngine On\nLoadModule proxy_hcheck_module modules/mod_proxy_hcheck.so\nLoadModule watchdog_module modules/mod_watchdog.so\n"
	for _, m := range []string{"ajp", "fcgi", "scgi", "uwsgi", "http2", "wstunnel"} {
		conf += fmt.Sprintf("LoadModule proxy_%s_module modules/mod_proxy_%[1]s.so\n", m)
	}
	schemes := map[string]string{"http": "GET ", "https": "\x16\x03", "ajp": "\x12\x34", "fcgi": "\x01\x01", "scgi": "", "uwsgi": "\x00", "h2c": "PRI ", "h2": "\x16\x03", "ws": "GET ", "wss": "\x16\x03"}
	for s := range schemes {
		conf += "ProxyPass /" + s + "/ " + s + "://" + address + "/ proxyprotocol=v1 retry=0\n"
	}
	p.conf(conf)
	p.start()
	for s, want := range schemes {
		for len(begins) > 0 {
			<-begins
		}
		q, _ := http.NewRequest("GET", p.url("/"+s+"/"), nil)
		if s == "ws" || s == "wss" {
			q.Header.Set("Upgrade", "websocket")
			q.Header.Set("Connection", "Upgrade")
		}
		r, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{}}, Timeout: 20 * time.Second}).Do(q)
		if err != nil {
			t.Fatal(s, err)
		}
		r.Body.Close()
		select {
		case b := <-begins:
			if !strings.HasPrefix(b.head, "PROXY TCP4 127.0.0.1 127.0.0.1 ") || !strings.HasSuffix(b.head, fmt.Sprint(" ", p.port)) || !strings.HasPrefix(b.rest, want) || b.rest == "" {
				t.Errorf("%s: %q, then %q", s, b.head, b.rest)
			}
		case <-time.After(10 * time.Second):
			t.Errorf("%s: no connection with a header (answer %s)", s, r.Status)
		}
	}
}

// A health check speaks for the balancer itself.
func TestChecksAreAnnouncedAsOurs(t *testing.T) {
	t.Parallel()
	p := newInstance(t)
	heads := make(chan string, 100)
	address := takingHeaders(t, func(head string, c net.Conn, in *bufio.Reader) {
		select {
		case heads <- head:
		default:
		}
		fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	})
	p.conf("LoadModule proxy_hcheck_module modules/mod_proxy_hcheck.so\nLoadModule watchdog_module modules/mod_watchdog.so\n<Proxy balancer://b>\n" +
		"BalancerMember http://" + address + " proxyprotocol=v1 hcmethod=GET hcinterval=200ms\n</Proxy>\nProxyPass / balancer://b/\n")
	p.start()
	for range 2 {
		select {
		case head := <-heads:
			if head != "PROXY UNKNOWN" {
				t.Errorf("%q", head)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("no check")
		}
	}
}

// A reload that asks for a header, for another one, or for none is obeyed at once: no kept connection is used that began in
// another way. Members on unix sockets get it, too.
func TestHeadersAfterAReload(t *testing.T) {
	t.Parallel()
	p := newInstance(t)
	l, err := net.Listen("unix", p.root+"/member.sock")
	if err != nil {
		t.Fatal(err)
	}
	serveEach(t, l, func(c net.Conn) {
		in := bufio.NewReader(c)
		first, _ := in.Peek(6)
		begins := "nothing"
		switch {
		case string(first) == "PROXY ":
			begins = "v1"
			in.ReadString('\n')
		case strings.HasPrefix(string(first), "\r\n\r\n"):
			begins = "v2"
			in.Discard(28)
		}
		for {
			if _, err := http.ReadRequest(in); err != nil {
				return
			}
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(begins), begins)
		}
	})
	conf := func(word string) {
		p.conf("ProxyPass /plain unix:" + p.root + "/member.sock|http://h/ " + word + "\n<Proxy balancer://b>\nBalancerMember unix:" + p.root + "/member.sock|http://m/ " + word +
			"\n</Proxy>\nProxyPass /b balancer://b/\n")
	}
	conf("")
	p.start()
	ask, _ := ownConnection(t, "127.0.0.1", p.port)
	for i, c := range []struct{ word, want string }{{"", "nothing"}, {"proxyprotocol=v1", "v1"}, {"proxyprotocol=v2", "v2"}, {"proxyprotocol=off", "nothing"}} {
		if i > 0 {
			conf(c.word)
			p.reload(syscall.SIGUSR1)
			ask, _ = ownConnection(t, "127.0.0.1", p.port)
		}
		for _, path := range []string{"/plain/x", "/b/x", "/plain/y", "/b/y"} {
			if got := ask(path); got != c.want {
				t.Errorf("%s %s: %s, want %s", c.word, path, got, c.want)
			}
		}
	}
}
