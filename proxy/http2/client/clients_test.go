package client

import (
	"context"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"balancerd/balancer"
	"balancerd/proxy/backend"
	"balancerd/proxy/backend/backendtest"
	"balancerd/proxy/exchange"
)

// A place that comes free is offered to one stream of its kind, the first; one that gives up passes it on.
func TestAPlaceIsOfferedToOne(t *testing.T) {
	s := clientsOf(backendtest.Worker(t, "h2c://127.0.0.1:1", nil))
	kinds := [...]kind{{name: "a"}, {name: "b"}}
	var list []*stream
	for i := range 6 {
		st := &stream{}
		st.X = &exchange.Exchange{}
		s.addWaiter(st, kinds[i%2])
		list = append(list, st)
	}
	told := func(want ...int) {
		t.Helper()
		var got []int
		for i, st := range list {
			if st.waits == nil {
				got = append(got, i)
			}
		}
		if len(got) != len(want) || s.waiting.Len() != len(list)-len(got) {
			t.Fatalf("%v are told, want %v; %d wait", got, want, s.waiting.Len())
		}
		for i := range got {
			if got[i] != want[i] {
				t.Fatalf("%v are told, want %v", got, want)
			}
		}
	}
	for _, k := range kinds { // of either a connection with a stream
		c := newConn(s, nil, k, false, time.Second)
		c.transport = nowhere{}
		c.promised = 2
		c.release(nil)
	}
	told(0, 1)
	s.removeWaiter(list[0], kinds[0], false) // it takes the place
	told(0, 1)
	s.removeWaiter(list[1], kinds[1], true) // it does not
	told(0, 1, 3)
	s.removeWaiter(list[2], kinds[0], true) // it was not told
	told(0, 1, 2, 3)
	s.removeWaiter(list[0], kinds[0], true)
	told(0, 1, 2, 3, 4)
	s.addWaiter(list[0], kinds[0])
	s.placesFree(nil)
	told(0, 1, 2, 3, 4, 5)
}

// A place on a connection in use concerns who waits for one of its kind alone; one that idles may give way, so it is who
// waits first that is told. A connection that is taken off the list makes room for any.
func TestWhoIsToldOfAPlace(t *testing.T) {
	s := clientsOf(backendtest.Worker(t, "h2c://127.0.0.1:1", nil))
	a, b := kind{name: "a"}, kind{name: "b"}
	c := newConn(s, nil, a, false, time.Second)
	c.transport = nowhere{}
	c.promised = 3
	s.list = []*conn{c}
	wait := func(k kind) *stream {
		st := &stream{}
		st.X = &exchange.Exchange{}
		s.addWaiter(st, k)
		return st
	}
	other := wait(b)
	if c.release(nil); other.waits == nil {
		t.Error("one of another kind is told of a place on a connection in use")
	}
	same := wait(a)
	if c.release(nil); same.waits != nil || other.waits == nil {
		t.Error("the place was not offered to who can use it")
	}
	same = wait(a)
	if c.release(nil); other.waits != nil || same.waits == nil {
		t.Error("a connection idles, and who waits first is not told")
	}
	for name, look := range map[string]func(){
		"a sweep":         func() { s.Sweep(backend.Clock()) },
		"another request": func() { s.dropUseless(nil, func(*conn, int64) bool { return false }) },
	} {
		busy := newConn(s, &backend.Conn{}, a, false, time.Second)
		busy.transport, busy.promised, busy.closing = nowhere{}, 1, true
		s.list = []*conn{busy}
		st := wait(b)
		if look(); len(s.list) > 0 || st.waits != nil {
			t.Error(name, "takes a connection off the list, and who waits is not told")
		}
	}
}

// Of many streams that wait for a place, each gets one in the end, though others of them go away.
func TestNoPlaceIsLost(t *testing.T) {
	m := backendtest.HTTP2(t, func(w http.ResponseWriter, r *http.Request) {}, func(s *http.Server) {
		s.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: 2}
	})
	w := backendtest.Worker(t, "h2c://"+m.Addr, func(s *balancer.WorkerSettings) { s.Max = 1 })
	b := NewBackend()
	var all sync.WaitGroup
	for i := range 300 {
		all.Go(func() {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			if i%3 == 0 {
				time.AfterFunc(rand.N(20*time.Millisecond), cancel)
			}
			x := &exchange.Exchange{Start: time.Now(), Server: &exchange.Server{Levels: &exchange.Levels{}}}
			x.Req.Method, x.Req.Body = "GET", exchange.NoBody{}
			x.Out.Method, x.Out.Target, x.Out.Host, x.Out.Minor = "GET", "/", "h", 1
			if err := b.RoundTrip(ctx, w, x, &backend.Call{}); err != nil && i%3 != 0 {
				t.Error(err)
			}
			x.Finish()
		})
	}
	over := make(chan struct{})
	go func() { all.Wait(); close(over) }()
	select {
	case <-over:
	case <-time.After(60 * time.Second):
		t.Fatal(clientsOf(w).waiting.Len(), "streams wait for ever")
	}
	if n := clientsOf(w).waiting.Len(); n > 0 {
		t.Error(n, "streams are left among those that wait")
	}
}

