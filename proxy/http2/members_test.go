package http2

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
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

// side is a member's side of a connection.
type side struct {
	nc net.Conn
	fr *http2.Framer
	b  bytes.Buffer
	e  *hpack.Encoder
	n  int // of the connection, from 1
}

// head sends a head.
func (m *side) head(id uint32, end bool, fields ...string) {
	m.b.Reset()
	for i := 0; i+1 < len(fields); i += 2 {
		m.e.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	m.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: m.b.Bytes(), EndHeaders: true, EndStream: end})
}

// longHead sends a head of n bytes that ends the stream.
func (m *side) longHead(id uint32, n int) {
	m.b.Reset()
	m.e.WriteField(hpack.HeaderField{Name: ":status", Value: "200"})
	for m.b.Len() < n {
		m.e.WriteField(hpack.HeaderField{Name: "x", Value: strings.Repeat("\x7f", 3000), Sensitive: true})
	}
	rest := m.b.Bytes()
	m.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: rest[:1], EndStream: true})
	for rest = rest[1:]; len(rest) > 0; {
		k := min(len(rest), 16<<10)
		m.fr.WriteContinuation(id, k == len(rest), rest[:k])
		rest = rest[k:]
	}
}

// scripted is a member that does with each frame what on says. Its settings are sent first.
func scripted(t *testing.T, settings []http2.Setting, on func(m *side, f http2.Frame)) *backendtest.Member {
	var n atomic.Int64
	return backendtest.Listen(t, func(nc net.Conn) {
		io.ReadFull(nc, make([]byte, len(http2.ClientPreface)))
		m := &side{nc: nc, fr: http2.NewFramer(nc, nc), n: int(n.Add(1))}
		m.e = hpack.NewEncoder(&m.b)
		m.fr.AllowIllegalWrites = true
		m.fr.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
		m.fr.WriteSettings(settings...)
		for {
			f, err := m.fr.ReadFrame()
			if err != nil {
				return
			}
			if s, ok := f.(*http2.SettingsFrame); ok && !s.IsAck() {
				m.fr.WriteSettingsAck()
			}
			on(m, f)
		}
	})
}

