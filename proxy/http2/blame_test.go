package http2

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"balancerd/balancer"
	"balancerd/proxy/backend"
	"balancerd/proxy/backend/backendtest"
	"balancerd/proxy/exchange"
)

// namingMember tells each request which name its connection's handshake was for.
func namingMember(t *testing.T) (address string, count *backendtest.Member) {
	count = &backendtest.Member{}
	m := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.TLS.ServerName) }))
	m.EnableHTTP2 = true
	m.Config.ConnState = count.Count
	m.StartTLS()
	t.Cleanup(m.Close)
	u, _ := url.Parse(m.URL)
	return "h2://" + u.Host, count
}

// shakesHands is a member's TLS that believes every certificate.
func shakesHands(ctx context.Context, c net.Conn, name string, protocols ...string) (net.Conn, error) {
	tc := tls.Client(c, &tls.Config{ServerName: name, InsecureSkipVerify: true, NextProtos: protocols})
	return tc, tc.HandshakeContext(ctx)
}

// A connection to a member carries requests for the name that its handshake was for, and no others. The
// name is a text of its exchange, as with ProxyPreserveHost.
func TestConnectionsAreKeptByName(t *testing.T) {
	address, member := namingMember(t)
	a := &app{worker: newWorker(t, address, nil)}
	secure := &backend.TLS{Client: shakesHands}
	a.serve = func(ctx context.Context, x *exchange.Exchange) {
		name := x.Arena.Join(x.Req.RawPath[1:], ".test")
		b := &app{backend: a.backend, call: backend.Call{TLS: secure, Name: name}}
		b.forward(ctx, x, a.worker)
	}
	f := newFront(t, a)
	c := f.dial(t)
	for i := range 60 {
		name, id := fmt.Sprint("n", i%7), uint32(2*i+1)
		c.get(id, "/"+name)
		if what, data := c.outcome(id); what != "200" || data != name+".test" {
			t.Fatalf("%s: the connection's name is %q, the request's %q", what, data, name+".test")
		}
	}
	if n := member.Connections(); n != 7 {
		t.Errorf("%d connections for 7 names", n)
	}
}

// A member may answer without reading the body, and end the stream without an error behind its answer
// (RFC 9113 section 8.1): that is an answer.
func TestAnswerBeforeTheBodyIsRead(t *testing.T) {
	early := frames(t, func(fr *http2.Framer, id uint32) {
		var b bytes.Buffer
		hpack.NewEncoder(&b).WriteField(hpack.HeaderField{Name: ":status", Value: "200"})
		fr.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: b.Bytes(), EndHeaders: true})
		fr.WriteData(id, true, []byte("early"))
		fr.WriteRSTStream(id, http2.ErrCodeNo)
	})
	for _, duplex := range []bool{true, false} {
		a := &app{worker: newWorker(t, early, nil)}
		a.serve = func(ctx context.Context, x *exchange.Exchange) {
			if !duplex {
				x.Req.Body = plain{x.Req.Body}
			}
			a.forward(ctx, x, a.worker)
		}
		f := newFront(t, a)
		cl := browser(t)
		for range 50 {
			res, err := cl.Post("http://"+f.addr+"/", "text/plain", bytes.NewReader(make([]byte, 1<<20)))
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(res.Body)
			res.Body.Close()
			if res.StatusCode != 200 || string(body) != "early" {
				t.Fatal(duplex, res.Status, string(body), err)
			}
		}
		if errs := a.failures(); len(errs) > 0 {
			t.Error(duplex, errs)
		}
	}
}

// A member that says GOAWAY behind each answer is well: what it did not take is sent again, on another
// connection.
func TestMemberThatSaysGoAway(t *testing.T) {
	worker, connections := countedMember(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close") // GOAWAY, in HTTP/2
		reflect(w, r)
	}, nil)
	a := &app{worker: worker}
	f := newFront(t, a)
	cl := browser(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 40 {
				res, err := cl.Post("http://"+f.addr+"/x", "text/plain", strings.NewReader("hello"))
				if err != nil {
					t.Error(err)
					return
				}
				body, _ := io.ReadAll(res.Body)
				res.Body.Close()
				if !strings.HasPrefix(string(body), "POST /x member.test 5 5") {
					t.Errorf("%s %s", res.Status, body)
				}
			}
		})
	}
	wg.Wait()
	if errs := a.failures(); len(errs) > 0 || connections() < 10 {
		t.Error(errs, connections())
	}
}

// A client that goes away while a connection is being made takes nobody along who waits for it too.
func TestClientGoesAwayWhileConnecting(t *testing.T) {
	var dials atomic.Int64
	begun := make(chan bool, 10)
	address, _ := namingMember(t)
	a := &app{worker: newWorker(t, address, nil)}
	a.call = backend.Call{TLS: &backend.TLS{Client: func(ctx context.Context, c net.Conn, name string, protocols ...string) (net.Conn, error) {
		if dials.Add(1) == 1 {
			begun <- true
			<-ctx.Done()
			return nil, fmt.Errorf("no handshake: %v", ctx.Err())
		}
		return shakesHands(ctx, c, name, protocols...)
	}}, Name: "n.test"}
	f := newFront(t, a)
	leaver, stayer := f.dial(t), f.dial(t)
	leaver.get(1, "/")
	<-begun
	stayer.get(1, "/")
	time.Sleep(50 * time.Millisecond)
	leaver.fr.WriteRSTStream(1, http2.ErrCodeCancel)
	if what, data := stayer.outcome(1); what != "200" || data != "n.test" {
		t.Error(what, data, a.failures())
	}
}

// Without reuse each request has a connection of its own, which ends with it.
func TestConnectionsOfTheirOwn(t *testing.T) {
	worker, connections := countedMember(t, reflect, nil)
	w := newWorker(t, "h2c://"+worker.Address().Host+":"+fmt.Sprint(worker.Address().Port), func(s *balancer.WorkerSettings) { s.DisableReuse = balancer.Some(true) })
	a := &app{worker: w}
	f := newFront(t, a)
	c := f.dial(t)
	for i := range 5 {
		c.get(uint32(2*i+1), "/x")
		if what, data := c.outcome(uint32(2*i + 1)); what != "200" || !strings.HasPrefix(data, "GET /x") {
			t.Fatal(what, data, a.failures())
		}
	}
	if n := connections(); n != 5 {
		t.Error(n, "connections")
	}
}

// A long answer to a body that the exchange's goroutine reads is not held back when the body is over.
func TestLongAnswerToABody(t *testing.T) {
	a := &app{}
	a.worker = newMember(t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Write(make([]byte, 3*128<<10))
	})
	a.serve = func(ctx context.Context, x *exchange.Exchange) {
		x.Req.Body = plain{x.Req.Body}
		a.forward(ctx, x, a.worker)
	}
	f := newFront(t, a)
	cl := browser(t)
	began := time.Now()
	for _, size := range []int{1, 5000, 300000} {
		res, err := cl.Post("http://"+f.addr+"/", "text/plain", bytes.NewReader(make([]byte, size)))
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(res.Body); len(body) != 3*128<<10 || err != nil {
			t.Error(size, len(body), err)
		}
		res.Body.Close()
	}
	if took := time.Since(began); took > backend.IOTimeout(a.worker, &a.call)/4 {
		t.Error("it waited for the member's timeout: ", took)
	}
}
