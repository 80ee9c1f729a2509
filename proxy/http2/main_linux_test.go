package http2

import (
	"context"
	"flag"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"balancerd/proxy/exchange"
	"balancerd/proxy/http1/server"
	engine "balancerd/proxy/http2/server"
	"balancerd/proxy/http2/transport"
	"balancerd/proxy/internal/loop"
	"balancerd/proxy/internal/loop/looptest"
)

// TestMain runs all tests twice: by goroutines, and in event loops, in which none may block.
func TestMain(m *testing.M) {
	flag.Parse()
	if f := flag.Lookup("test.fuzzworker"); f == nil || f.Value.String() != "true" {
		if code := m.Run(); code != 0 {
			os.Exit(code)
		}
	}
	inLoops = true
	looptest.Main(m)
}

// asHTTP1 is an app as HTTP/1's server wants one, which only shakes hands.
type asHTTP1 struct{ *app }

func (a asHTTP1) Default(netip.AddrPort) *exchange.Server { return a.srv }

// speaks has HTTP/1's server hand its connections over.
type speaks struct{ s *engine.Server }

func (o speaks) Serve(nc net.Conn, info *exchange.Conn, b *server.Reporter) { o.s.Serve(nc, info, b) }

func (o speaks) Job(client server.LoopClient, info *exchange.Conn, b *server.Reporter, end func(*loop.Task)) loop.Job {
	return o.s.Job(engine.Client{Socket: transport.Socket(client), Info: info, Reporter: b, End: end})
}

// listenInLoops serves connections in event loops, as if each had agreed on HTTP/2 in a handshake.
func (f *front) listenInLoops(t testing.TB) (addr string, connections func() int) {
	shake := func(nc net.Conn) (net.Conn, *exchange.TLS, error) {
		state := &exchange.TLS{}
		state.NegotiatedProtocol = exchange.H2
		return nc, state, nil
	}
	s := server.New(asHTTP1{f.app}, server.Options{Log: f.note, Other: speaks{f.s}, TLSHandshake: func(netip.AddrPort) server.TLSHandshake { return shake }})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	own, err := server.NewListener(l.(*net.TCPListener))
	if err != nil {
		t.Fatal(err)
	}
	go s.Accept(own)
	t.Cleanup(func() {
		own.Close()
		f.s.Renew()
		s.Close()
	})
	return own.Addr().String(), s.Connections
}

// inClearText serves connections of clear text in event loops: HTTP/2 by its preface.
func (f *front) inClearText(t testing.TB) {
	f.app.srv.Protocols, f.app.srv.HTTP2.Loaded = []string{exchange.H2C, exchange.HTTP11}, true
	s := server.New(asHTTP1{f.app}, server.Options{Log: f.note, Other: speaks{f.s}})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	own, err := server.NewListener(l.(*net.TCPListener))
	if err != nil {
		t.Fatal(err)
	}
	go s.Accept(own)
	t.Cleanup(func() {
		own.Close()
		f.s.Renew()
		s.Close()
	})
	f.addr, f.connections = own.Addr().String(), s.Connections
}

// Clear text is served as TLS is: its streams are tasks of an event loop, whatever comes with the preface, and in how
// many pieces.
func TestClearTextInLoops(t *testing.T) {
	if !inLoops {
		t.Skip("in event loops")
	}
	looped := make(chan bool, 200)
	f := newFront(t, &app{serve: func(ctx context.Context, x *exchange.Exchange) {
		looped <- x.Task != nil
		sized(ctx, x)
	}})
	f.inClearText(t)
	for _, piece := range []int{1, 10, 40, 100000} {
		nc, err := net.Dial("tcp", f.addr)
		if err != nil {
			t.Fatal(err)
		}
		nc.SetDeadline(time.Now().Add(20 * time.Second))
		sent := requests(1, 20, nil)
		for len(sent) > 0 {
			n := min(piece, len(sent))
			nc.Write(sent[:n])
			if sent = sent[n:]; piece < 100 {
				time.Sleep(10 * time.Microsecond)
			}
		}
		got := 0
		fr := http2.NewFramer(nil, nc)
		for got < 20 {
			frame, err := fr.ReadFrame()
			if err != nil {
				t.Fatal(piece, err)
			}
			if h, ok := frame.(*http2.HeadersFrame); ok && h.StreamEnded() {
				got++
			}
		}
		for range 20 {
			if !<-looped {
				t.Fatal("a goroutine serves a stream")
			}
		}
		nc.Close()
	}
	f.wait(t)
	c := f.dial(t, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 20})
	c.get(1, "/300000")
	if what, data := c.outcome(1); what != "200" || len(data) != 300000 {
		t.Error(what, len(data))
	}
}
