package http2

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"balancerd/proxy/exchange"
)

// sized answers "/N" with N bytes.
func sized(_ context.Context, x *exchange.Exchange) {
	n := 0
	fmt.Sscanf(x.Req.RawPath, "/%d", &n)
	x.Res.Status, x.Res.Local = 200, true
	x.Res.Bytes(make([]byte, n))
}

// frames reads frames until stop says so, and returns whether it did before the connection ended.
func (c *talk) until(stop func(http2.Frame) bool) bool {
	for {
		f, err := c.fr.ReadFrame()
		if err != nil {
			return false
		}
		if s, ok := f.(*http2.SettingsFrame); ok && !s.IsAck() {
			c.fr.WriteSettingsAck()
		}
		if stop(f) {
			return true
		}
	}
}

// ended reads until so many streams have ended, and returns them in that order.
func (c *talk) ended(n int) (order []uint32) {
	c.until(func(f http2.Frame) bool {
		if d, ok := f.(*http2.DataFrame); ok && d.StreamEnded() {
			order = append(order, d.StreamID)
		}
		return len(order) == n
	})
	return order
}

// Answers are sent by urgency; those that are not incremental one after the other, others in turns (RFC 9218).
func TestPriorities(t *testing.T) {
	f := newFront(t, &app{serve: sized})
	c := f.dial(t, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 20})
	prefer := []string{"u=5", "u=3", "u=3", "u=0, i", "u=0, i", "u=1"}
	for i, p := range prefer { // none of them can send before the window of the connection opens
		c.get(uint32(2*i+1), "/200000", "priority", p)
	}
	c.fr.WritePriorityUpdate(1, "u=2")
	f.begun(len(prefer))
	c.fr.WriteWindowUpdate(0, 1<<24)
	order := c.ended(len(prefer))
	if len(order) != len(prefer) {
		t.Fatal(order)
	}
	slices.Sort(order[:2])
	if want := []uint32{7, 9, 11, 1, 3, 5}; !slices.Equal(order, want) {
		t.Errorf("they ended as %v, want %v", order, want)
	}
}

// begun waits until so many exchanges have begun, and have sent what they can.
func (f *front) begun(n int) {
	for end := time.Now().Add(5 * time.Second); f.app.begins() < n && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(50 * time.Millisecond)
}

// An urgent stream of which only a 1xx was sent holds up no other one.
func TestInterimHoldsNobodyUp(t *testing.T) {
	hold := make(chan bool)
	f := newFront(t, &app{srv: &exchange.Server{HTTP2: exchange.HTTP2{EarlyHints: true}}, serve: func(ctx context.Context, x *exchange.Exchange) {
		if x.Req.RawPath == "/hold" {
			x.Front.Interim(103, "", &exchange.Header{})
			x.Block()
			<-hold
		}
		sized(ctx, x)
	}})
	c := f.dial(t)
	c.get(1, "/hold", "priority", "u=0")
	c.until(func(fr http2.Frame) bool { _, ok := fr.(*http2.MetaHeadersFrame); return ok })
	c.get(3, "/1000", "priority", "u=7")
	if what, data := c.outcome(3); what != "200" || len(data) != 1000 {
		t.Error(what, len(data))
	}
	close(hold)
}

// Who says nothing of priorities gets all answers side by side: none waits for another one's end.
func TestAnswersShare(t *testing.T) {
	f := newFront(t, &app{serve: sized})
	c := f.dial(t, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 20})
	const streams, size = 8, 300000
	for i := range streams {
		c.get(uint32(2*i+1), fmt.Sprint("/", size))
	}
	f.begun(streams)
	c.fr.WriteWindowUpdate(0, 1<<24)
	got := map[uint32]int{}
	first := 0
	c.until(func(f http2.Frame) bool {
		d, ok := f.(*http2.DataFrame)
		if ok {
			got[d.StreamID] += len(d.Data())
		}
		return ok && d.StreamEnded()
	})
	for _, n := range got {
		if n > size/2 {
			first++
		}
	}
	if first < streams/2 {
		t.Errorf("when the first one was there the others had %v", got)
	}
}

// Nothing is sent beyond the windows, of a stream and of the connection, also when the client makes them smaller.
func TestWindows(t *testing.T) {
	f := newFront(t, &app{serve: sized})
	c := f.dial(t, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1000})
	c.get(1, "/5000")
	got := 0
	read := func(n int) {
		c.until(func(f http2.Frame) bool {
			if d, ok := f.(*http2.DataFrame); ok {
				got += len(d.Data())
			}
			return got >= n
		})
		if got != n {
			t.Fatalf("%d bytes, the window is %d", got, n)
		}
	}
	read(1000)
	c.fr.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 400})
	c.fr.WriteWindowUpdate(1, 700) // of which 600 are owed
	read(1100)
	c.fr.WriteWindowUpdate(1, 1)
	read(1101)
	c.fr.WriteWindowUpdate(1, 10000)
	read(5000)
}