// A stream that was promised a place before the member said how many it takes goes elsewhere if it is one too many: a member
// may break those off (RFC 9113 section 5.1.2).
func TestPlacesThatAreTakenBack(t *testing.T) {
	w := backendtest.Worker(t, "h2c://127.0.0.1:1", nil)
	b, c := NewBackend(), newConn(clientsOf(w), nil, kind{}, false, time.Second)
	c.transport = nowhere{}
	first := ask(t, b, w, c, 0)
	if err := c.setting(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 1}); err != nil {
		t.Fatal(err)
	}
	second := ask(t, b, w, c, 0)
	if first.err != nil || second.err == nil || !second.s.Untouched() {
		t.Error(first.err, second.err)
	}
	if c.promised != 0 || len(c.streams) != 1 {
		t.Error(c.promised, len(c.streams))
	}
}

// With as many connections as max= allows, one that idles gives way to a request that wants one of its own, and one in use
// takes no more streams than it has.
func TestWhoWantsItsOwnConnection(t *testing.T) {
	begun, goOn := make(chan bool), make(chan bool)
	m := backendtest.HTTP2(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/lasts" {
			begun <- true
			<-goOn
		}
	}, nil)
	w := backendtest.Worker(t, "h2c://"+m.Addr, func(s *balancer.WorkerSettings) {
		s.Max, s.Acquire = 1, balancer.Some(20*time.Second)
	})
	b := NewBackend()
	over := make(chan error)
	get := func(target string, own bool) {
		x := &exchange.Exchange{Start: time.Now(), Server: &exchange.Server{Levels: &exchange.Levels{}}}
		x.Req.Method, x.Req.Body = "GET", exchange.NoBody{}
		x.Out.Method, x.Out.Target, x.Out.Host, x.Out.Minor, x.Out.NoPool = "GET", target, "h", 1, own
		err := b.RoundTrip(context.Background(), w, x, &backend.Call{})
		x.Finish()
		over <- err
	}
	end := func() {
		t.Helper()
		if err := <-over; err != nil {
			t.Error(err)
		}
	}
	for _, own := range []bool{false, true, false} {
		go get("/", own)
		end()
	}
	go get("/lasts", false)
	<-begun
	go get("/", true)
	for range 200 { // until that waits, each has a place on the connection in use
		go get("/", false)
	}
	select {
	case goOn <- true:
	case <-time.After(10 * time.Second):
	}
	for range 202 {
		end()
	}
}

// TestKindsShareConnections: with as many connections as max= allows, one that idles gives way to one that begins with
// another client's PROXY header, and who finds all of them in use waits until one idles.
func TestKindsShareConnections(t *testing.T) {
	w := backendtest.Worker(t, "h2c://"+announcedMember(t), func(s *balancer.WorkerSettings) {
		s.Max, s.ProxyProtocol, s.Acquire = 2, balancer.ProxyProtocolV1, balancer.Some(20*time.Second)
	})
	b := NewBackend()
	begin := func(port int, target string) *exchange.Exchange {
		x := &exchange.Exchange{Start: time.Now(), Server: &exchange.Server{Levels: &exchange.Levels{}, KeepAlive: true, KeepAliveTimeout: time.Minute}}
		x.Conn = &exchange.Conn{Local: netip.MustParseAddrPort("10.0.0.1:80"), Remote: netip.AddrPortFrom(netip.MustParseAddr("192.0.2.7"), uint16(port))}
		x.Req.Method, x.Req.Body = "GET", exchange.NoBody{}
		x.Out.Method, x.Out.Target, x.Out.Host, x.Out.Minor = "GET", target, "h", 1
		if err := b.RoundTrip(context.Background(), w, x, &backend.Call{}); err != nil {
			t.Error(err)
		}
		return x
	}
	for port := range 4 {
		begin(1000+port, "/").Finish()
	}
	held := []*exchange.Exchange{begin(1, "/lasts"), begin(2, "/lasts")}
	over := make(chan bool)
	for port := range 3 {
		go func() {
			begin(2000+port, "/").Finish()
			over <- true
		}()
	}
	select {
	case <-over:
		t.Fatal("a third connection was made")
	case <-time.After(50 * time.Millisecond):
	}
	held[0].Finish()
	for range 3 {
		<-over
	}
	held[1].Finish()
}

// announcedMember is where a member of HTTP/2 listens that wants a PROXY header in front; /lasts has no end.
func announcedMember(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	var p http.Protocols
	p.SetUnencryptedHTTP2(true)
	s := &http.Server{Protocols: &p, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/lasts" {
			http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}
	})}
	go s.Serve(headerFirst{l})
	return l.Addr().String()
}

// headerFirst is a listener whose connections begin behind the line of a PROXY header.
type headerFirst struct{ net.Listener }

func (l headerFirst) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	for b := make([]byte, 1); b[0] != '\n' && err == nil; {
		_, err = c.Read(b)
	}
	return c, nil
}
