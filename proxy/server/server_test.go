package server

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"weak"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/log/errorlog"
	"balancerd/proxy/mod/core"
	"balancerd/proxy/mod/mpm"
	"balancerd/proxy/site"
	"balancerd/testdata/ports"
)

// load is a site that answers with a word, and what became of it.
type load struct {
	site              *site.Site
	committed, closed atomic.Int32
	hold              chan struct{} // closed: answers to /hold go out
}

// answer is the module under test: every request gets the load's word.
func (l *load) answer(word string) site.Module {
	h := exchange.HandlerFunc(func(_ context.Context, x *exchange.Exchange) error {
		switch x.Req.Path {
		case "/hold":
			<-l.hold
		case "/tunnel":
			x.Res.Status, x.Res.Local, x.Res.Tunnel = 101, true, waiting{l.hold}
			return nil
		case "/panic":
			panic("on purpose")
		case "/unfit":
			x.Res.Header.Add("X-Unfit", "a\nb")
		}
		x.Res.Status = 200
		x.Res.Text(word)
		return nil
	})
	return site.Module{Name: "test", Open: func(_ *directive.Config, st *site.Site) (site.Builder, error) {
		st.OnCommit(func() { l.committed.Add(1) })
		st.OnClose(func() { l.closed.Add(1) })
		return func(_ []*directive.Scope, p *site.Plan) error {
			p.Handler = h
			return nil
		}, nil
	}}
}

// waiting is a tunnel that lasts until its channel is closed.
type waiting struct{ end chan struct{} }

func (w waiting) Join(exchange.Stream) { <-w.end }
func (w waiting) Close() error         { return nil }

func build(t *testing.T, dir, word, conf string) *load {
	t.Helper()
	text := "ServerName localhost\nErrorLog " + filepath.Join(dir, "error.log") + "\n" + conf
	tree, err := apacheconf.ParseText(filepath.Join(dir, "httpd.conf"), text, apacheconf.Options{ServerRoot: dir, Modules: directive.Catalog{}})
	if err != nil {
		t.Fatal(err)
	}
	l := &load{hold: make(chan struct{})}
	mods := []site.Module{core.Module(), mpm.Module(), errorlog.Module("error.log", "test"), l.answer(word)}
	c, err := directive.Bind(tree, directive.Options{}, site.Tables(mods)...)
	if err != nil {
		t.Fatal(err)
	}
	if l.site, err = site.Build(c, mods, site.Options{}); err != nil {
		t.Fatal(err)
	}
	return l
}

// rig is a server that runs until the test ends.
type rig struct {
	*Server
	loads int     // so far
	held  Sockets // that another process would hold
	t     *testing.T
	dir   string
	end   func()
}

func newRig(t *testing.T) *rig {
	r := &rig{Server: New(), t: t, dir: t.TempDir()}
	ctx, cancel := context.WithCancel(context.Background())
	var over sync.WaitGroup
	r.end = sync.OnceFunc(func() { cancel(); over.Wait() })
	started := make(chan struct{})
	over.Go(func() { close(started); r.Run(ctx) })
	<-started
	t.Cleanup(r.end)
	return r
}

func (r *rig) swap(word, conf string) *load {
	r.t.Helper()
	l := build(r.t, r.dir, word, conf)
	if err := r.load(l.site); err != nil {
		r.t.Fatal(err)
	}
	return l
}

// load opens sockets and swaps, as two processes do together.
func (r *rig) load(next *site.Site) error {
	next.Generation = r.loads
	opened, again, err := r.held.Open(next, func(a []string) error { r.Release(a); return nil })
	if err != nil {
		r.Resume(r.listeners(again))
		return err
	}
	if err := r.Server.Swap(next, r.listeners(opened)); err != nil {
		return err
	}
	r.held.Drop(next)
	r.loads++
	return nil
}

func (r *rig) listeners(fds map[string]int) map[string]*net.TCPListener {
	out := map[string]*net.TCPListener{}
	for a, fd := range fds {
		own, err := Duplicate(fd)
		if err != nil {
			r.t.Fatal(err)
		}
		if out[a], err = Listener(own); err != nil {
			r.t.Fatal(err)
		}
	}
	return out
}

// free is an address that is the test's until its end.
func free(t *testing.T) string {
	return fmt.Sprint("127.0.0.1:", ports.Reserve(t))
}

func ask(address, path string) string {
	c := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	r, err := c.Get("http://" + address + path)
	if err != nil {
		return "error"
	}
	defer r.Body.Close()
	b, _ := io.ReadAll(r.Body)
	return string(b)
}

func soon(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("not in ten seconds: ", what)
		}
	}
}