// A client's window is opened as what it has sent is read, and no sooner.
func TestUploadsAreHeldBack(t *testing.T) {
	wait := make(chan bool)
	srv := &exchange.Server{HTTP2: exchange.HTTP2{Window: 100000}}
	f := newFront(t, &app{srv: srv, serve: func(_ context.Context, x *exchange.Exchange) {
		x.Server = srv
		x.Block()
		<-wait
		n, err := io.Copy(io.Discard, x.Req.Body)
		x.Res.Status, x.Res.Local = 200, true
		x.Res.Text(fmt.Sprint(n, err))
	}})
	c := f.dial(t)
	c.ask(1, false, ":method", "POST", ":scheme", "http", ":authority", "h", ":path", "/")
	for range 10 {
		c.fr.WriteData(1, false, make([]byte, 10000))
	}
	c.fr.WritePing(false, [8]byte{1})
	opened := 0
	c.until(func(f http2.Frame) bool {
		if w, ok := f.(*http2.WindowUpdateFrame); ok && w.StreamID == 1 {
			opened += int(w.Increment)
		}
		p, ok := f.(*http2.PingFrame)
		return ok && p.IsAck()
	})
	if opened > 0 {
		t.Error(opened, "bytes more before any was read")
	}
	close(wait)
	c.until(func(f http2.Frame) bool { w, ok := f.(*http2.WindowUpdateFrame); return ok && w.StreamID == 1 })
	c.fr.WriteData(1, true, make([]byte, 10000))
	if what, data := c.outcome(1); what != "200" || data != "110000 <nil>" {
		t.Error(what, data)
	}
}

// More than a window is an error of the stream; more than the connection's one of the connection.
func TestWindowsHoldForClients(t *testing.T) {
	f := newFront(t, &app{serve: func(_ context.Context, x *exchange.Exchange) {
		x.Block()
		time.Sleep(200 * time.Millisecond)
		x.Res.Status, x.Res.Local = 200, true
	}})
	c := f.dial(t)
	post := func(id uint32, n int) {
		c.ask(id, false, ":method", "POST", ":scheme", "http", ":authority", "h", ":path", "/")
		for ; n > 0; n -= 16384 {
			c.fr.WriteData(id, false, make([]byte, min(n, 16384)))
		}
	}
	post(1, 65536)
	if what, _ := c.outcome(1); what != "RST FLOW_CONTROL_ERROR" {
		t.Error(what)
	}
	c = f.dial(t)
	for i := range 20 {
		post(uint32(2*i+1), 65535)
	}
	if what, _ := c.outcome(99); what != "GOAWAY FLOW_CONTROL_ERROR" {
		t.Error(what)
	}
}

// A graceful end is said twice: between the two further streams are served, and none behind them.
func TestTwoGoAways(t *testing.T) {
	f := newFront(t, &app{serve: echo})
	c := f.dial(t)
	c.get(1, "/")
	c.outcome(1)
	f.s.Renew()
	var last []uint32
	var ping [8]byte
	c.until(func(f http2.Frame) bool {
		if g, ok := f.(*http2.GoAwayFrame); ok {
			last = append(last, g.LastStreamID)
		}
		p, ok := f.(*http2.PingFrame)
		if ok {
			ping = p.Data
		}
		return ok
	})
	c.get(3, "/between")
	if what, _ := c.outcome(3); what != "200" {
		t.Error(what)
	}
	c.fr.WritePing(true, ping)
	c.get(5, "/behind")
	for {
		fr, err := c.fr.ReadFrame()
		if err != nil {
			break
		}
		if g, ok := fr.(*http2.GoAwayFrame); ok {
			last = append(last, g.LastStreamID)
		}
		if h, ok := fr.(*http2.MetaHeadersFrame); ok {
			t.Error("an answer behind the end: ", h.StreamID)
		}
	}
	if want := []uint32{1<<31 - 1, 3}; !slices.Equal(last, want) {
		t.Error(last, want)
	}
	f.wait(t)
}

