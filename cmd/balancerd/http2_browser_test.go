package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"balancerd/testdata/chromium"
)

// webApp is a member of a page with fifty things on it, a form, downloads and a WebSocket.
type webApp struct {
	name   string
	begun  atomic.Int64 // endless downloads
	ended  atomic.Int64 // of them, those that were given up
	posted atomic.Int64 // bytes
}

// largeSize is of the download whose bytes are counted.
const largeSize = 32 << 20

func (a *webApp) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/":
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, fiftyThings())
	case strings.HasPrefix(r.URL.Path, "/thing/"):
		a.thing(w, r.URL.Path)
	case r.URL.Path == "/post":
		n, err := io.Copy(io.Discard, r.Body)
		a.posted.Add(n)
		fmt.Fprint(w, n, " ", err)
	case r.URL.Path == "/large":
		w.Header().Set("Content-Length", fmt.Sprint(largeSize))
		for piece := bytes.Repeat([]byte("0123456789abcdef"), 4<<10); ; {
			if _, err := w.Write(piece); err != nil {
				return
			}
		}
	case r.URL.Path == "/endless":
		a.begun.Add(1)
		for _, err := w.Write(make([]byte, 32<<10)); err == nil; _, err = w.Write(make([]byte, 32<<10)) {
		}
		a.ended.Add(1)
	case r.URL.Path == "/ws":
		echoFrames(w, r)
	default:
		fmt.Fprint(w, a.name)
	}
}

// fiftyThings is a page that loads as many: what a browser asks for first, and what it puts off.
func fiftyThings() string {
	var b strings.Builder
	b.WriteString("<!doctype html><title>things</title><link rel=icon href=/thing/0.svg>")
	for i := range 5 {
		fmt.Fprintf(&b, "<link rel=stylesheet href=/thing/%d.css><script src=/thing/%d.js></script><script src=/thing/%d.js async></script>", i, i, 10+i)
	}
	for i := range 35 {
		fmt.Fprintf(&b, "<img src=/thing/%d.svg fetchpriority=%s>", i, [...]string{"high", "low", "auto"}[i%3])
	}
	return b.String()
}

func (a *webApp) thing(w http.ResponseWriter, path string) {
	switch {
	case strings.HasSuffix(path, ".css"):
		w.Header().Set("Content-Type", "text/css")
		fmt.Fprintf(w, "body { color: black } /*%s*/", strings.Repeat("x", 30000))
	case strings.HasSuffix(path, ".js"):
		w.Header().Set("Content-Type", "text/javascript")
		fmt.Fprintf(w, "window.scripts = (window.scripts || 0) + 1 /*%s*/", strings.Repeat("x", 30000))
	default:
		w.Header().Set("Content-Type", "image/svg+xml")
		fmt.Fprintf(w, "<svg xmlns='http://www.w3.org/2000/svg' width='10' height='10'><!--%s--></svg>", strings.Repeat("x", 30000))
	}
}

// echoFrames sends each message of a WebSocket back (RFC 6455).
func echoFrames(w http.ResponseWriter, r *http.Request) {
	c, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer c.Close()
	switchToWebSocket(c, r, "")
	for {
		head, text, err := readFrame(rw.Reader)
		if err != nil {
			return
		}
		n := len(text)
		out := []byte{head, byte(n)}
		if n > 125 {
			out = binary.BigEndian.AppendUint64([]byte{head, 127}, uint64(n))
		}
		if _, err := c.Write(append(out, text...)); err != nil || head&15 == 8 {
			return
		}
	}
}

// readFrame reads a masked frame.
func readFrame(in *bufio.Reader) (head byte, text []byte, err error) {
	var b [14]byte
	if _, err = io.ReadFull(in, b[:2]); err != nil {
		return 0, nil, err
	}
	n, more := uint64(b[1]&127), map[byte]int{126: 2, 127: 8}[b[1]&127]
	if _, err = io.ReadFull(in, b[2:6+more]); err != nil {
		return 0, nil, err
	}
	switch more {
	case 2:
		n = uint64(binary.BigEndian.Uint16(b[2:]))
	case 8:
		n = binary.BigEndian.Uint64(b[2:])
	}
	text = make([]byte, min(n, 4<<20))
	_, err = io.ReadFull(in, text)
	for i := range text {
		text[i] ^= b[2+more+i%4]
	}
	return b[0], text, err
}