// Whatever a member does against the protocol, or too often, ends its stream or its connection, and it is told why.
func TestHostileMembers(t *testing.T) {
	repeat := func(n int, frame func(fr *http2.Framer)) func(*side, uint32) {
		return func(m *side, _ uint32) {
			var b bytes.Buffer
			fr := http2.NewFramer(&b, nil)
			fr.AllowIllegalWrites = true
			for range n {
				frame(fr)
			}
			m.nc.Write(b.Bytes())
		}
	}
	for _, c := range []struct {
		name     string
		settings []http2.Setting
		answer   func(m *side, id uint32)
		want     string // of the client
		told     string // to the member
	}{
		{"a push", nil, func(m *side, id uint32) {
			m.fr.WritePushPromise(http2.PushPromiseParam{StreamID: id, PromiseID: 2, BlockFragment: []byte{0x82}, EndHeaders: true})
		}, "502 BadHead", "GOAWAY PROTOCOL_ERROR"},
		{"pushes are on", []http2.Setting{{ID: http2.SettingEnablePush, Val: 1}}, func(*side, uint32) {}, "502 BadHead", "GOAWAY PROTOCOL_ERROR"},
		{"a head of a stream that never began", nil, func(m *side, id uint32) { m.head(id+20, true, ":status", "200") }, "502 BadHead", "GOAWAY PROTOCOL_ERROR"},
		{"a stream of the member's own", nil, func(m *side, id uint32) { m.head(2, true, ":status", "200") }, "502 BadHead", "GOAWAY PROTOCOL_ERROR"},
		{"data of a stream that never began", nil, func(m *side, id uint32) { m.fr.WriteData(id+20, true, []byte("x")) }, "502 BadHead", "GOAWAY PROTOCOL_ERROR"},
		{"a reset of a stream that never began", nil, func(m *side, id uint32) { m.fr.WriteRSTStream(id+20, 0) }, "502 BadHead", "GOAWAY PROTOCOL_ERROR"},
		{"data before the head", nil, func(m *side, id uint32) { m.fr.WriteData(id, true, []byte("x")) }, "502 BadHead", "RST PROTOCOL_ERROR"},
		{"data behind the end", nil, func(m *side, id uint32) {
			m.head(id, false, ":status", "200")
			m.fr.WriteData(id, true, []byte("abc"))
			m.fr.WriteData(id, true, []byte("more"))
		}, "200 ", ""},
		{"more than its length", nil, func(m *side, id uint32) {
			m.head(id, false, ":status", "200", "content-length", "2")
			m.fr.WriteData(id, true, []byte("abc"))
		}, "200 RST INTERNAL_ERROR ", "RST PROTOCOL_ERROR"},
		{"less than its length", nil, func(m *side, id uint32) {
			m.head(id, false, ":status", "200", "content-length", "5")
			m.fr.WriteData(id, true, []byte("abc"))
		}, "200 RST INTERNAL_ERROR ", "RST PROTOCOL_ERROR"},
		{"two lengths", nil, func(m *side, id uint32) {
			m.head(id, true, ":status", "200", "content-length", "5", "content-length", "6")
		}, "502 BadHead", "RST PROTOCOL_ERROR"},
		{"101", nil, func(m *side, id uint32) { m.head(id, false, ":status", "101") }, "502 BadHead", "RST PROTOCOL_ERROR"},
		{"a status of letters", nil, func(m *side, id uint32) { m.head(id, true, ":status", "abc") }, "502 BadHead", "RST PROTOCOL_ERROR"},
		{"an unknown pseudo field", nil, func(m *side, id uint32) { m.head(id, true, ":status", "200", ":path", "/") }, "502 BadHead", "RST PROTOCOL_ERROR"},
		{"a field of a connection", nil, func(m *side, id uint32) { m.head(id, true, ":status", "200", "keep-alive", "x") }, "502 BadHead", "RST PROTOCOL_ERROR"},
		{"Transfer-Encoding", nil, func(m *side, id uint32) { m.head(id, true, ":status", "200", "transfer-encoding", "chunked") }, "502 BadHead", "RST PROTOCOL_ERROR"},
		{"TE", nil, func(m *side, id uint32) { m.head(id, true, ":status", "200", "te", "gzip") }, "502 BadHead", "RST PROTOCOL_ERROR"},
		{"a pseudo field behind others", nil, func(m *side, id uint32) { m.head(id, true, "x", "y", ":status", "200") }, "502 BadHead", "RST PROTOCOL_ERROR"},
		{"a name in capitals", nil, func(m *side, id uint32) { m.head(id, true, ":status", "200", "X", "y") }, "502 BadHead", "RST PROTOCOL_ERROR"},
		{"a window beyond all", nil, func(m *side, id uint32) { m.fr.WriteWindowUpdate(0, 1<<31-1) }, "502 BadHead", "GOAWAY FLOW_CONTROL_ERROR"},
		{"a stream's window beyond all", nil, func(m *side, id uint32) { m.fr.WriteWindowUpdate(id, 1<<31-1) }, "502 BadHead", "RST FLOW_CONTROL_ERROR"},
		{"a compression that is none", nil, func(m *side, id uint32) {
			m.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: []byte{0xff, 0xff, 0xff, 0xff, 0x7f}, EndHeaders: true, EndStream: true})
		}, "502 BadHead", "GOAWAY COMPRESSION_ERROR"},
		{"PING without end", nil, repeat(60000, func(fr *http2.Framer) { fr.WritePing(false, [8]byte{}) }), "502 BadHead", ""},
		{"SETTINGS without end", nil, repeat(60000, func(fr *http2.Framer) { fr.WriteSettings() }), "502 BadHead", ""},
		{"unknown frames without end", nil, repeat(60000, func(fr *http2.Framer) { fr.WriteRawFrame(0x77, 0, 0, nil) }), "502 BadHead", ""},
		{"WINDOW_UPDATE without end", nil, repeat(60000, func(fr *http2.Framer) { fr.WriteWindowUpdate(1, 1) }), "502 BadHead", ""},
		{"empty DATA without end", nil, func(m *side, id uint32) {
			m.head(id, false, ":status", "200")
			repeat(60000, func(fr *http2.Framer) { fr.WriteData(id, false, nil) })(m, id)
		}, "200 RST INTERNAL_ERROR ", ""},
		{"CONTINUATION without end", nil, func(m *side, id uint32) {
			m.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: []byte{0x88}})
			repeat(60000, func(fr *http2.Framer) { fr.WriteContinuation(id, false, nil) })(m, id)
		}, "502 BadHead", ""},
		{"a head of 300 KiB", nil, func(m *side, id uint32) { m.longHead(id, 300<<10) }, "502 BadHead", "RST PROTOCOL_ERROR"},
		{"a head of 1 MiB", nil, func(m *side, id uint32) { m.longHead(id, 1<<20) }, "502 BadHead", ""},
		{"1xx heads without end", nil, func(m *side, id uint32) {
			var block bytes.Buffer
			hpack.NewEncoder(&block).WriteField(hpack.HeaderField{Name: ":status", Value: "103"})
			repeat(60000, func(fr *http2.Framer) {
				fr.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block.Bytes(), EndHeaders: true})
			})(m, id)
		}, "502 TooManyInterim", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			told := make(chan string, 1000)
			m := scripted(t, c.settings, func(m *side, f http2.Frame) {
				switch f := f.(type) {
				case *http2.MetaHeadersFrame:
					c.answer(m, f.StreamID)
				case *http2.GoAwayFrame:
					told <- "GOAWAY " + f.ErrCode.String()
				case *http2.RSTStreamFrame:
					told <- "RST " + f.ErrCode.String()
				}
			})
			a := &app{worker: newWorker(t, "h2c://"+m.Addr, nil)}
			k := newFront(t, a).dial(t)
			k.get(1, "/")
			what, _ := k.outcome(1)
			var e *backend.Failure
			if errs := a.failures(); len(errs) > 0 && errors.As(errs[0], &e) {
				what += " " + e.Kind.String()
			} else {
				what += " "
			}
			if what != c.want {
				t.Errorf("%q, want %q", what, c.want)
			}
			if c.told != "" {
				if got := <-told; got != c.told {
					t.Errorf("the member is told %s, want %s", got, c.told)
				}
			}
		})
	}
}

