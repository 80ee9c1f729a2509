package proxy_test

import (
	"strconv"
	"strings"
	"testing"

	"balancerd/apacheconf/directive"
	"balancerd/balancer"
	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
	"balancerd/proxy/mod/proxy"
	"balancerd/proxy/mod/proxy/proxytest"
)

const twoHosts = "<VirtualHost *:80>\nServerName first\n%1\n</VirtualHost>\n<VirtualHost *:80>\nServerName second\n%2\n</VirtualHost>\n"

func hosts(first, second string) string {
	return strings.NewReplacer("%1", first, "%2", second).Replace(twoHosts)
}

// asked is the virtual host and name of the worker that a request got to.
func asked(r *proxytest.Rig, path, host string) string {
	got := "none"
	r.To = func(w *balancer.Worker, x *exchange.Exchange, _ *backend.Call) error {
		got = w.URL() + x.Out.Target
		for i, h := range r.Site.Hosts {
			if h.Server.ID == w.VHost() {
				got = []string{"main", "first", "second"}[i] + " " + got
			}
		}
		return nil
	}
	r.Get("GET " + path + " HTTP/1.1\nHost: " + host)
	return got
}

func TestInheritance(t *testing.T) {
	shared := "<Proxy balancer://c>\nBalancerMember http://main\n</Proxy>\n"
	for _, c := range []struct{ name, conf, path, host, want string }{
		{"main's lines first", "ProxyPass /a http://m/main\n" + hosts("ProxyPass /a http://m/own\nProxyPass /b http://m/b", ""), "/a", "first", "main http://m/main/main"},
		{"then its own", "ProxyPass /a http://m/main\n" + hosts("ProxyPass /a http://m/own\nProxyPass /b http://m/b", ""), "/b", "first", "first http://m/b/b"},
		{"not the neighbour's", hosts("ProxyPass /b http://m/b", "ProxyPass /c http://m/c"), "/b", "second", "none"},
		{"of equal names main's worker", "ProxyPass /x http://m/\n" + hosts("ProxyPass /a http://m/", ""), "/a", "first", "main http://m//"},
		{"unless nothing is inherited", "ProxyPass /x http://m/\n" + hosts("BalancerInherit Off\nProxyPassInherit Off\nProxyPass /a http://m/", ""), "/a", "first", "first http://m//"},
		{"but lines always are", "ProxyPass /x http://m/\n" + hosts("BalancerInherit Off\nProxyPassInherit Off\n", ""), "/x", "first", "proxy:reverse/"},
		{"one Off inherits", "ProxyPass /x http://m/\n" + hosts("BalancerInherit Off\nProxyPass /a http://m/", ""), "/a", "first", "main http://m//"},
		{"balancers", shared + "ProxyPass / balancer://c/\n" + hosts("", ""), "/a", "first", "main http://main/a"},
		{"own members of an inherited one are lost", shared + hosts("<Proxy balancer://c>\nBalancerMember http://own\n</Proxy>\nProxyPass / balancer://c/", ""), "/a", "first", "main http://main/a"},
		{"own balancers", hosts("<Proxy balancer://c>\nBalancerMember http://own\n</Proxy>\nProxyPass / balancer://c/", ""), "/a", "first", "first http://own/a"},
		{"nothing inherited: an empty one", shared + "ProxyPass / balancer://c/\n" + hosts("BalancerInherit Off\nProxyPassInherit Off\nProxyPass /own balancer://c/", ""), "/a", "first", "none"},
	} {
		r := proxytest.New(t, c.conf+"\n", proxytest.OK)
		if got := asked(r, c.path, c.host); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// An inherited balancer is a host's own: its settings and its place on the page, with shared members.
func TestInheritedBalancer(t *testing.T) {
	r := proxytest.New(t, "<Proxy balancer://c stickysession=A timeout=5>\nBalancerMember http://m\n</Proxy>\nBalancerPersist On\nProxyPass /main balancer://c\n"+
		hosts("ProxyPass /own balancer://c stickysession=B\nProxyPass ^/x balancer://new growth=3", ""), proxytest.OK)
	first, second, main := r.Site.Hosts[1].Server.ID, r.Site.Hosts[2].Server.ID, r.Site.Hosts[0].Server.ID
	for _, c := range []struct{ host, sticky, path string }{{main, "A", "/main"}, {first, "B", "/own"}, {second, "A", "/main"}} {
		b := r.Farm.Balancer(c.host, "c")
		if b.Settings().Sticky.String() != c.sticky || b.Path() != c.path || b.Settings().Timeout == 0 || b.Persistent() != (c.host == main) {
			t.Errorf("%v: %v %s", c, b.Settings().Sticky, b.Path())
		}
		if b.Members()[0] != r.Farm.Balancer(main, "c").Members()[0] {
			t.Errorf("%v: members are not shared", c)
		}
	}
	if list := r.Farm.Balancers(first); len(list) != 2 || list[1].Name() != "balancer://new" || list[1].Settings().Growth.V != 3 {
		t.Errorf("%v", list)
	}
}

// What a host inherits without mentioning it comes first, then what it has lines about, in their order.
func TestOrderOfInherited(t *testing.T) {
	cluster := func(name string) string {
		return "<Proxy balancer://" + name + ">\nBalancerMember http://" + name + "\n</Proxy>\n"
	}
	r := proxytest.New(t, cluster("c")+cluster("d")+cluster("e")+hosts("ProxyPass /e balancer://e\nProxyPass /new balancer://new\nProxyPass /c balancer://c", ""), proxytest.OK)
	for host, want := range map[int]string{1: "d e new c", 2: "c d e"} {
		var got []string
		for _, b := range r.Farm.Balancers(r.Site.Hosts[host].Server.ID) {
			got = append(got, strings.TrimPrefix(b.Name(), balancer.Prefix))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("host %d: %v, want %s", host, got, want)
		}
	}
}

// Whoever makes parameters last wins, section words after what the section holds.
func TestParameterOrder(t *testing.T) {
	r := proxytest.New(t, `
<Proxy balancer://c lbmethod=bytraffic timeout=3>
  BalancerMember http://b1 route=first
  ProxySet timeout=4 stickysession=A
  BalancerMember http://b2 route=second
</Proxy>
BalancerMember balancer://C http://b3 route=third loadfactor=2
ProxySet balancer://c nofailover=On maxattempts=7
ProxyPass / balancer://c/ stickysession=B|b
ProxyPass /late balancer://c/ lbmethod=byrequests
<Proxy http://w/ timeout=9>
ProxySet timeout=8
</Proxy>
ProxyTimeout 6
ProxyIOBufferSize 1024
ProxyPass /w http://w/deep timeout=7
ProxyPass /v http://v/ retry=5
`, proxytest.OK)
	b := r.Farm.Balancer(r.Site.Hosts[0].Server.ID, "c")
	s := b.Settings()
	if s.Method.V != "byrequests" || s.Timeout.Seconds() != 3 || s.Sticky.String() != "B|b" || !s.NoFailover.V || s.MaxAttempts.V != 7 || b.Path() != "/late" {
		t.Errorf("%+v %s", s, b.Path())
	}
	routes := ""
	for _, m := range b.Members() {
		routes += m.Settings().Route + " "
	}
	if routes != "first second third " || b.Members()[2].Settings().LoadFactor != 200 || b.Members()[2].Settings().Timeout.Set {
		t.Error(routes)
	}
	w := r.Farm.Workers(r.Site.Hosts[0].Server.ID)
	if len(w) != 2 || w[0].Settings().Timeout.V.Seconds() != 9 || w[1].Settings().Timeout.V.Seconds() != 6 || w[1].Settings().IOBufferSize.V != 1024 || w[1].Settings().Retry.V.Seconds() != 5 {
		t.Errorf("%v %+v", w, w[1].Settings())
	}
}

// The longest name that covers a URL serves it, whichever line mapped the URL.
func TestLongestWorker(t *testing.T) {
	r := proxytest.New(t, "<Proxy http://m/short/deep/>\nProxySet timeout=3\n</Proxy>\nProxyPass /short http://m/\nProxyPassMatch ^/re/(.*) http://m/$1\nProxyPass /six http://[::1]:8080/six\nProxyPass /up HTTP://UP.Example:80/X\n", proxytest.OK)
	for _, c := range []struct{ path, want string }{
		{"/short/a", "http://m/$1//a"},
		{"/short", "http://m//"},
		{"/short/short/deep/x", "http://m/$1//short/deep/x"},
		{"/shortshort", "none"},
		{"/re/abc", "http://m/$1/abc"},
		{"/re/a", "http://m//a"},
		{"/re/short/deep/x", "http://m/short/deep//short/deep/x"},
		{"/six/x", "http://[::1]:8080/six/six/x"},
		{"/up/y", "http://up.example/X/X/y"},
	} {
		if got := strings.TrimPrefix(asked(r, c.path, "localhost"), "main "); got != c.want {
			t.Errorf("%s: %s, want %s", c.path, got, c.want)
		}
	}
}

// A reload keeps workers, and a configuration that loses them gives them up.
func TestReload(t *testing.T) {
	r := proxytest.New(t, "ProxyPass /a http://a/\n<Proxy balancer://c>\nBalancerMember http://b\n</Proxy>\nProxyPass /b balancer://c\n", proxytest.OK)
	id := r.Site.Hosts[0].Server.ID
	w, m := r.Farm.Workers(id)[0], r.Farm.Balancer(id, "c").Members()[0]
	closed := new(closer)
	w.Attach(closed, closed)
	r.Load("ProxyPass /x http://a/ timeout=9\n<Proxy balancer://c>\nBalancerMember http://b loadfactor=3\n</Proxy>\n")
	if r.Farm.Workers(id)[0] != w || r.Farm.Balancer(id, "c").Members()[0] != m || w.Settings().Timeout.V.Seconds() != 9 || m.Settings().LoadFactor != 300 {
		t.Error("a reload made new workers or kept old settings")
	}
	if *closed {
		t.Error("a living worker's connections were closed")
	}
	r.Load("ProxyPass /x http://other/\n")
	if !*closed {
		t.Error("the connections of a worker that is gone stay open")
	}
}

type closer bool

func (c *closer) Close() error {
	*c = true
	return nil
}

func TestCalls(t *testing.T) {
	var call backend.Call
	r := proxytest.New(t, "Timeout 30\nProxyTimeout 4\nProxyBadHeader Ignore\nProxySourceAddress 127.0.0.9\nProxyPass /a http://a/ timeout=50\nProxyPass / http://b/\nProxyPass /n http://c\n", func(_ *balancer.Worker, _ *exchange.Exchange, c *backend.Call) error {
		call = *c
		return nil
	})
	r.Get("GET /a/x HTTP/1.1")
	if call.Timeout.Seconds() != 4 || call.Idle.Seconds() != 50 || call.Source.String() != "127.0.0.9" || call.BadHeader != backend.BadHeaderIgnore || call.Host != "" || !call.HalfClose {
		t.Errorf("%+v", call)
	}
	r.Get("GET /x HTTP/1.1")
	if call.Idle.Seconds() != 30 {
		t.Errorf("%+v", call)
	}
}

// SetHandler "proxy:URL" is for requests that nothing maps: the file's path is continued.
func TestSetHandler(t *testing.T) {
	got := ""
	r := proxytest.New(t, "DocumentRoot /\n<Location /sh>\nSetHandler proxy:http://h:8080/base\n</Location>\n<Location /sock>\nSetHandler \"proxy:unix:/run/x.sock|http:\"\n</Location>\nProxyPass /sh/mapped http://m/\n",
		func(w *balancer.Worker, x *exchange.Exchange, c *backend.Call) error {
			got = w.URL() + " " + c.Socket + " " + c.Host + " " + strconv.Itoa(int(c.Port)) + " " + x.Out.Host + x.Out.Target
			return nil
		})
	for _, c := range []struct{ path, want string }{
		{"/sh/a", "proxy:reverse  h 8080 h:8080/base"},
		{"/sock/a", "proxy:reverse /run/x.sock localhost 80 localhost/"},
		{"/sh/mapped/x", "http://m/   0 m//x"},
	} {
		r.Get("GET " + c.path + " HTTP/1.1")
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.path, got, c.want)
		}
	}
}