// Who owes something for too long is told, and cut off.
func TestWhatClientsOwe(t *testing.T) {
	srv := func() *exchange.Server {
		return &exchange.Server{Timeout: 300 * time.Millisecond, KeepAliveTimeout: 5 * time.Second}
	}
	goAway := func(c *talk) (code http2.ErrCode) {
		code = 99
		for {
			f, err := c.fr.ReadFrame()
			if err != nil {
				return code
			}
			if g, ok := f.(*http2.GoAwayFrame); ok {
				code = g.ErrCode
			}
		}
	}
	t.Run("an acknowledgement", func(t *testing.T) {
		f := newFront(t, &app{srv: srv(), serve: echo})
		if code := goAway(f.dial(t)); code != http2.ErrCodeSettingsTimeout {
			t.Error(code)
		}
		f.wait(t)
	})
	t.Run("the rest of a header block", func(t *testing.T) {
		f := newFront(t, &app{srv: srv(), serve: echo})
		c := f.dial(t)
		c.fr.WriteSettingsAck()
		c.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte{0x82}})
		if code := goAway(c); code != http2.ErrCodeProtocol {
			t.Error(code)
		}
		f.wait(t)
	})
	t.Run("another request", func(t *testing.T) {
		s := srv()
		s.KeepAliveTimeout = 200 * time.Millisecond
		f := newFront(t, &app{srv: s, serve: echo})
		c := f.dial(t)
		c.fr.WriteSettingsAck()
		if code := goAway(c); code != http2.ErrCodeNo {
			t.Error(code)
		}
		f.wait(t)
	})
}

// A client that reads nothing loses its connection, and holds no more than the bounds say meanwhile.
func TestClientThatDoesNotRead(t *testing.T) {
	var sent atomic.Int64
	srv := &exchange.Server{Timeout: 500 * time.Millisecond, KeepAliveTimeout: time.Minute}
	f := newFront(t, &app{srv: srv, serve: func(_ context.Context, x *exchange.Exchange) {
		x.Server = srv
		x.Res.Status, x.Res.Local, x.Res.Length = 200, true, -1
		x.Res.Body = endless{&sent}
	}})
	c := f.dial(t, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1<<31 - 1})
	c.fr.WriteSettingsAck()
	c.fr.WriteWindowUpdate(0, 1<<30)
	for i := range 50 {
		c.get(uint32(2*i+1), "/")
	}
	f.wait(t)
	if n := sent.Load(); n > 64<<20 { // what the system takes, and a little
		t.Error(n>>20, "MiB were taken from the members")
	}
}

// endless is a body without an end.
type endless struct{ n *atomic.Int64 }

func (e endless) Read(p []byte) (int, error) { e.n.Add(int64(len(p))); return len(p), nil }
func (endless) Buffered() []byte             { return nil }
func (endless) Discard(int)                  {}
func (endless) Close() error                 { return nil }