// A member that sends more than its window loses the stream, or the connection.
func TestWindowsHoldForMembers(t *testing.T) {
	told := make(chan string, 10)
	m := scripted(t, nil, func(m *side, f http2.Frame) {
		switch f := f.(type) {
		case *http2.MetaHeadersFrame:
			m.head(f.StreamID, false, ":status", "200")
			for range 20 {
				m.fr.WriteData(f.StreamID, false, make([]byte, 16000))
			}
		case *http2.RSTStreamFrame:
			told <- f.ErrCode.String()
		}
	})
	hold := make(chan bool)
	a := &app{worker: newWorker(t, "h2c://"+m.Addr, nil)}
	a.serve = func(ctx context.Context, x *exchange.Exchange) {
		a.forward(ctx, x, a.worker)
		x.Block()
		<-hold // nobody reads
	}
	k := newFront(t, a).dial(t)
	k.get(1, "/")
	if got := <-told; got != "FLOW_CONTROL_ERROR" {
		t.Error(got)
	}
	close(hold)
}

// As many streams as a member takes are on a connection; with max= who comes then waits for a place.
func TestStreamsOfAMember(t *testing.T) {
	for _, c := range []struct {
		max, want int
	}{{0, 5}, {1, 1}, {2, 2}} {
		var open, most atomic.Int64
		var ids sync.Map
		m := scripted(t, []http2.Setting{{ID: http2.SettingMaxConcurrentStreams, Val: 1}}, func(m *side, f http2.Frame) {
			if h, ok := f.(*http2.MetaHeadersFrame); ok {
				ids.Store(m.n, true)
				if n := open.Add(1); n > most.Load() {
					most.Store(n)
				}
				time.Sleep(50 * time.Millisecond)
				open.Add(-1)
				m.head(h.StreamID, true, ":status", "204")
			}
		})
		a := &app{worker: newWorker(t, "h2c://"+m.Addr, func(s *balancer.WorkerSettings) { s.Max = c.max })}
		f := newFront(t, a)
		k := f.dial(t)
		k.get(1, "/") // its settings are known then
		if what, _ := k.outcome(1); what != "204" {
			t.Fatal(what)
		}
		for i := range 5 {
			k.get(uint32(2*i+3), "/")
		}
		ended := 0
		k.until(func(fr http2.Frame) bool {
			if h, ok := fr.(*http2.MetaHeadersFrame); ok && h.PseudoValue("status") == "204" {
				ended++
			}
			return ended == 5
		})
		if n := m.Connections(); ended != 5 || c.max > 0 && n > c.max || c.max == 0 && n < 2 {
			t.Errorf("max=%d: %d answers, %d connections, %v", c.max, ended, n, a.failures())
		}
	}
}