func TestFacts(t *testing.T) {
	r := proxytest.New(t, "ProxyStatus On\n"+hosts("BalancerPersist On\nBalancerInherit Off", "ProxyStatus Off\nProxyPassInherit Off"), proxytest.OK)
	for i, want := range []proxy.HostFacts{{true, false, true, true}, {true, true, false, true}, {false, false, true, false}} {
		if got := proxy.FactsOf(r.Site.Hosts[i].Scope); got != want {
			t.Errorf("%d: %+v, want %+v", i, got, want)
		}
	}
}

// What a configuration's TLS has opened is not kept when another one is in force; nor is what those open
// who are still served by it.
func TestTLSEndsWithItsConfiguration(t *testing.T) {
	var made []*backend.TLS // one for each chain of scopes
	r := proxytest.New(t, "", proxytest.OK)
	r.TLS = func(chain []*directive.Scope) (*backend.TLS, error) {
		made = append(made, &backend.TLS{})
		return made[len(made)-1], nil
	}
	var used *backend.TLS
	r.To = func(_ *balancer.Worker, x *exchange.Exchange, c *backend.Call) error {
		used = c.TLS
		x.Res.Status = 200
		return nil
	}
	conf := "ProxyPass / https://b1:81/\n<Location /late>\nProxyPreserveHost On\n</Location>\n"
	r.Load(conf)
	r.Get("GET / HTTP/1.1")
	first := used
	if first == nil || first.Retired() {
		t.Fatal("no TLS, or one that is over")
	}
	before := r.Site
	r.Load(conf)
	r.Get("GET / HTTP/1.1")
	if second := used; second == first || second.Retired() || !first.Retired() {
		t.Errorf("another one %v, over %v, the first over %v", second != first, second.Retired(), first.Retired())
	}
	x := proxytest.Request("GET /late HTTP/1.1") // its sections are put together only now
	before.Serve(t.Context(), x)
	before.Done(t.Context(), x)
	if used == first || !used.Retired() {
		t.Error("who is late is given what will be kept")
	}
	last := made[len(made)-2]
	r.Load(conf)
	r.Load(conf)
	for i, m := range made {
		if m == last && !m.Retired() {
			t.Errorf("%d of %d is not over", i, len(made))
		}
	}
}