func TestTheNextSiteServesAndTheOldOneIsClosed(t *testing.T) {
	r := newRig(t)
	at := free(t)
	first := r.swap("first", "Listen "+at+"\n")
	if got := ask(at, "/"); got != "first" {
		t.Error(got)
	}
	soon(t, "the first exchange's end", func() bool { return r.Loads()[0].Exchanges == 0 })
	held := make(chan string)
	go func() { held <- ask(at, "/hold") }()
	soon(t, "the exchange", func() bool { return r.Loads()[0].Exchanges == 1 })
	socket := r.sockets[at]
	second := r.swap("second", "Listen "+at+"\n")
	if r.sockets[at] != socket {
		t.Error("an address that stays got another socket")
	}
	if got := ask(at, "/"); got != "second" {
		t.Error(got)
	}
	if first.committed.Load() != 1 || second.committed.Load() != 1 {
		t.Error("commits:", first.committed.Load(), second.committed.Load())
	}
	time.Sleep(60 * time.Millisecond)
	if l := r.Loads(); first.closed.Load() != 0 || len(l) != 2 || !l[1].Stopping || l[1].Exchanges != 1 || l[0].Generation != 1 || l[0].Stopping {
		t.Errorf("closed %d times with an exchange under way; loads %+v", first.closed.Load(), l)
	}
	close(first.hold)
	if got := <-held; got != "first" {
		t.Error("an exchange of before:", got)
	}
	soon(t, "the old site's end", func() bool { return first.closed.Load() == 1 && len(r.Loads()) == 1 })
	if r.Site() != second.site {
		t.Error("another site serves")
	}
	r.end()
	if second.closed.Load() != 1 || first.closed.Load() != 1 {
		t.Error("closed at the end:", first.closed.Load(), second.closed.Load())
	}
}

func TestASwapThatFailsChangesNothing(t *testing.T) {
	r := newRig(t)
	at, other := free(t), free(t)
	r.swap("old", "Listen "+at+"\n")
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	next := build(t, r.dir, "new", fmt.Sprintf("Listen %s\nListen %s\nListen %s\n", at, other, taken.Addr()))
	err = r.load(next.site)
	var l *ListenError
	if !errors.As(err, &l) || l.Message != "(98)Address already in use: AH00072: make_sock: could not bind to address "+taken.Addr().String()+"\n"+NoSockets {
		t.Error(err)
	}
	if next.committed.Load() != 0 || ask(at, "/") != "old" || ask(other, "/") != "error" {
		t.Error("something changed:", next.committed.Load(), ask(at, "/"), ask(other, "/"))
	}
	if err := r.load(build(t, r.dir, "none", "").site); err == nil || err.Error() != NoSockets {
		t.Error("no Listen:", err)
	}
}

func TestSocketsComeAndGo(t *testing.T) {
	r := newRig(t)
	a, b := free(t), free(t)
	r.swap("one", "Listen "+a+"\n")
	r.swap("two", "Listen "+a+"\nListen "+b+"\n")
	if ask(a, "/") != "two" || ask(b, "/") != "two" {
		t.Error("both:", ask(a, "/"), ask(b, "/"))
	}
	r.swap("three", "Listen "+b+"\n")
	if ask(a, "/") != "error" || ask(b, "/") != "three" {
		t.Error("b alone:", ask(a, "/"), ask(b, "/"))
	}
	_, port, _ := strings.Cut(b, ":")
	r.swap("four", "Listen "+port+"\n")
	if got := ask(b, "/"); got != "four" {
		t.Error("from an address to all of them:", got)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	next := build(t, r.dir, "five", "Listen "+b+"\nListen "+taken.Addr().String()+"\n")
	if err := r.load(next.site); err == nil {
		t.Error("a taken port")
	}
	if got := ask(b, "/"); got != "four" {
		t.Error("after a swap that failed half-way:", got)
	}
}

func TestAKeptConnectionGoesOverToTheNextSite(t *testing.T) {
	r := newRig(t)
	at := free(t)
	r.swap("one", "Listen "+at+"\n")
	c := http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}, Timeout: 10 * time.Second}
	get := func() string {
		res, err := c.Get("http://" + at + "/")
		if err != nil {
			return err.Error()
		}
		defer res.Body.Close()
		b, _ := io.ReadAll(res.Body)
		return string(b)
	}
	if got := get(); got != "one" {
		t.Error(got)
	}
	r.swap("two", "Listen "+at+"\n")
	if got := get(); got != "two" {
		t.Error(got)
	}
}