// THE table of floods: each ends the connection, or costs nothing; the server lives on.
func TestFloods(t *testing.T) {
	for _, c := range []struct {
		name  string
		frame func(fr *http2.Framer, i uint32)
		n     uint32
	}{
		{"PING", func(fr *http2.Framer, i uint32) { fr.WritePing(false, [8]byte{}) }, 60000},
		{"SETTINGS", func(fr *http2.Framer, i uint32) { fr.WriteSettings() }, 60000},
		{"empty DATA", func(fr *http2.Framer, i uint32) { fr.WriteData(1, false, nil) }, 60000},
		{"WINDOW_UPDATE", func(fr *http2.Framer, i uint32) { fr.WriteWindowUpdate(1, 1) }, 60000},
		{"PRIORITY", func(fr *http2.Framer, i uint32) { fr.WritePriority(2*i+1, http2.PriorityParam{StreamDep: 2*i + 3}) }, 60000},
		{"unknown frames", func(fr *http2.Framer, i uint32) { fr.WriteRawFrame(0x77, 0, 0, nil) }, 60000},
		{"PRIORITY_UPDATE", func(fr *http2.Framer, i uint32) { fr.WritePriorityUpdate(1, "u=1") }, 60000},
		{"streams that are refused", func(fr *http2.Framer, i uint32) {
			fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 2*i + 5, BlockFragment: []byte{0x82, 0x86, 0x84, 0x41, 1, 'h'}, EndHeaders: true})
		}, 60000},
		{"resets of nothing", func(fr *http2.Framer, i uint32) { fr.WriteRSTStream(1, http2.ErrCodeCancel) }, 60000},
		{"streams that we reset", func(fr *http2.Framer, i uint32) {
			fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 2*i + 5, BlockFragment: []byte{0x82, 0x86, 0x84, 0x41, 1, 'h'}, EndHeaders: true})
			fr.WriteRawFrame(http2.FrameWindowUpdate, 0, 2*i+5, []byte{0, 0, 0, 0})
		}, 3000},
		{"CONTINUATION", func(fr *http2.Framer, i uint32) {
			if i == 0 {
				fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 5, BlockFragment: []byte{0x82}})
			}
			fr.WriteContinuation(5, false, nil)
		}, 60000},
		{"a head without end", func(fr *http2.Framer, i uint32) {
			field := append([]byte{0x10, 1, 'x', 0x7f, 0x81, 0x7c}, bytes.Repeat([]byte("v"), 16000)...) // never to be indexed, 16000 bytes
			if i == 0 {
				fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 5, BlockFragment: []byte{0x82}})
			}
			fr.WriteContinuation(5, false, field)
		}, 100},
	} {
		t.Run(c.name, func(t *testing.T) {
			hold := make(chan bool)
			a := &app{srv: &exchange.Server{HTTP2: exchange.HTTP2{Streams: 20}}}
			a.serve = func(ctx context.Context, x *exchange.Exchange) {
				if x.Req.RawPath == "/well" {
					echo(ctx, x)
					return
				}
				x.Block()
				select {
				case <-hold:
				case <-ctx.Done():
				}
				x.Res.Status, x.Res.Local = 200, true
			}
			f := newFront(t, a)
			k := f.dial(t)
			k.ask(1, false, ":method", "POST", ":scheme", "http", ":authority", "h", ":path", "/hold")
			go func() {
				var b bytes.Buffer
				fr := http2.NewFramer(&b, nil)
				fr.AllowIllegalWrites = true
				for i := range c.n {
					c.frame(fr, i)
					if b.Len() > 60000 {
						if _, err := k.nc.Write(b.Bytes()); err != nil {
							return
						}
						b.Reset()
					}
				}
				k.nc.Write(b.Bytes())
			}()
			if k.until(func(fr http2.Frame) bool { g, ok := fr.(*http2.GoAwayFrame); return ok && g.ErrCode != http2.ErrCodeNo }); a.begins() > 500 {
				t.Error(a.begins(), "exchanges")
			}
			close(hold)
			k.nc.Close()
			f.wait(t)
			w := f.dial(t)
			w.get(1, "/well")
			if what, _ := w.outcome(1); what != "200" {
				t.Error(what)
			}
		})
	}
}

// Answers' heads that are longer than a frame are cut into several, which the client reads as one.
func TestLongHeads(t *testing.T) {
	long := strings.Repeat("\x80", 50000) // Huffman's code makes it longer
	f := newFront(t, &app{serve: func(_ context.Context, x *exchange.Exchange) {
		x.Res.Status, x.Res.Local = 200, true
		x.Res.Header.Add("X-Long", long)
		x.Res.Trailer.Add("X-Trailer", long)
		x.Res.Text("ok")
		x.Res.Length = -1
	}})
	c := f.dial(t)
	c.fr.MaxHeaderListSize = 1 << 20
	c.fr.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	heads := 0
	c.get(1, "/")
	c.until(func(f http2.Frame) bool {
		h, ok := f.(*http2.MetaHeadersFrame)
		if ok {
			heads++
			if len(h.Fields) == 0 || !slices.ContainsFunc(h.Fields, func(f hpack.HeaderField) bool { return f.Value == long }) {
				t.Error("it was cut")
			}
		}
		return ok && h.StreamEnded()
	})
	if heads != 2 {
		t.Error(heads)
	}
}

// What came of a body whose exchange never began is given back: the client's window of the connection is as wide as before.
func TestWaitingStreamsLoseNoWindow(t *testing.T) {
	hold, begun := make(chan bool), make(chan bool, 1)
	f := newFront(t, &app{srv: &exchange.Server{HTTP2: exchange.HTTP2{Streams: 1}}, serve: func(ctx context.Context, x *exchange.Exchange) {
		if x.Req.RawPath == "/hold" {
			begun <- true
			x.Block()
			<-hold
		}
		echo(ctx, x)
	}})
	c := f.dial(t)
	post := func(id uint32, path string) {
		c.ask(id, false, ":method", "POST", ":scheme", "http", ":authority", "h", ":path", path)
	}
	post(1, "/hold")
	<-begun
	c.fr.WriteRSTStream(1, http2.ErrCodeCancel)
	for i := range 40 {
		id := uint32(2*i + 3)
		post(id, "/")
		for range 4 {
			c.fr.WriteData(id, false, make([]byte, 15000))
		}
		c.fr.WriteRSTStream(id, http2.ErrCodeCancel)
	}
	close(hold)
	post(101, "/")
	c.fr.WriteData(101, true, []byte("abc"))
	if what, data := c.outcome(101); what != "200" || !strings.HasSuffix(data, "-1 abc <nil>\n") {
		t.Error(what, data)
	}
}
