package hcheck_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"balancerd/balancer"
	"balancerd/balancer/method"
	"balancerd/proxy/backend"
	"balancerd/proxy/backend/backendtest"
	"balancerd/proxy/exchange"
	http1 "balancerd/proxy/http1/client"
	"balancerd/proxy/mod/core"
	"balancerd/proxy/mod/hcheck"
	"balancerd/proxy/mod/proxy"
	"balancerd/proxy/mod/proxy/proxytest"
	"balancerd/proxy/site"
)

// patience is how long what must happen may take on a busy machine.
const patience = 20 * time.Second

// server is a configuration in force, whose members are checked.
type server struct {
	t    testing.TB
	farm *balancer.Farm
	mods []site.Module
	site *site.Site
	log  proxytest.LogBook
}

func start(t testing.TB, conf string) *server {
	t.Helper()
	s := &server{t: t, farm: balancer.NewFarm(method.Builtin(nil), nil)}
	h1 := http1.NewBackend()
	table := backend.Table{{Name: "http", Backend: h1}, {Name: "https", TLS: true, Backend: h1}}
	s.mods = []site.Module{core.Module(), proxy.Module(s.farm, table), hcheck.Module(s.farm, table, proxy.CallsOf(nil))}
	s.load(conf)
	t.Cleanup(func() { s.load("") }) // nothing is checked any longer
	return s
}

// load puts a configuration in force, as a reload does.
func (s *server) load(conf string) {
	s.t.Helper()
	c, err := proxytest.Bind(conf, s.mods...)
	if err != nil {
		s.t.Fatal(err)
	}
	st, err := site.Build(c, s.mods, site.Options{})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, h := range st.Hosts {
		h.Server.ErrorLog, h.Server.Levels = &s.log, &exchange.Levels{All: exchange.Info}
	}
	st.Commit()
	s.site = st
}

// get asks the site, and returns the status.
func (s *server) get(path string) int {
	x := proxytest.Request("GET " + path + " HTTP/1.1")
	s.site.Serve(context.Background(), x)
	defer s.site.Done(context.Background(), x)
	return x.Res.Status
}

func (s *server) members() (list []*balancer.Worker) {
	for _, members := range s.farm.Current().Groups() {
		list = append(list, members...)
	}
	return list
}

func (s *server) states() (list []string) {
	for _, w := range s.members() {
		list = append(list, strings.TrimSpace(w.Status().String()))
	}
	return list
}

// until waits for the members' states.
func (s *server) until(want ...string) {
	s.t.Helper()
	wait(s.t, func() string {
		if now := s.states(); fmt.Sprint(now) != fmt.Sprint(want) {
			return fmt.Sprintf("have %q, want %q", now, want)
		}
		return ""
	})
}

