package server

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"balancerd/proxy/exchange"
	"balancerd/proxy/http2/frames"
	"balancerd/proxy/internal/loop"
)

// fuzzApp answers with what it reads, in one of several ways.
type fuzzApp struct{ srv *exchange.Server }

func (a fuzzApp) Named(netip.AddrPort, string) *exchange.Server { return a.srv }

func (a fuzzApp) Serve(_ context.Context, x *exchange.Exchange) {
	x.Res.Status, x.Res.Local = 200, true
	x.Res.Header.Add("Content-Type", "text/plain")
	if x.Req.Upgrade {
		x.Res.Status, x.Res.Tunnel = 101, sayHello{}
		x.Res.Header.Add("Sec-WebSocket-Accept", accepts(x.Req.Header.Get("Sec-WebSocket-Key")))
		return
	}
	switch x.Req.Method {
	case "POST":
		body, err := io.ReadAll(io.LimitReader(x.Req.Body, 1<<20))
		var fault *exchange.BodyError
		if err != nil && !errors.As(err, &fault) {
			panic(err)
		}
		x.Res.Bytes(body)
	case "PUT": // nobody reads it
		x.Res.Trailer.Add("X-T", "1")
		x.Res.Text("ok")
		x.Res.Length = -1
	case "GET":
		x.Res.Bytes(make([]byte, 40<<10))
	}
}

// sayHello is a tunnel that greets, reads what is there, and ends.
type sayHello struct{}

func (sayHello) Join(c exchange.Stream) {
	c.SetReadDeadline(time.Now().Add(time.Millisecond))
	io.WriteString(c, "hello")
	io.Copy(io.Discard, c)
	c.CloseWrite()
}

func (sayHello) Close() error { return nil }

func (a fuzzApp) Refuse(_ context.Context, x *exchange.Exchange, p *exchange.Problem) {
	x.Res.Status, x.Res.Local = int(p.Status), true
	x.Res.Text("refused")
}

func (fuzzApp) Done(_ context.Context, x *exchange.Exchange) { x.Finish() }

// quiet is a reporter that shows nothing.
type quiet struct{}

func (quiet) Begin(*exchange.Exchange)                    {}
func (quiet) End(*exchange.Exchange, time.Duration, bool) {}

// steps is a transport whose streams are served one after the other, when the test says so.
type steps struct{ begun []*stream }

func (s *steps) Kick(*loop.Task)                {}
func (s *steps) begin(_ *loop.Task, st *stream) { s.begun = append(s.begun, st) }
func (s *steps) drain(c *conn, took func([]byte)) {
	for {
		w := c.Take(nil)
		if len(w.B) == 0 {
			return
		}
		took(w.B)
		c.Wrote(w)
	}
}

// serve serves the streams that were begun, writing what they have to say meanwhile.
func (s *steps) serve(c *conn, took func([]byte)) {
	for len(s.begun) > 0 {
		c.mu.Lock()
		list := s.begun
		s.begun = nil
		c.mu.Unlock()
		for _, st := range list {
			done := make(chan bool)
			go func() { defer close(done); st.Run(nil) }()
			for over := false; !over; {
				select {
				case <-done:
					over = true
				default:
					runtime.Gosched()
				}
				s.drain(c, took)
			}
		}
	}
}

// check is what must hold of a connection between two steps.
func (c *conn) check(t *testing.T) {
	c.mu.Lock()
	defer c.mu.Unlock()
	unread := 0
	for _, st := range c.open {
		unread += st.Unread()
	}
	switch o := &c.out; {
	case len(c.open) > (mostWaiting+1)*c.limits.streams+1:
		t.Fatal(len(c.open), "streams")
	case c.window < 0, unread > max(connWindow, c.limits.window):
		t.Fatal("the client sent more than its window", c.window, unread)
	case !c.last && !c.gone && c.window+c.credit+unread != max(connWindow, c.limits.window):
		t.Fatal("bytes of flow control were lost, or given back twice", c.window, c.credit, unread)
	case o.window < 0, o.granted < 0, o.granted > frames.MaxOutput:
		t.Fatal("granted", o.granted, o.window)
	case o.controls > mostControls+1:
		t.Fatal(o.controls, "frames that answer")
	case len(o.B) > 4*frames.MaxOutput+20*mostControls:
		t.Fatal(len(o.B), "bytes to be written")
	case len(c.open) == 0 && (len(o.waiting) > 0 || o.granted != 0 || len(c.pending) > 0):
		t.Fatal("somebody waits who is not there", o.granted, len(o.waiting), len(c.pending))
	}
}

// strict is a client that takes nothing that is against the protocol, and counts windows.
type strict struct {
	t    *testing.T
	out  bytes.Buffer
	fr   *http2.Framer
	open map[uint32]bool // streams whose head has come, and not their end
	done map[uint32]bool
	sent int64 // bytes of DATA
}

func newStrict(t *testing.T) *strict {
	s := &strict{t: t, open: map[uint32]bool{}, done: map[uint32]bool{}}
	s.fr = http2.NewFramer(nil, &s.out)
	s.fr.ReadMetaHeaders = hpack.NewDecoder(frames.TableSize, nil)
	s.fr.MaxHeaderListSize = 1 << 24
	return s
}

