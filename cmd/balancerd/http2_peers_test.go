package main

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"balancerd/testdata/ports"
)

// peer is a server of others that speaks HTTP/2 in clear text, with the files small and large.
type peer struct {
	name    string
	program string
	args    func(p *instance, port int) []string
}

// peers are those that run where they are installed.
var peers = []peer{
	{"nghttpd", "nghttpd", func(p *instance, port int) []string {
		return []string{"--no-tls", "-d", p.root + "/files", fmt.Sprint(port)}
	}},
	{"nginx", "nginx", func(p *instance, port int) []string {
		p.write("nginx.conf", fmt.Sprintf("daemon off; master_process off; pid {root}/nginx.pid; error_log {root}/nginx.err; events {}\n"+
			"http { access_log off; server { listen 127.0.0.1:%d http2; root {root}/files; } }\n", port))
		return []string{"-c", p.root + "/nginx.conf", "-e", p.root + "/nginx.err"}
	}},
	{"httpd", realHTTPD, func(p *instance, port int) []string {
		modules := ""
		for _, m := range []string{"mpm_event", "authz_core", "http2"} {
			modules += fmt.Sprintf("LoadModule %s_module /usr/lib/apache2/modules/mod_%[1]s.so\n", m)
		}
		p.write("peer.conf", fmt.Sprintf("ServerRoot {root}\nDefaultRuntimeDir {root}\nPidFile {root}/peer.pid\nErrorLog {root}/peer.err\nServerName localhost\n"+
			"Listen 127.0.0.1:%d\n%sProtocols h2c\nDocumentRoot {root}/files\n", port, modules))
		return []string{"-f", p.root + "/peer.conf", "-DFOREGROUND"}
	}},
}

// run starts it and waits until it accepts.
func (r peer) run(p *instance) (address string) {
	program, err := exec.LookPath(r.program)
	if err != nil {
		p.t.Skip(r.name, " is not installed")
	}
	port := ports.Reserve(p.t)
	cmd := exec.Command(program, r.args(p, port)...)
	dieWithUs(cmd)
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	address = fmt.Sprintf("127.0.0.1:%d", port)
	p.until(r.name+" accepts", func() bool { return accepts(address) })
	return address
}

// files are what the peers serve.
func (p *instance) files() (small, large []byte) {
	small, large = bytes.Repeat([]byte("s"), 1<<10), bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	os.MkdirAll(p.root+"/files", 0o755)
	os.WriteFile(filepath.Join(p.root, "files", "small"), small, 0o644)
	os.WriteFile(filepath.Join(p.root, "files", "large"), large, 0o644)
	return small, large
}

// Members of others are spoken to in HTTP/2: many at once, short and long.
func TestHTTP2MembersOfOthers(t *testing.T) {
	t.Parallel()
	for _, r := range peers {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			p := newInstance(t)
			small, large := p.files()
			address := r.run(p)
			good, bad := []string{"h2c://" + address + "/good hcmethod=GET hcuri=../small", "h2c://" + address + "/head hcmethod=HEAD hcuri=../large"}, []string{"h2c://" + address + "/bad hcmethod=GET hcuri=none"}
			p.conf("LoadModule proxy_http2_module modules/mod_proxy_http2.so\nProxyPass / h2c://" + address + "/\n" + checkedMembers("checked", good, bad))
			p.start()
			p.judged(good, bad)
			var wg sync.WaitGroup
			for i := range 20 {
				wg.Go(func() {
					name, want := "small", small
					if i%4 == 0 {
						name, want = "large", large
					}
					for range 5 {
						res, err := http.Get(p.url("/" + name))
						if err != nil {
							t.Error(err)
							return
						}
						body, err := io.ReadAll(res.Body)
						res.Body.Close()
						if err != nil || res.StatusCode != 200 || !bytes.Equal(body, want) {
							t.Errorf("%s: %s, %d bytes, %v", name, res.Status, len(body), err)
						}
					}
				})
			}
			wg.Wait()
			if code, _ := p.get("/missing"); code != 404 {
				t.Error(code)
			}
		})
	}
}