// evaluate is what a script makes of the page; it may be a promise.
func evaluate(t *testing.T, ctx context.Context, script string) string {
	t.Helper()
	got, err := chromedp.Run(ctx, chromedp.Evaluate[string](script, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%s: %v", script, err)
	}
	return got
}

// A browser uses a balancer's site by HTTP/2: a page of fifty things, a form, downloads whole and given up, a WebSocket on
// a stream; all of that goes on over a reload.
func TestHTTP2ByBrowser(t *testing.T) {
	ctx := chromium.Start(t, 2*time.Minute, chromedp.Flag("ignore-certificate-errors", true))
	p := newInstance(t)
	apps := make([]*webApp, 3)
	var members [3]string
	for i := range apps {
		apps[i] = &webApp{name: fmt.Sprint("m", i)}
		members[i] = serveBoth(t, apps[i])
	}
	p.certificate("localhost")
	p.conf("LoadModule ssl_module modules/mod_ssl.so\nLoadModule http2_module modules/mod_http2.so\nLoadModule proxy_http2_module modules/mod_proxy_http2.so\n" +
		"LoadModule proxy_wstunnel_module modules/mod_proxy_wstunnel.so\nProtocols h2 http/1.1\nH2WebSockets on\n" +
		"SSLEngine on\nSSLCertificateFile localhost.pem\nSSLCertificateKeyFile localhost.key\nCustomLog access.log \"%H %m %U %>s %X\"\n" +
		"ProxyPass /ws ws://" + members[0] + "/ws\n<Proxy balancer://b>\nBalancerMember http://" + members[0] + "\nBalancerMember http://" + members[1] +
		"\nBalancerMember h2c://" + members[2] + "\n</Proxy>\nProxyPass / balancer://b/\n")
	p.start()
	at := fmt.Sprintf("https://localhost:%d/", p.port)
	if err := chromedp.Do(ctx, chromedp.Navigate(at)); err != nil {
		t.Fatal(err)
	}

	t.Run("page", func(t *testing.T) {
		got := evaluate(t, ctx, `(async () => {
			await Promise.all([...document.images].map(i => i.decode()))
			const all = [...performance.getEntriesByType("resource"), ...performance.getEntriesByType("navigation")]
			return [all.length >= 51, [...new Set(all.map(e => e.nextHopProtocol))], window.scripts].join(" ")
		})()`)
		if got != "true h2 10" {
			t.Error(got)
		}
	})
	t.Run("form", func(t *testing.T) {
		got := evaluate(t, ctx, `fetch("/post", { method: "POST", body: new Uint8Array(5000000) }).then(r => r.text())`)
		if got != "5000000 <nil>" {
			t.Error(got)
		}
	})
	t.Run("download", func(t *testing.T) {
		got := evaluate(t, ctx, `fetch("/large").then(r => r.arrayBuffer()).then(b => b.byteLength + new TextDecoder().decode(b.slice(-4)))`)
		if got != fmt.Sprint(largeSize)+"cdef" {
			t.Error(got)
		}
	})
	t.Run("given up", func(t *testing.T) {
		got := evaluate(t, ctx, `(async () => {
			const stop = new AbortController(), taken = []
			for (let i = 0; i < 6; i++) {
				const reader = (await fetch("/endless", { signal: stop.signal })).body.getReader()
				taken.push((await reader.read()).value.length > 0)
			}
			stop.abort()
			return taken.join(" ") + " " + await (await fetch("/post", { method: "POST", body: "abc" })).text()
		})()`)
		if got != "true true true true true true 3 <nil>" {
			t.Error(got)
		}
		p.until("the members know", func() bool {
			begun, ended := int64(0), int64(0)
			for _, a := range apps {
				begun, ended = begun+a.begun.Load(), ended+a.ended.Load()
			}
			return begun == 6 && ended == 6
		})
	})
	const talk = `window.say = text => new Promise((done, failed) => {
		ws.onmessage = e => done(e.data)
		ws.onclose = ws.onerror = e => failed(new Error(e.type + " " + e.code))
		ws.send(text)
	});
	`
	t.Run("WebSocket and reload", func(t *testing.T) {
		got := evaluate(t, ctx, talk+`(async () => {
			window.ws = new WebSocket("wss://" + location.host + "/ws")
			await new Promise((done, failed) => { ws.onopen = done; ws.onerror = () => failed(new Error("not open")) })
			const long = "x".repeat(1000000)
			const last = await fetch("/thing/1.svg", { priority: "low" }).then(r => r.text())
			return [await say("hello"), await say(long) === long, last.length > 30000].join(" ")
		})()`)
		if got != "hello true true" {
			t.Fatal(got)
		}
		evaluate(t, ctx, `(async () => {
			window.slow = (await fetch("/large")).body.getReader()
			window.got = (await slow.read()).value.length
			return ""
		})()`)
		p.reload(syscall.SIGUSR1)
		got = evaluate(t, ctx, `(async () => {
			const said = await say("still there")
			for (let piece; !(piece = await slow.read()).done;) got += piece.value.length
			const names = await Promise.all([...Array(20).keys()].map(i => fetch("/name?" + i).then(r => r.text())))
			return [said, got, [...new Set(names)].sort(), await say("and now")].join(" ")
		})()`)
		if want := fmt.Sprintf("still there %d m0,m1,m2 and now", largeSize); got != want {
			t.Errorf("%q, want %q", got, want)
		}
		evaluate(t, ctx, `new Promise(done => { ws.onclose = e => done("" + e.code); ws.close(1000) })`)
	})
	p.until("the WebSocket's line", func() bool { return strings.Contains(p.read("access.log"), " /ws ") })
	log := p.read("access.log")
	if !strings.Contains(log, "HTTP/2.0 GET /ws 101 ") && !strings.Contains(log, "HTTP/2.0 GET /ws 200 ") {
		t.Errorf("no WebSocket on HTTP/2: %s", regexp.MustCompile(`(?m)^.* /ws .*$`).FindString(log))
	}
	if other := regexp.MustCompile(`(?m)^HTTP/1.*$`).FindString(log); other != "" {
		t.Error(other)
	}
	if bad := regexp.MustCompile(`(?m)^.*(:error\]|:crit\]|panic).*$`).FindString(p.read("error.log")); bad != "" {
		t.Error(bad)
	}
}