// A tunnel lasts over a reload, and holds nothing of the site that it began under but what its end needs: that
// closes only then.
func TestATunnelDoesNotHoldItsSite(t *testing.T) {
	r := newRig(t)
	at := free(t)
	freed := make(chan int, 1)
	r.OnFreed(func(g int) { freed <- g })
	first := r.swap("one", "Listen "+at+"\n")
	c, err := net.Dial("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "GET /tunnel HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
	line, err := bufio.NewReader(c).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "HTTP/1.1 101 ") {
		t.Fatal(line, err)
	}
	soon(t, "the tunnel", func() bool { return r.current.Load().tunnels.Load() == 1 })
	site := weak.Make(first.site)
	first.site = nil
	r.swap("two", "Listen "+at+"\n")
	if g := <-freed; g != 0 {
		t.Error("generation", g)
	}
	soon(t, "the old site's end in memory", func() bool { runtime.GC(); return site.Value() == nil })
	if l := r.Loads(); first.closed.Load() != 0 || len(l) != 2 || l[1].Exchanges != 1 {
		t.Errorf("closed %d times under a tunnel; loads %+v", first.closed.Load(), l)
	}
	if got := ask(at, "/"); got != "two" {
		t.Error(got)
	}
	close(first.hold)
	soon(t, "the old site's end", func() bool { return first.closed.Load() == 1 && len(r.Loads()) == 1 })
	if len(freed) != 0 {
		t.Error("freed twice")
	}
}

func TestDrain(t *testing.T) {
	r := newRig(t)
	at := free(t)
	l := r.swap("one", "Listen "+at+"\n")
	held := make(chan string)
	go func() { held <- ask(at, "/hold") }()
	soon(t, "the exchange", func() bool { return r.Loads()[0].Exchanges == 1 })
	drained := make(chan error)
	go func() { drained <- r.Drain(context.Background()) }()
	r.held.Close()
	soon(t, "the port is closed", func() bool {
		c, err := net.Dial("tcp", at)
		if err == nil {
			c.Close()
		}
		return err != nil
	})
	select {
	case <-drained:
		t.Error("drained with an exchange under way")
	case <-time.After(50 * time.Millisecond):
	}
	close(l.hold)
	if got := <-held; got != "one" {
		t.Error(got)
	}
	if err := <-drained; err != nil {
		t.Error(err)
	}
}

func TestSwapsUnderLoad(t *testing.T) {
	r := newRig(t)
	at := free(t)
	loads := []*load{r.swap("0", "Listen "+at+"\n")}
	ctx, stop := context.WithCancel(context.Background())
	var all sync.WaitGroup
	var served, failed atomic.Int64
	for range 4 {
		all.Go(func() {
			c := http.Client{Transport: &http.Transport{}, Timeout: 10 * time.Second}
			defer c.CloseIdleConnections()
			for ctx.Err() == nil {
				res, err := c.Get("http://" + at + "/")
				if err != nil || res.StatusCode != 200 {
					failed.Add(1)
					continue
				}
				io.Copy(io.Discard, res.Body)
				res.Body.Close()
				served.Add(1)
			}
		})
	}
	for i := range 30 {
		loads = append(loads, r.swap(fmt.Sprint(i+1), "Listen "+at+"\n"))
		time.Sleep(time.Millisecond)
	}
	stop()
	all.Wait()
	if failed.Load() > 0 || served.Load() == 0 {
		t.Errorf("%d served, %d failed", served.Load(), failed.Load())
	}
	soon(t, "all old sites are closed, once", func() bool {
		for _, l := range loads[:30] {
			if l.closed.Load() != 1 {
				return false
			}
		}
		return loads[30].closed.Load() == 0
	})
}

// A panic is a 500 and one line of the log; an answer that is replaced by a page is one exchange:
// neither keeps its generation from ending.
func TestPanicsAndReplacedAnswersEnd(t *testing.T) {
	r := newRig(t)
	at := free(t)
	first := r.swap("first", "Listen "+at+"\n")
	for _, path := range []string{"/panic", "/unfit"} {
		res, err := http.Get("http://" + at + path)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != 500 {
			t.Errorf("%s: %s", path, res.Status)
		}
	}
	soon(t, "the exchanges' end", func() bool { return r.Loads()[0].Exchanges == 0 })
	if got := ask(at, "/"); got != "first" {
		t.Error(got)
	}
	r.swap("second", "Listen "+at+"\n")
	soon(t, "the first site's end", func() bool { return first.closed.Load() == 1 })
	log, err := os.ReadFile(filepath.Join(r.dir, "error.log"))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(log)) {
		if strings.Contains(line, "AH00052: panic: on purpose while serving GET /panic HTTP/1.1") && strings.Contains(line, "server_test.go:") {
			n++
		}
	}
	if n != 1 || strings.Count(string(log), "[running]") != 1 {
		t.Errorf("%d lines of a panic in %s", n, log)
	}
}