// took reads frames, which must be whole.
func (s *strict) took(b []byte) {
	s.out.Write(b)
	for s.out.Len() > 0 {
		f, err := s.fr.ReadFrame()
		if err != nil {
			s.t.Fatalf("a client can't read what was sent: %v", err)
		}
		id := f.Header().StreamID
		switch f := f.(type) {
		case *http2.MetaHeadersFrame:
			if s.done[id] {
				s.t.Fatal("HEADERS behind the end of", id)
			}
			if status := f.PseudoValue("status"); status == "" && !f.StreamEnded() || status != "" && status[0] != '1' && s.open[id] {
				s.t.Fatal("a second head of", id)
			} else if status != "" && status[0] != '1' {
				s.open[id] = true
			}
			s.done[id] = f.StreamEnded()
		case *http2.DataFrame:
			if !s.open[id] || s.done[id] {
				s.t.Fatal("DATA without a head, or behind the end of", id)
			}
			s.sent += int64(len(f.Data()))
			s.done[id] = f.StreamEnded()
		case *http2.RSTStreamFrame:
			s.done[id] = true
		}
	}
}

// FuzzConn: whatever a client sends, in whatever pieces, nothing panics, what is held stays in its bounds, and a strict
// client can read what it gets.
func FuzzConn(f *testing.F) {
	for _, seed := range seeds() {
		f.Add(seed, uint8(0))
		f.Add(seed, uint8(7))
	}
	f.Fuzz(func(t *testing.T, sent []byte, piece uint8) {
		srv := &exchange.Server{Timeout: time.Millisecond, LimitLine: 200, LimitFieldSize: 200, LimitFields: 20}
		srv.HTTP2.Streams, srv.HTTP2.WebSockets, srv.HTTP2.Padding = 5, true, int(piece%3)
		said := ""
		s := New(fuzzApp{srv}, func(level exchange.Level, _ error, message string) {
			if level == exchange.Crit {
				said = message
			}
		})
		c := newConn(s, &exchange.Conn{}, quiet{}, srv)
		w := &steps{}
		c.transport, c.begin = w, w.begin
		client := newStrict(t)
		c.Hello(nil)
		sent = append([]byte(http2.ClientPreface), sent...)
		for len(sent) > 0 && !c.Gone() {
			n := min(len(sent), 1+int(piece)*97)
			if piece == 0 {
				n = min(len(sent), 16<<10)
			}
			n, _ = c.Receive(nil, bytes.NewReader(sent[:n]))
			sent = sent[n:]
			c.Release()
			c.check(t)
			w.serve(c, client.took)
			w.drain(c, client.took)
			c.HandleTimeouts(nil, time.Now())
			c.check(t)
		}
		c.Lost(nil)
		w.serve(c, client.took)
		c.check(t)
		if !c.Over() || said != "" {
			t.Fatal("it does not end: ", len(c.open), said)
		}
	})
}

// seeds are frames of clients, good ones and others.
func seeds() (list [][]byte) {
	var out, block bytes.Buffer
	fr, enc := http2.NewFramer(&out, nil), hpack.NewEncoder(&block)
	fr.AllowIllegalWrites = true
	ask := func(id uint32, end bool, method string, fields ...string) {
		block.Reset()
		for _, f := range [][2]string{{":method", method}, {":scheme", "http"}, {":authority", "h"}, {":path", "/x?y"}} {
			enc.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]})
		}
		for i := 0; i+1 < len(fields); i += 2 {
			enc.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
		}
		fr.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block.Bytes(), EndHeaders: true, EndStream: end})
	}
	seed := func(write func()) {
		out.Reset()
		block.Reset()
		enc = hpack.NewEncoder(&block)
		fr.WriteSettings()
		fr.WriteSettingsAck()
		write()
		list = append(list, bytes.Clone(out.Bytes()))
	}
	seed(func() {
		ask(1, true, "GET", "cookie", "a=1", "cookie", "b=2", "priority", "u=1, i")
		ask(3, true, "HEAD")
	})
	seed(func() {
		ask(1, false, "POST", "expect", "100-continue")
		fr.WriteDataPadded(1, false, []byte("abc"), make([]byte, 9))
		fr.WriteData(1, true, []byte("def"))
		ask(3, false, "PUT", "content-length", "3")
		fr.WriteRSTStream(3, http2.ErrCodeCancel)
		ask(5, true, "GET")
		fr.WriteWindowUpdate(5, 1<<20)
		fr.WriteWindowUpdate(0, 1<<20)
	})
	seed(func() {
		ask(1, false, "CONNECT", ":protocol", "websocket")
		fr.WriteData(1, true, []byte("abc"))
		ask(3, false, "CONNECT", ":protocol", "websocket", "content-length", "3")
		ask(5, true, "CONNECT", ":protocol", "other")
	})
	seed(func() {
		for id := uint32(1); id < 30; id += 2 {
			ask(id, false, "PUT")
			fr.WriteData(id, false, make([]byte, 100))
		}
		fr.WritePing(false, [8]byte{1})
		fr.WriteGoAway(0, http2.ErrCodeNo, nil)
		ask(31, true, "GET")
	})
	seed(func() {
		fr.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 10}, http2.Setting{ID: http2.SettingHeaderTableSize, Val: 0}, http2.Setting{ID: http2.SettingMaxFrameSize, Val: 1 << 15})
		ask(1, true, "GET")
		fr.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
		fr.WriteWindowUpdate(1, 100)
		fr.WritePriorityUpdate(1, "u=0")
		fr.WritePriority(3, http2.PriorityParam{StreamDep: 1})
	})
	seed(func() {
		block.Reset()
		enc.WriteField(hpack.HeaderField{Name: ":method", Value: "GET"})
		fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block.Bytes()})
		fr.WriteContinuation(1, false, nil)
		fr.WriteContinuation(1, true, []byte{0x84, 0x86})
		ask(3, false, "POST", "content-length", "2")
		block.Reset()
		enc.WriteField(hpack.HeaderField{Name: "x-trailer", Value: "1"})
		fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 3, BlockFragment: block.Bytes(), EndHeaders: true, EndStream: true})
	})
	return list
}