// Who waits for a place longer than acquire= is turned away; the member is not to blame.
func TestAcquireOfAStream(t *testing.T) {
	came := make(chan bool, 1)
	m := scripted(t, []http2.Setting{{ID: http2.SettingMaxConcurrentStreams, Val: 1}}, func(m *side, f http2.Frame) {
		h, ok := f.(*http2.MetaHeadersFrame)
		switch {
		case ok && h.PseudoValue("path") == "/never":
			came <- true
		case ok:
			m.head(h.StreamID, true, ":status", "204")
		}
	})
	a := &app{worker: newWorker(t, "h2c://"+m.Addr, func(s *balancer.WorkerSettings) {
		s.Max, s.Acquire = 1, balancer.Some(100*time.Millisecond)
	})}
	a.srv = &exchange.Server{Levels: &exchange.Levels{}}
	k := newFront(t, a).dial(t)
	k.get(1, "/")
	k.outcome(1)
	k.get(3, "/never")
	<-came
	k.get(5, "/")
	if what, _ := k.outcome(5); what != "502" {
		t.Error(what)
	}
	var e *backend.Failure
	if errs := a.failures(); len(errs) != 1 || !errors.As(errs[0], &e) || e.Kind != backend.Exhausted {
		t.Error(errs)
	}
	k.fr.WriteRSTStream(3, http2.ErrCodeCancel)
}

// A connection that answers no PING is not used: ping= asks before, and what was waited for in vain asks behind.
func TestSilentConnections(t *testing.T) {
	for _, ping := range []bool{true, false} {
		var pings atomic.Int64
		m := scripted(t, nil, func(m *side, f http2.Frame) {
			switch f := f.(type) {
			case *http2.MetaHeadersFrame:
				if f.PseudoValue("path") == "/" {
					m.head(f.StreamID, true, ":status", "200", "x-connection", fmt.Sprint(m.n))
				}
			case *http2.PingFrame:
				if pings.Add(1); m.n > 1 {
					m.fr.WritePing(true, f.Data)
				}
			}
		})
		a := &app{worker: newWorker(t, "h2c://"+m.Addr, func(s *balancer.WorkerSettings) {
			s.Timeout = balancer.Some(300 * time.Millisecond)
			if ping {
				s.Ping = balancer.Some(100 * time.Millisecond)
			}
		})}
		k := newFront(t, a).dial(t)
		k.get(1, "/")
		if what, _ := k.outcome(1); what != "200" {
			t.Fatal(what)
		}
		if !ping {
			k.get(3, "/silence")
			if what, _ := k.outcome(3); what != "502" {
				t.Error(what)
			}
		}
		k.get(5, "/")
		if what, _ := k.outcome(5); what != "200" || m.Connections() != 2 {
			t.Error(ping, what, m.Connections(), a.failures())
		}
		for end := time.Now().Add(10 * time.Second); pings.Load() == 0; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal(ping, "no PING came")
			}
		}
	}
}

// slowFront is a client that takes its 1xx slowly.
type slowFront struct {
	exchange.Front
	begun chan bool
	hold  chan bool
	task  *exchange.Exchange
}

func (f slowFront) Interim(int, string, *exchange.Header) error {
	f.begun <- true
	f.task.Block()
	<-f.hold
	return nil
}

