package http2

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
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

func (o speaks) Serve(nc net.Conn, info *exchange.Conn, b *server.Reporter, _ any) {
	o.s.Serve(nc, info, b, nil)
}

func (o speaks) Job(client server.LoopClient, info *exchange.Conn, b *server.Reporter, asked any, end func(*loop.Task)) loop.Job {
	first, _ := asked.(*engine.First)
	return o.s.Job(engine.Client{Socket: transport.Socket(client), Info: info, Reporter: b, First: first, End: end})
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
	f.app.srv.KeepAlive = true
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

// switching serves HTTP/1.1 by switching to HTTP/2, and HTTP/2 as next does.
func switching(next func(context.Context, *exchange.Exchange)) func(context.Context, *exchange.Exchange) {
	return func(ctx context.Context, x *exchange.Exchange) {
		if x.Req.Major == 2 {
			next(ctx, x)
			return
		}
		first := engine.FirstOf(x)
		switch {
		case !x.Req.Upgrade:
			sized(ctx, x)
		case first == nil:
			x.Res.Status, x.Res.Local = 400, true
		default:
			x.Res.Status, x.Res.Local, x.Res.Switch = 101, true, first
			x.Res.Header.Add("Upgrade", exchange.H2C)
			x.Res.Header.Add("Connection", "Upgrade")
		}
	}
}

// upgrade asks for HTTP/2 by Upgrade; what comes behind is sent along, in pieces.
func (f *front) upgrade(t *testing.T, before, settings string, behind []byte, piece int) (net.Conn, *bufio.Reader) {
	nc, err := net.Dial("tcp", f.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(20 * time.Second))
	in := bufio.NewReader(nc)
	if before != "" {
		fmt.Fprintf(nc, "GET %s HTTP/1.1\r\nHost: h\r\n\r\n", before)
		r, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, r.Body)
	}
	sent := append([]byte("GET /300000 HTTP/1.1\r\nHost: h\r\nX-A: b\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: "+settings+"\r\n\r\n"), behind...)
	for len(sent) > 0 {
		n := min(piece, len(sent))
		nc.Write(sent[:n])
		if sent = sent[n:]; piece < 100 {
			time.Sleep(10 * time.Microsecond)
		}
	}
	return nc, in
}

// largeWindows is HTTP2-Settings with an initial window of 2 MiB.
const largeWindows = "AAQAIAAA"

// A connection that asks for HTTP/2 by Upgrade stays in its event loop, in however many pieces its preface comes, before
// the 101 or behind it, and whether it has served a request of HTTP/1.1 before.
func TestUpgradeInLoops(t *testing.T) {
	if !inLoops {
		t.Skip("in event loops")
	}
	looped := make(chan bool, 200)
	f := newFront(t, &app{serve: switching(func(ctx context.Context, x *exchange.Exchange) {
		looped <- x.Task != nil
		sized(ctx, x)
	})})
	f.inClearText(t)
	var behind bytes.Buffer
	fw := http2.NewFramer(&behind, nil)
	behind.WriteString(http2.ClientPreface)
	fw.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 20})
	fw.WriteSettingsAck()
	fw.WriteWindowUpdate(0, 4<<20)
	behind.Write(requests(3, 19, nil))
	for _, before := range []string{"", "/10"} {
		for _, piece := range []int{1, 10, 250, 100000} {
			_, in := f.upgrade(t, before, largeWindows, behind.Bytes(), piece)
			r, err := http.ReadResponse(in, nil)
			if err != nil || r.StatusCode != 101 || r.Header.Get("Upgrade") != "h2c" {
				t.Fatal(before, piece, r, err, f.logged())
			}
			fr := http2.NewFramer(nil, in)
			body := 0
			for ended := 0; ended < 20; {
				frame, err := fr.ReadFrame()
				if err != nil {
					t.Fatal(before, piece, ended, err)
				}
				if d, ok := frame.(*http2.DataFrame); ok && d.StreamID == 1 {
					body += len(d.Data())
				}
				if frame.Header().Flags.Has(http2.FlagDataEndStream) && frame.Header().Type <= http2.FrameHeaders {
					ended++
				}
			}
			if body != 300000 {
				t.Fatal(body)
			}
			for range 20 {
				if !<-looped {
					t.Fatal("a goroutine serves a stream")
				}
			}
		}
	}
}

// What follows a 101 and is no HTTP/2 ends the connection; so does nothing at all, and settings that are none.
func TestUpgradeToNothing(t *testing.T) {
	if !inLoops {
		t.Skip("in event loops")
	}
	f := newFront(t, &app{serve: switching(sized)})
	f.inClearText(t)
	for _, c := range []struct{ settings, behind, want string }{
		{largeWindows, "GET / HTTP/1.1\r\nHost: h\r\n\r\n", "101 Switching Protocols"},
		{largeWindows, http2.ClientPreface + "\x00\x00\x00\x04\x01\x00\x00\x00\x00", "101 Switching Protocols"},
		{"AAQA////", "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", "400 Bad Request"},
		{"AAT_____", http2.ClientPreface, "101 Switching Protocols"}, // a window of 2^32-1
	} {
		nc, in := f.upgrade(t, "", c.settings, []byte(c.behind), 100000)
		r, err := http.ReadResponse(in, nil)
		if err != nil || r.Status != c.want {
			t.Error(c, r, err)
			continue
		}
		nc.SetDeadline(time.Now().Add(5 * time.Second))
		if _, err := io.Copy(io.Discard, in); os.IsTimeout(err) {
			t.Error(c, "the connection stays")
		}
		nc.Close()
	}
	nc, _ := f.upgrade(t, "", largeWindows, nil, 100000)
	nc.Close()
	f.wait(t)
	if log := f.logged(); log != "" {
		t.Error(log)
	}
}

// A graceful end says GOAWAY to a connection that came by Upgrade, and lets its streams end.
func TestUpgradedEndsGracefully(t *testing.T) {
	if !inLoops {
		t.Skip("in event loops")
	}
	under, goOn := make(chan bool), make(chan bool)
	f := newFront(t, &app{serve: switching(func(ctx context.Context, x *exchange.Exchange) {
		under <- true
		x.Block()
		<-goOn
		sized(ctx, x)
	})})
	f.inClearText(t)
	var acked bytes.Buffer
	fw := http2.NewFramer(&acked, nil)
	acked.WriteString(http2.ClientPreface)
	fw.WriteSettings()
	fw.WriteSettingsAck()
	nc, in := f.upgrade(t, "", largeWindows, acked.Bytes(), 100000)
	<-under
	f.s.Renew()
	if r, err := http.ReadResponse(in, nil); err != nil || r.StatusCode != 101 {
		t.Fatal(r, err)
	}
	fr := http2.NewFramer(nc, in)
	goaways, whole := 0, false
	for {
		frame, err := fr.ReadFrame()
		if err != nil {
			break
		}
		switch frame := frame.(type) {
		case *http2.GoAwayFrame:
			if goaways++; goaways == 1 {
				close(goOn)
			}
		case *http2.PingFrame:
			fr.WritePing(true, frame.Data)
		case *http2.DataFrame:
			fr.WriteWindowUpdate(0, max(1, uint32(len(frame.Data()))))
			whole = whole || frame.StreamEnded()
		}
	}
	if goaways != 2 || !whole {
		t.Error(goaways, whole)
	}
	f.wait(t)
}