// wait waits until what is missing is "".
func wait(t testing.TB, missing func() string) {
	t.Helper()
	end := time.Now().Add(patience)
	for {
		m := missing()
		if m == "" {
			return
		}
		if time.Now().After(end) {
			t.Fatal(m)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// switched is a member that is well or not.
type switched struct {
	*backendtest.Member
	ill   atomic.Bool
	asked atomic.Int64
}

func newMember(t testing.TB) *switched {
	m := &switched{}
	m.Member = backendtest.Listen(t, func(c net.Conn) {
		req, err := http.ReadRequest(bufio.NewReader(c))
		if err != nil {
			return
		}
		m.asked.Add(1)
		status := "200 OK"
		if m.ill.Load() && req.URL.Path != "/" {
			status = "503 Ill"
		}
		io.WriteString(c, "HTTP/1.1 "+status+"\r\nContent-Length: 0\r\n\r\n")
	})
	return m
}

func balancerOf(lines ...string) string {
	return "<Proxy balancer://c>\n" + strings.Join(lines, "\n") + "\n</Proxy>\nProxyPass / balancer://c/\n"
}

// A member goes and comes by its checks, with httpd's lines in the log; edits and members that are added take part.
func TestMembersComeAndGo(t *testing.T) {
	t.Parallel()
	one, two := newMember(t), newMember(t)
	s := start(t, balancerOf("BalancerMember http://"+one.Addr+" hcmethod=GET hcuri=/h hcinterval=100ms", "ProxySet growth=2"))
	s.until("Init Ok")
	one.ill.Store(true)
	s.until("Init HcFl")
	one.ill.Store(false)
	s.until("Init Ok")
	log := s.log.Take()
	for _, want := range []string{"[proxy_hcheck:info] AH03303: Threaded Health check DISABLING http://" + one.Addr, "[proxy_hcheck:info] AH03302: Threaded Health check ENABLING http://" + one.Addr} {
		if !strings.Contains(log, want) {
			t.Errorf("the log has no %s:\n%s", want, log)
		}
	}
	vhost := s.members()[0].VHost()
	edit := func(c balancer.Change) {
		t.Helper()
		c.VHost, c.Balancer = vhost, "c"
		if err := s.farm.Apply(context.Background(), c); err != nil {
			t.Fatal(err)
		}
	}
	url := "http://" + two.Addr
	edit(balancer.Change{Add: url})
	two.ill.Store(true)
	edit(balancer.Change{Worker: url, Form: []balancer.Value{{Name: "w_hm", Text: "GET"}, {Name: "w_hu", Text: "/x"}, {Name: "w_hi", Text: "100"}}})
	s.until("Init Ok", "Init Dis HcFl")
	edit(balancer.Change{Worker: url, Form: []balancer.Value{{Name: "w_hm", Text: "NONE"}}})
	two.ill.Store(false)
	before := two.asked.Load()
	edit(balancer.Change{Worker: "http://" + one.Addr, Form: []balancer.Value{{Name: "w_hu", Text: "/other"}}}) // effective at once, unlike httpd's
	n := one.asked.Load()
	wait(t, func() string {
		if one.asked.Load() < n+3 {
			return "the first is no longer checked"
		}
		return ""
	})
	if got := two.asked.Load(); got > before+1 {
		t.Errorf("%d checks of a member without a method", got-before)
	}
	s.until("Init Ok", "Init Dis HcFl")
}

// Somebody who asks for a check gets it now, whatever the interval.
func TestCheckNow(t *testing.T) {
	t.Parallel()
	m := newMember(t)
	s := start(t, balancerOf("BalancerMember http://"+m.Addr+" hcmethod=GET hcuri=/h hcinterval=1h"))
	m.ill.Store(true)
	w := s.members()[0]
	c := balancer.Change{VHost: w.VHost(), Balancer: "c", Worker: w.URL(), Check: true}
	if err := s.farm.Apply(context.Background(), c); err != nil {
		t.Fatal(err)
	}
	s.until("Init HcFl")
	m.ill.Store(false)
	if err := s.farm.Apply(context.Background(), c); err != nil {
		t.Fatal(err)
	}
	s.until("Init Ok")
}

// A reload in the middle of a check: it is broken off, and counts for nothing.
func TestReloadInTheMiddle(t *testing.T) {
	t.Parallel()
	under, ended := make(chan bool, 10), make(chan bool, 10)
	m := backendtest.Listen(t, func(c net.Conn) {
		under <- true
		io.Copy(io.Discard, c)
		ended <- true
	})
	conf := balancerOf("BalancerMember http://" + m.Addr + " hcmethod=GET hcuri=/h hcinterval=100ms timeout=600")
	s := start(t, conf)
	<-under
	s.load(strings.Replace(conf, "100ms", "1h", 1))
	select {
	case <-ended:
	case <-time.After(patience):
		t.Fatal("the check goes on after the reload")
	}
	wait(t, func() string {
		if w := s.members()[0]; w.Snapshot().Fails > 0 || !w.Usable() {
			t.Fatalf("the check that was broken off counts: %+v", w.Snapshot())
		}
		return ""
	})
	s.load("")
	if n := len(s.members()); n != 0 {
		t.Errorf("%d members", n)
	}
}

// Members that never answer, send without end, or too much, or reset, fail; the one that is well is checked all the while.
func TestHostileMembers(t *testing.T) {
	t.Parallel()
	hostile := []func(net.Conn){
		func(c net.Conn) { io.Copy(io.Discard, c) }, // silent
		func(c net.Conn) { // a byte now and then
			io.WriteString(c, "HTTP/1.1 200 OK\r\nX-Slow: ")
			for {
				if _, err := io.WriteString(c, "a"); err != nil {
					return
				}
				time.Sleep(50 * time.Millisecond)
			}
		},
		func(c net.Conn) { // fields without end
			io.WriteString(c, "HTTP/1.1 200 OK\r\n")
			for {
				if _, err := io.WriteString(c, "X-More: "+strings.Repeat("a", 1000)+"\r\n"); err != nil {
					return
				}
			}
		},
		func(c net.Conn) { // a head of a MiB
			io.WriteString(c, "HTTP/1.1 200 OK\r\nX-Long: "+strings.Repeat("a", 1<<20)+"\r\nContent-Length: 0\r\n\r\n")
			io.Copy(io.Discard, c)
		},
		func(c net.Conn) { // a line without end
			for {
				if _, err := io.WriteString(c, strings.Repeat("a", 1000)); err != nil {
					return
				}
			}
		},
		func(c net.Conn) { // interim answers without end
			for {
				if _, err := io.WriteString(c, "HTTP/1.1 103 Early\r\n\r\n"); err != nil {
					return
				}
			}
		},
		func(c net.Conn) { // reset
			bufio.NewReader(c).ReadString('\n')
			c.(*net.TCPConn).SetLinger(0)
		},
		func(c net.Conn) { // a body that never ends, slowly
			io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
			for {
				if _, err := io.WriteString(c, "1\r\na\r\n"); err != nil {
					return
				}
				time.Sleep(50 * time.Millisecond)
			}
		},
		func(c net.Conn) { // a chunk as long as there is
			io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n")
		},
	}
	well := newMember(t)
	lines := []string{"BalancerMember http://" + well.Addr + " hcmethod=GET hcuri=/h hcinterval=100ms"}
	want := []string{"Init Ok"}
	for _, serve := range hostile {
		m := backendtest.Listen(t, serve)
		lines = append(lines, "BalancerMember http://"+m.Addr+" hcmethod=GET11 hcuri=/h hcinterval=100ms timeout=1")
		want = append(want, "Init HcFl")
	}
	huge := backendtest.Listen(t, func(c net.Conn) { // what is too long is not read, and passes
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n")
		for {
			if _, err := io.WriteString(c, strings.Repeat("a", 1<<16)); err != nil {
				return
			}
		}
	})
	s := start(t, balancerOf(append(lines, "BalancerMember http://"+huge.Addr+" hcmethod=GET hcuri=/h hcinterval=100ms")...))
	s.until(append(want, "Init Ok")...)
	before := well.asked.Load()
	wait(t, func() string {
		if well.asked.Load() < before+5 {
			return "the member that is well is not checked"
		}
		return ""
	})
}

// A thousand members that accept and are silent: while all of these checks hang, those of the others come as ever. A reload ends
// them, and none counts.
func TestSilentMembersDelayNobody(t *testing.T) {
	const silent = 1000
	if backend.ProbeRoom() < silent+10 {
		t.Skip("too few descriptors for so many checks at a time")
	}
	t.Parallel()
	var ended atomic.Int64
	mute := backendtest.Listen(t, func(c net.Conn) {
		io.Copy(io.Discard, c)
		ended.Add(1)
	})
	lines := []string{"ProxySet lbmethod=byrequests"}
	for i := range silent {
		lines = append(lines, fmt.Sprintf("BalancerMember http://%s/m%04d hcmethod=GET hcinterval=100ms timeout=600", mute.Addr, i))
	}
	well, other := newMember(t), newMember(t)
	for _, m := range []*switched{well, other} {
		lines = append(lines, "BalancerMember http://"+m.Addr+" hcmethod=GET hcuri=/h hcinterval=100ms")
	}
	conf := balancerOf(lines...)
	s := start(t, conf)
	wait(t, func() string {
		if n := mute.Connections(); n < silent {
			return fmt.Sprintf("%d of the silent members are asked", n)
		}
		return ""
	})
	one, two := well.asked.Load(), other.asked.Load()
	wait(t, func() string {
		if well.asked.Load() < one+10 || other.asked.Load() < two+10 {
			return "a member that is well waits for those that are silent"
		}
		return ""
	})
	well.ill.Store(true)
	want := make([]string, silent, silent+2)
	for i := range want {
		want[i] = "Init Ok" // as long as nothing is known
	}
	s.until(append(want, "Init HcFl", "Init Ok")...)
	if n := mute.Connections(); n != silent {
		t.Errorf("%d checks of %d members: some are asked twice at a time", n, silent)
	}
	s.load(strings.ReplaceAll(conf, "hcinterval=100ms timeout=600", "hcinterval=1h"))
	wait(t, func() string {
		if n := ended.Load(); n < silent {
			return fmt.Sprintf("%d of the checks ended with the configuration", n)
		}
		return ""
	})
	well.ill.Store(true)
	s.until(append(want, "Init HcFl", "Init Ok")...)
	if w := s.members()[0]; w.Snapshot().Fails > 0 {
		t.Errorf("a check that was broken off counts: %+v", w.Snapshot())
	}
}

// Checks have connections of their own: max= and what waits for it is the traffic's. They count for nobody.
func TestChecksBesideTraffic(t *testing.T) {
	t.Parallel()
	m := newMember(t)
	s := start(t, balancerOf("BalancerMember http://"+m.Addr+" hcmethod=GET hcuri=/h hcinterval=100ms max=1 acquire=1"))
	w := s.members()[0]
	x := &exchange.Exchange{Server: &exchange.Server{Timeout: time.Minute}, Start: time.Now()}
	c, err := backend.Acquire(context.Background(), w, x, &backend.Call{}, true)
	if err != nil {
		t.Fatal(err)
	}
	before := m.asked.Load()
	wait(t, func() string {
		if m.asked.Load() < before+3 {
			return "the member is not checked while its connections are in use"
		}
		return ""
	})
	now := w.Snapshot()
	if now.Sent != 0 || now.Read != 0 || now.Busy != 0 || now.Elected != 0 {
		t.Errorf("checks are counted: %+v", now)
	}
	c.Release(true)
	if n := backend.Idle(w); n != 1 {
		t.Errorf("%d connections are kept, want the traffic's", n)
	}
}

// A member that failed by its traffic is let in by its checks, and its time of error stays on record.
func TestErrorsEndByChecks(t *testing.T) {
	t.Parallel()
	m := newMember(t)
	s := start(t, balancerOf("BalancerMember http://"+m.Addr+" hcmethod=GET hcuri=/h hcinterval=100ms retry=600 hcpasses=2"))
	w := s.members()[0]
	m.ill.Store(true)
	w.Fail(time.Now())
	n := m.asked.Load()
	wait(t, func() string {
		if m.asked.Load() < n+3 {
			return "not checked while it is in error"
		}
		return ""
	})
	if got := s.states()[0]; got != "Init Err" {
		t.Fatalf("a failing check of a member in error makes it %q", got)
	}
	m.ill.Store(false)
	s.until("Init Ok")
	if w.Snapshot().ErrorTime.IsZero() {
		t.Error("the time of error is gone")
	}
}

// Members on a unix socket are checked there, and not where host and port of their URL lead.
func TestSocketsAreChecked(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var asked atomic.Int64
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { asked.Add(1) })}
	go srv.Serve(l)
	defer srv.Close()
	other := newMember(t)
	s := start(t, balancerOf("BalancerMember unix:"+path+"|http://"+other.Addr+"/ hcmethod=GET hcuri=h hcinterval=100ms", "BalancerMember unix:"+path+".none|http://elsewhere/ hcmethod=TCP hcinterval=100ms"))
	s.until("Init Ok", "Init HcFl")
	wait(t, func() string {
		if asked.Load() < 2 {
			return "the socket is not asked"
		}
		return ""
	})
	if n := other.Connections(); n > 0 {
		t.Errorf("%d connections to the port of the URL", n)
	}
	srv.Close()
	os.Remove(path)
	s.until("Init HcFl", "Init HcFl")
}

// A virtual host has a set of its own as soon as a member of its has a parameter of ours; the main server's holds in others.
func TestWhoseSetHolds(t *testing.T) {
	s := start(t, "")
	member := "<Proxy balancer://own>\nBalancerMember http://127.0.0.1:1 %s\n</Proxy>\n"
	c, err := proxytest.Bind("ProxyHCExpr any {true}\n<VirtualHost *:80>\nServerName own.test\n"+fmt.Sprintf(member, "hcmethod=TCP")+"</VirtualHost>\n"+
		"<VirtualHost *:80>\nServerName other.test\n"+fmt.Sprintf(member, "")+"</VirtualHost>\n", s.mods...)
	if err != nil {
		t.Fatal(err)
	}
	st, err := site.Build(c, s.mods, site.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range st.Hosts {
		if got, want := hcheck.InForce(h.Scope) == h.Scope, h.Server.Name != "other.test"; got != want {
			t.Errorf("%s has a set of its own: %v", h.Server.Name, got)
		}
	}
	if len(st.Hosts) != 3 {
		t.Errorf("%d hosts", len(st.Hosts))
	}
}

// Each member is checked once, by its own server's conditions, also where virtual hosts share it.
func TestVirtualHosts(t *testing.T) {
	t.Parallel()
	one, two := newMember(t), newMember(t)
	one.ill.Store(true)
	s := start(t, "ProxyHCExpr ill {%{REQUEST_STATUS} == '503'}\n"+balancerOf("BalancerMember http://"+one.Addr+" hcmethod=GET hcuri=/h hcinterval=100ms hcexpr=ill")+
		"<VirtualHost *:80>\nServerName a.test\nProxyHCExpr ill {false}\nProxyHCExpr any {true}\n<Proxy balancer://own>\nBalancerMember http://"+two.Addr+" hcmethod=GET hcuri=/h hcinterval=100ms hcexpr=ANY\n</Proxy>\n</VirtualHost>\n"+
		"<VirtualHost *:80>\nServerName b.test\nProxyPass /x balancer://c/\n</VirtualHost>\n")
	two.ill.Store(true)
	a, b := one.asked.Load(), two.asked.Load()
	wait(t, func() string {
		if one.asked.Load() < a+4 || two.asked.Load() < b+4 {
			return "not checked"
		}
		return ""
	})
	if got := fmt.Sprint(s.states()); got != "[Init Ok Init Ok]" {
		t.Errorf("%s: a condition of another server judged", got)
	}
}

// Who asks for no checks gets none, and has them when he does.
func TestNobodyIsChecked(t *testing.T) {
	t.Parallel()
	m := newMember(t)
	s := start(t, balancerOf("BalancerMember http://"+m.Addr+" hcmethod=NONE hcinterval=100ms"))
	time.Sleep(50 * time.Millisecond)
	if m.Connections() > 0 {
		t.Error("a member with NONE is checked")
	}
	w := s.members()[0]
	err := s.farm.Apply(context.Background(), balancer.Change{VHost: w.VHost(), Balancer: "c", Worker: w.URL(), Form: []balancer.Value{{Name: "w_hm", Text: "TCP"}}})
	if err != nil {
		t.Fatal(err)
	}
	wait(t, func() string {
		if m.Connections() < 2 {
			return "not checked after it got a method"
		}
		return ""
	})
}

// Parameters of ours may be added to a member whose line httpd reads, too, and hold blanks.
func TestOwnParameters(t *testing.T) {
	t.Parallel()
	hosts := make(chan string, 100)
	m := backendtest.Listen(t, func(c net.Conn) {
		req, err := http.ReadRequest(bufio.NewReader(c))
		if err != nil {
			return
		}
		select {
		case hosts <- req.Host:
		default:
		}
		io.WriteString(c, "HTTP/1.1 404 X\r\nContent-Length: 9\r\n\r\nall  well")
	})
	url := "http://" + m.Addr
	s := start(t, balancerOf("BalancerMember "+url+" hcmethod=GET hcinterval=100ms")+"<IfModule mod_balancerd.c>\n<Proxy balancer://c>\nBalancerMember "+url+
		" hcheader=\"Host: app.test\" hcstatus=404 'hctext=all  well'\n</Proxy>\n</IfModule>\n")
	wait(t, func() string {
		if m.Connections() < 3 {
			return "not checked"
		}
		return ""
	})
	if got := <-hosts; got != "app.test" {
		t.Errorf("Host: %s", got)
	}
	s.until("Init Ok")
	s.load("ProxyHCTemplate t hcmethod=GET hcinterval=100ms hcheader=\"Host: other.test\" hctext=\"not there\" hcstatus=404\n" + balancerOf("BalancerMember "+url+" hctemplate=t"))
	s.until("Init HcFl")
}