// A stream whose client takes no 1xx holds up no other one of the connection.
func TestInterimsHoldNobodyUp(t *testing.T) {
	m := scripted(t, nil, func(m *side, f http2.Frame) {
		if h, ok := f.(*http2.MetaHeadersFrame); ok {
			if h.PseudoValue("path") == "/hints" {
				for range 9 {
					m.head(h.StreamID, false, ":status", "103", "link", "</a>")
				}
			}
			m.head(h.StreamID, true, ":status", "204")
		}
	})
	a := &app{worker: newWorker(t, "h2c://"+m.Addr, nil)}
	begun, hold := make(chan bool, 20), make(chan bool)
	a.serve = func(ctx context.Context, x *exchange.Exchange) {
		if x.Req.RawPath == "/hints" {
			x.Front = slowFront{x.Front, begun, hold, x}
		}
		a.forward(ctx, x, a.worker)
	}
	k := newFront(t, a).dial(t)
	k.get(1, "/hints")
	<-begun
	for id := uint32(3); id < 13; id += 2 {
		k.get(id, "/")
		if what, _ := k.outcome(id); what != "204" {
			t.Fatal(what)
		}
	}
	close(hold)
	if what, _ := k.outcome(1); what != "204" || m.Connections() != 1 {
		t.Error(what, m.Connections(), a.failures())
	}
}

// Fields behind a request's body reach the member, those behind an answer's the client.
func TestTrailersBothWays(t *testing.T) {
	m := scripted(t, []http2.Setting{{ID: http2.SettingInitialWindowSize, Val: 1 << 20}}, func(m *side, f http2.Frame) {
		h, ok := f.(*http2.MetaHeadersFrame)
		if d, is := f.(*http2.DataFrame); is && len(d.Data()) > 0 {
			m.fr.WriteWindowUpdate(0, uint32(len(d.Data())))
		}
		if !ok || h.PseudoValue("method") != "" {
			return
		}
		got := ""
		for _, f := range h.Fields {
			got += f.Name + "=" + f.Value
		}
		m.head(h.StreamID, false, ":status", "200")
		m.fr.WriteData(h.StreamID, false, []byte(got))
		m.head(h.StreamID, true, "x-back", "2")
	})
	a := &app{worker: newWorker(t, "h2c://"+m.Addr, nil)}
	f := newFront(t, a)
	for _, n := range []int{5, 100000} {
		r, _ := http.NewRequest("POST", "http://"+f.addr+"/", io.MultiReader(strings.NewReader(strings.Repeat("b", n))))
		r.Trailer = http.Header{"X-Forth": {"1"}}
		res, err := browser(t).Do(r)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(res.Body)
		if string(got) != "x-forth=1" || err != nil || res.Trailer.Get("X-Back") != "2" {
			t.Errorf("%d: %s %v %v", n, got, err, res.Trailer)
		}
	}
}

// A member that takes no further stream on a connection is asked on another one, and the first one ends when it has
// nothing to do; one that takes them again meanwhile is asked there.
func TestMemberThatTakesNoStreams(t *testing.T) {
	var goodbyes, open atomic.Int64
	held := make(chan func(), 1)
	m := scripted(t, nil, func(m *side, f http2.Frame) {
		most := func(n uint32) { m.fr.WriteSettings(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: n}) }
		switch f := f.(type) {
		case *http2.MetaHeadersFrame:
			switch f.PseudoValue("path") {
			case "/once":
				most(0)
				m.head(f.StreamID, true, ":status", "200", "x-connection", fmt.Sprint(m.n))
			case "/hold":
				most(0)
				m.fr.WritePing(false, [8]byte{1})
				held <- func() {
					most(100)
					m.head(f.StreamID, true, ":status", "200")
				}
			default:
				m.head(f.StreamID, true, ":status", "200", "x-connection", fmt.Sprint(m.n))
			}
		case *http2.PingFrame:
			open.Add(1)
		case *http2.GoAwayFrame:
			goodbyes.Add(1)
		}
	})
	f := newFront(t, &app{worker: newWorker(t, "h2c://"+m.Addr, nil)})
	k := f.dial(t)
	for i := range 20 {
		k.get(uint32(2*i+1), "/once")
		if what, _ := k.outcome(uint32(2*i + 1)); what != "200" {
			t.Fatal(i, what)
		}
	}
	for end := time.Now().Add(10 * time.Second); goodbyes.Load() < 20; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal(goodbyes.Load(), "of 20 connections have ended")
		}
	}
	k.get(101, "/hold")
	goOn := <-held
	for open.Load() == 0 { // its PING is answered: the settings are known
		time.Sleep(time.Millisecond)
	}
	k.get(103, "/")
	if what, _ := k.outcome(103); what != "200" || m.Connections() != 22 {
		t.Error(what, m.Connections())
	}
	goOn()
	k.outcome(101)
	for i := range 5 {
		k.get(uint32(2*i+105), "/")
		if what, _ := k.outcome(uint32(2*i + 105)); what != "200" || m.Connections() != 22 {
			t.Error(what, m.Connections())
		}
	}
	if errs := f.app.failures(); len(errs) > 0 {
		t.Error(errs)
	}
}

