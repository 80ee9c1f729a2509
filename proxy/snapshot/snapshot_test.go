package snapshot

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"testing"
	"time"

	"balancerd/apacheconf/directive"
	"balancerd/balancer"
	"balancerd/balancer/method"
	"balancerd/proxy/exchange"
	"balancerd/proxy/mod/core"
	"balancerd/proxy/mod/mpm"
	"balancerd/proxy/server"
	"balancerd/proxy/site"
	"balancerd/proxy/site/sitetest"
)

// answers has every request answered, one for /hold when the channel is closed.
func answers(hold chan struct{}) site.Module {
	return site.Module{Name: "test", Open: func(*directive.Config, *site.Site) (site.Builder, error) {
		return func(_ []*directive.Scope, p *site.Plan) error {
			p.Handler = exchange.HandlerFunc(func(_ context.Context, x *exchange.Exchange) error {
				if x.Req.Path == "/hold" {
					<-hold
				}
				x.Res.Status = 200
				x.Res.Text("hello")
				return nil
			})
			return nil
		}, nil
	}}
}

func serving(t *testing.T, hold chan struct{}) (*server.Server, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	c, err := sitetest.Bind("", fmt.Sprintf("Listen %s\nMaxRequestWorkers 50\n", address), core.Module(), mpm.Module(), answers(hold))
	if err != nil {
		t.Fatal(err)
	}
	st, err := site.Build(c, []site.Module{core.Module(), mpm.Module(), answers(hold)}, site.Options{})
	if err != nil {
		t.Fatal(err)
	}
	st.Listeners = st.Listeners[1:] // without the one of sitetest's
	s := server.New()
	if err := s.Swap(st, map[string]*net.TCPListener{address: l.(*net.TCPListener)}); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	over := make(chan struct{})
	go func() { s.Run(ctx); close(over) }()
	t.Cleanup(func() { stop(); <-over })
	return s, address
}

func TestConnections(t *testing.T) {
	hold := make(chan struct{})
	s, address := serving(t, hold)
	from := &Source{Server: s}
	client := func(text string) *bufio.Reader {
		nc, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { nc.Close() })
		fmt.Fprint(nc, text)
		return bufio.NewReader(nc)
	}
	read := func(r *bufio.Reader) {
		res, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
	}
	client("") // says nothing
	r := client("GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
	read(r)
	held := client("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n")
	want := [States]int{Reading: 1, KeepAlive: 1, Serving: 1}
	now := from.Take()
	for until := time.Now().Add(10 * time.Second); now.Connections != want && time.Now().Before(until); now = from.Take() {
		time.Sleep(time.Millisecond) // until the server has seen the three
	}
	if now.Connections != want || len(now.Clients) != 3 || now.Requests != 1 || now.Sent == 0 || now.Reloads != 0 || now.MaxWorkers != 50 ||
		len(now.Generations) != 1 || now.Generations[0] != (Generation{Requests: 1}) || !now.Started.Equal(s.Started()) {
		t.Errorf("%+v", now)
	}
	for _, c := range now.Clients {
		if c.State == KeepAlive && (c.Line != "GET /a HTTP/1.1" || c.Requests != 1 || c.Sent != now.Sent || c.Protocol != "HTTP/1.1" || c.Client != "127.0.0.1" || c.Server == nil || c.Busy != c.Took) {
			t.Errorf("%+v", c)
		}
	}
	close(hold)
	read(held)
}

func TestBalancers(t *testing.T) {
	farm := balancer.NewFarm(method.Builtin(nil), nil)
	spec := balancer.Spec{VHost: "main", Name: "balancer://app", Settings: balancer.NewBalancerSettings(), Added: balancer.NewWorkerSettings(), Path: "/", Env: balancer.Env{Methods: []string{"byrequests"}}}
	for i := range 2 {
		a, err := balancer.ParseAddress(fmt.Sprintf("http://127.0.0.1:%d/x", 9001+i), "/run", false)
		if err != nil {
			t.Fatal(err)
		}
		spec.Members = append(spec.Members, balancer.WorkerSpec{Address: a, Settings: balancer.NewWorkerSettings()})
	}
	plan, err := farm.Plan(context.Background(), slices.Values([]balancer.Spec{spec}), nil)
	if err != nil {
		t.Fatal(err)
	}
	farm.Commit(plan)
	from := &Source{Farm: farm}
	if n := len(from.Balancers("other")); n != 0 {
		t.Errorf("%d balancers of a host that has none", n)
	}
	claim, err := farm.Balancers("main")[0].Claim(nil, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	defer claim.Done()
	w := farm.Balancers("main")[0].Members()[0]
	got := from.Balancers("main")
	if len(got) != 1 || got[0].Name != "balancer://app" || got[0].Settings != farm.Balancers("main")[0].Settings() || len(got[0].Members) != 2 {
		t.Fatalf("%+v", got)
	}
	if m := got[0].Members[0]; m.Name != "http://127.0.0.1:9001/x" || m.Address.Host != "127.0.0.1" || m.Busy != 1 || m.Idle != 0 || m.Snapshot != w.Snapshot() {
		t.Errorf("%+v", m)
	}
}
