package http2

import (
	"flag"
	"net"
	"net/netip"
	"os"
	"testing"

	"balancerd/proxy/exchange"
	"balancerd/proxy/http1/server"
	http2 "balancerd/proxy/http2/server"
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
type speaks struct{ s *http2.Server }

func (o speaks) Serve(nc net.Conn, info *exchange.Conn, b *server.Reporter) { o.s.Serve(nc, info, b) }

func (o speaks) Job(nc net.Conn, below *loop.Conn, fd *loop.Fd, info *exchange.Conn, b *server.Reporter, end func(*loop.Task)) loop.Job {
	return o.s.Job(http2.Client{Socket: transport.Socket{Conn: nc, Below: below, Fd: fd}, Info: info, Reporter: b, End: end})
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