// What a member's SETTINGS say in the middle of a request holds: windows that shrink below what was sent, and tables of
// the compression of no size.
func TestSettingsOfMembers(t *testing.T) {
	const size, first = 400000, 30000
	type sum struct{ got, allowed int }
	sums := make(chan sum, 1)
	m := scripted(t, []http2.Setting{{ID: http2.SettingInitialWindowSize, Val: first}}, func() func(m *side, f http2.Frame) {
		s, step, n := sum{allowed: first}, 0, 0
		return func(m *side, f http2.Frame) {
			switch f := f.(type) {
			case *http2.MetaHeadersFrame:
				switch f.PseudoValue("path") {
				case "/first": // the settings are known behind it
					m.head(f.StreamID, true, ":status", "200")
					return
				case "/table":
					for _, field := range f.Fields {
						if field.Name == "x-again" {
							n++
						}
					}
					m.head(f.StreamID, true, ":status", fmt.Sprint(200+n))
					m.fr.ReadMetaHeaders.SetAllowedMaxDynamicTableSize(0)
					m.fr.WriteSettings(http2.Setting{ID: http2.SettingHeaderTableSize, Val: 0})
					return
				}
				m.fr.WriteWindowUpdate(0, size)
			case *http2.SettingsFrame:
				if f.IsAck() && step == 1 { // all that may still come is what went before
					step, s.allowed = 2, s.got
					m.fr.WriteWindowUpdate(3, first-1)     // less than what is missing: nothing may come
					m.fr.WriteWindowUpdate(3, uint32(100)) // now 99 bytes may
					s.allowed += 99
				}
			case *http2.DataFrame:
				if s.got += len(f.Data()); s.got > s.allowed {
					m.nc.Close()
					sums <- s
					return
				}
				switch {
				case step == 0 && s.got == first:
					step = 1
					m.fr.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
				case step == 2 && s.got == s.allowed:
					step, s.allowed = 3, size
					m.fr.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: size - first - 99})
				}
				if f.StreamEnded() {
					m.head(f.StreamID, true, ":status", "200")
					sums <- s
				}
			}
		}
	}())
	f := newFront(t, &app{worker: newWorker(t, "h2c://"+m.Addr, nil)})
	c := browser(t)
	if r, err := c.Get("http://" + f.addr + "/first"); err != nil || r.StatusCode != 200 {
		t.Fatal(r, err)
	}
	r, err := c.Post("http://"+f.addr+"/", "text/plain", bytes.NewReader(make([]byte, size)))
	if err != nil || r.StatusCode != 200 {
		t.Fatal(r, err, f.app.failures())
	}
	if s := <-sums; s.got != size {
		t.Error(s.got, "bytes where", s.allowed, "may come")
	}
	k := f.dial(t)
	for i := range 4 {
		id := uint32(2*i + 1)
		k.get(id, "/table", "x-again", "the same value")
		if what, _ := k.outcome(id); what != fmt.Sprint(201+i) {
			t.Error(i, what, f.app.failures())
		}
	}
}
