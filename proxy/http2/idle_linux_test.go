package http2

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"balancerd/proxy/exchange"
	http1 "balancerd/proxy/http1/server"
)

// heap is how many bytes are in use.
func heap() int64 {
	var m runtime.MemStats
	for range 3 {
		runtime.GC() // pools are emptied by the second one
	}
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// perConnection is what an idle connection costs, once each has been used as use says.
func perConnection(t *testing.T, addr string, n int, use func(net.Conn)) int64 {
	list := make([]net.Conn, n)
	before := heap()
	for i := range list {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		c.SetDeadline(time.Now().Add(time.Minute))
		use(c)
		list[i] = c
	}
	time.Sleep(100 * time.Millisecond)
	after := heap()
	for _, c := range list {
		c.Close()
	}
	return (after - before) / int64(n)
}

// requests are the frames of GETs, and of POSTs with a body when it has bytes.
func requests(first uint32, n int, body []byte) []byte {
	var out, block bytes.Buffer
	fr, enc := http2.NewFramer(&out, nil), hpack.NewEncoder(&block)
	if first == 1 {
		out.WriteString(http2.ClientPreface)
		fr.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 20})
		fr.WriteSettingsAck()
	}
	method := "GET"
	if len(body) > 0 {
		method = "POST"
	}
	for i := range n {
		block.Reset()
		for _, f := range [...][2]string{{":method", method}, {":scheme", "http"}, {":authority", "h.test"}, {":path", "/"}, {"user-agent", "Mozilla/5.0 (X11; Linux x86_64)"}, {"accept", "*/*"}} {
			enc.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]})
		}
		id := first + uint32(2*i)
		fr.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block.Bytes(), EndHeaders: true, EndStream: len(body) == 0})
		for rest := body; len(rest) > 0; {
			k := min(len(rest), 16<<10)
			fr.WriteData(id, k == len(rest), rest[:k])
			rest = rest[k:]
		}
	}
	return out.Bytes()
}

// ends reads until so many streams have ended.
func ends(t *testing.T, c net.Conn, n int) {
	fr := http2.NewFramer(c, c)
	for n > 0 {
		f, err := fr.ReadFrame()
		if err != nil {
			t.Fatal(err)
		}
		if d, ok := f.(*http2.DataFrame); ok {
			if d.StreamEnded() {
				n--
			}
			if len(d.Data()) > 0 {
				fr.WriteWindowUpdate(0, uint32(len(d.Data())))
			}
		}
	}
}

// An idle connection holds no more than one of HTTP/1 and 4 KiB after a GET, and 24 KiB after much else: buffers are
// given back, and so is what reads frames.
func TestIdleConnectionsAreSmall(t *testing.T) {
	if !inLoops {
		t.Skip("in event loops")
	}
	const n = 100
	serve := func(ctx context.Context, x *exchange.Exchange) {
		io.Copy(io.Discard, x.Req.Body)
		x.Res.Status, x.Res.Local = 200, true
		x.Res.Header.Add("Content-Type", "text/plain")
		x.Res.Bytes(make([]byte, 100<<10))
	}
	a := &app{serve: serve}
	f := newFront(t, a)
	a.srv.KeepAlive, a.srv.KeepAliveTimeout = true, time.Minute
	plain := f.listenHTTP1(t)
	get := []byte("GET / HTTP/1.1\r\nHost: h.test\r\n\r\n")
	one, long := requests(1, 1, nil), requests(1, 4, make([]byte, 12<<10))
	more := requests(9, 50, nil)
	base := perConnection(t, plain, n, func(c net.Conn) {
		c.Write(get)
		buf := make([]byte, 100<<10+100)
		if _, err := io.ReadFull(c, buf); err != nil {
			t.Fatal(err)
		}
	})
	after := perConnection(t, f.addr, n, func(c net.Conn) { c.Write(one); ends(t, c, 1) })
	traffic := perConnection(t, f.addr, n, func(c net.Conn) {
		c.Write(long)
		ends(t, c, 4)
		c.Write(more)
		ends(t, c, 50)
	})
	t.Logf("HTTP/1: %d bytes, HTTP/2: %d after a GET, %d after more", base, after, traffic)
	if after > base+4<<10 || traffic > base+24<<10 {
		t.Errorf("HTTP/1: %d bytes, HTTP/2: %d after a GET, %d after more", base, after, traffic)
	}
}

// listenHTTP1 serves the same app by HTTP/1 in event loops.
func (f *front) listenHTTP1(t *testing.T) (addr string) {
	shake := func(nc net.Conn) (net.Conn, *exchange.TLS, error) { return nc, &exchange.TLS{}, nil }
	s := http1.New(asHTTP1{f.app}, http1.Options{Log: f.note, TLSHandshake: func(netip.AddrPort) http1.TLSHandshake { return shake }})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	own, err := http1.NewListener(l.(*net.TCPListener))
	if err != nil {
		t.Fatal(err)
	}
	go s.Accept(own)
	t.Cleanup(func() { own.Close(); s.Close() })
	return own.Addr().String()
}