// Clients of others: h2load, nghttp and Go's, in clear text, to a member of HTTP/1 and one of HTTP/2.
func TestHTTP2ClientsOfOthers(t *testing.T) {
	t.Parallel()
	p := newInstance(t)
	back := serveBoth(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/plain")
		fmt.Fprintf(w, "%s %d x", r.Proto, n)
		if r.URL.RawQuery != "short" {
			w.Write(bytes.Repeat([]byte("x"), 49999))
		}
	}))
	p.conf("LoadModule http2_module modules/mod_http2.so\nLoadModule proxy_http2_module modules/mod_proxy_http2.so\nProtocols h2c http/1.1\n" +
		"ProxyPass /1/ http://" + back + "/\nProxyPass /2/ h2c://" + back + "/\n")
	p.start()
	upload := p.write("upload", strings.Repeat("u", 100000))
	t.Run("h2load", func(t *testing.T) {
		for _, path := range []string{"/1/x", "/2/x"} {
			out, err := exec.Command(installed(t, "h2load"), "-n", "400", "-c", "4", "-m", "20", p.url(path)).CombinedOutput()
			if err != nil || !regexp.MustCompile(`400 succeeded, 0 failed, 0 errored`).Match(out) || !bytes.Contains(out, []byte("status codes: 400 2xx")) {
				t.Errorf("%s: %v\n%s", path, err, out)
			}
			out, err = exec.Command(installed(t, "h2load"), "-n", "40", "-c", "2", "-m", "10", "-d", upload, p.url(path)).CombinedOutput()
			if err != nil || !bytes.Contains(out, []byte("40 succeeded, 0 failed")) {
				t.Errorf("%s: %v\n%s", path, err, out)
			}
		}
	})
	t.Run("nghttp", func(t *testing.T) {
		for path, want := range map[string]string{"/1/x": "HTTP/1.1 100000 x", "/2/x": "HTTP/2.0 100000 x"} {
			out, err := exec.Command(installed(t, "nghttp"), "-d", upload, p.url(path)).CombinedOutput()
			if err != nil || !bytes.HasPrefix(out, []byte(want)) {
				t.Errorf("%s: %v %.60s", path, err, out)
			}
		}
	})
	t.Run("by Upgrade", func(t *testing.T) {
		for path, want := range map[string]string{"/1/x": "HTTP/1.1 0 x", "/2/x": "HTTP/2.0 0 x"} {
			out, err := exec.Command(installed(t, "nghttp"), "-u", p.url(path), p.url(path)+"?2").CombinedOutput()
			if err != nil || bytes.Count(out, []byte(want)) != 2 || len(out) < 100000 {
				t.Errorf("%s: %v %.60s", path, err, out)
			}
			// curl 7.88 loses an answer of which more than 32 KiB have come together with the 101.
			out, err = exec.Command(installed(t, "curl"), "-s", "--http2", p.url(path)+"?short", p.url(path)+"?short").CombinedOutput()
			if err != nil || bytes.Count(out, []byte(want)) != 2 {
				t.Errorf("%s: %v %.60s", path, err, out)
			}
		}
	})
	t.Run("Go's", func(t *testing.T) {
		tr := &http.Transport{Protocols: new(http.Protocols)}
		tr.Protocols.SetUnencryptedHTTP2(true)
		defer tr.CloseIdleConnections()
		c := http.Client{Transport: tr, Timeout: 30 * time.Second}
		var wg sync.WaitGroup
		for i := range 40 {
			wg.Go(func() {
				path, want := "/1/x", "HTTP/1.1 70000 x"
				if i%2 == 0 {
					path, want = "/2/x", "HTTP/2.0 70000 x"
				}
				res, err := c.Post(p.url(path), "text/plain", bytes.NewReader(make([]byte, 70000)))
				if err != nil {
					t.Error(err)
					return
				}
				body, err := io.ReadAll(res.Body)
				res.Body.Close()
				if err != nil || !bytes.HasPrefix(body, []byte(want)) {
					t.Errorf("%s: %v %.60s", path, err, body)
				}
			})
		}
		wg.Wait()
	})
}

// installed is a program's path.
func installed(t *testing.T, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Skip(program, " is not installed")
	}
	return path
}

// A WebSocket on a stream of HTTP/2 reaches a member of HTTP/1.1 as an upgrade (RFC 8441), by scheme and by upgrade=.
func TestWebSocketOnHTTP2(t *testing.T) {
	t.Parallel()
	p := newInstance(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serveEach(t, l, echoSocket)
	p.conf("LoadModule http2_module modules/mod_http2.so\nLoadModule proxy_wstunnel_module modules/mod_proxy_wstunnel.so\nProtocols h2c http/1.1\nH2WebSockets on\n" +
		"ProxyPass /ws/ ws://" + l.Addr().String() + "/a/\nProxyPass /up/ http://" + l.Addr().String() + "/b/ upgrade=websocket\n" +
		"LogFormat \"%r|%>s\" short\nCustomLog access.log short\n")
	p.start()
	for _, path := range []string{"/ws/x", "/up/x"} {
		u, _ := url.Parse(p.url(path))
		c, err := net.Dial("tcp", u.Host)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(20 * time.Second))
		io.WriteString(c, http2.ClientPreface)
		fr := framer(c)
		fr.WriteSettings(noPush)
		fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true, BlockFragment: block([]string{":method", "CONNECT", ":protocol", "websocket",
			":scheme", "http", ":authority", u.Host, ":path", path, "sec-websocket-version", "13", "sec-websocket-protocol", "chat"})})
		fr.WriteData(1, false, []byte("hello"))
		status, got := "", ""
		for !strings.HasSuffix(got, "bye") {
			f, err := fr.ReadFrame()
			if err != nil {
				t.Fatal(path, err, status, got)
			}
			switch f := f.(type) {
			case *http2.MetaHeadersFrame:
				status = f.PseudoValue("status")
			case *http2.DataFrame:
				if got += string(f.Data()); strings.HasSuffix(got, "hello") {
					fr.WriteData(1, true, []byte("bye"))
				}
			}
		}
		if want := "/" + map[string]string{"/ws/x": "a", "/up/x": "b"}[path] + "/x chat:hellobye"; status != "200" || got != want {
			t.Errorf("%s: %s %q, want %q", path, status, got, want)
		}
	}
	p.until("both are logged", func() bool { return strings.Count(p.read("access.log"), "/x HTTP/2.0|101") == 2 })
}

// echoSocket is a member that says who it is, and then what it hears.
func echoSocket(c net.Conn) {
	in := bufio.NewReader(c)
	r, err := http.ReadRequest(in)
	if err != nil || r.Header.Get("Upgrade") != "websocket" {
		return
	}
	switchToWebSocket(c, r, fmt.Sprintf("%s %s:", r.URL.Path, r.Header.Get("Sec-WebSocket-Protocol")))
	io.Copy(c, in)
}

// switchToWebSocket is a server's answer to a request for a WebSocket (RFC 6455 section 4.2.2), in one piece with the first bytes on it.
func switchToWebSocket(c net.Conn, r *http.Request, first string) {
	sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	fmt.Fprintf(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n%s", base64.StdEncoding.EncodeToString(sum[:]), first)
}
