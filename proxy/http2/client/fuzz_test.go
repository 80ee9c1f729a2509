package client

import (
	"bytes"
	"io"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"balancerd/balancer"
	"balancerd/proxy/backend"
	"balancerd/proxy/backend/backendtest"
	"balancerd/proxy/exchange"
	"balancerd/proxy/http2/frames"
	"balancerd/proxy/internal/loop"
)

// nowhere is a transport whose output the test takes.
type nowhere struct{}

func (nowhere) Kick(*loop.Task) {}

// fuzzed is a stream of the test's, and what came of it.
type fuzzed struct {
	s    *stream
	x    *exchange.Exchange
	body []byte
	err  error // how its body, or the attempt, ended
	head bool
}

// bytesBody is a body that is here.
type bytesBody struct{ *bytes.Reader }

func (b bytesBody) Buffered() []byte { return nil }
func (b bytesBody) Discard(int)      {}
func (b bytesBody) Taken() int64     { return b.Size() - int64(b.Len()) }

// ask begins a stream; with n > 0 with a body of that length.
func ask(t *testing.T, b *Backend, w *balancer.Worker, c *conn, n int) *fuzzed {
	x := &exchange.Exchange{Start: time.Now(), Server: &exchange.Server{Levels: &exchange.Levels{}}}
	x.Req.Method, x.Req.Body = "GET", exchange.NoBody{}
	x.Out.Method, x.Out.Target, x.Out.Host, x.Out.Minor = "GET", "/", "h", 1
	if n > 0 {
		x.Req.Method, x.Req.Length, x.Req.Body = "POST", int64(n), bytesBody{bytes.NewReader(make([]byte, n))}
		x.Out.Method, x.Out.HasBody = "POST", true
	}
	s := b.streams.Get().(*stream)
	s.Begin(w, x, &backend.Call{})
	s.timeout, s.conn = time.Second, c
	c.promised++
	var err error
	if s.up, err = uploadOf(x); err != nil {
		t.Fatal(err)
	}
	f := &fuzzed{s: s, x: x}
	if err := s.Start(); err != nil {
		f.err = err
	}
	return f
}

// drive does what the attempt would do now, without waiting.
func (f *fuzzed) drive(t *testing.T) {
	for !f.head && f.err == nil {
		event, said, err := f.s.look(true)
		switch {
		case err != nil:
			f.err = err
		case !said:
			return
		case event == backend.InterimResponse:
			f.s.Interim()
		case event == backend.WantsBody:
			f.err = f.s.Feed()
		default:
			f.head = true
			if f.err = f.s.Accept(); f.err == nil && f.x.Res.Body == nil {
				f.err = io.EOF
			}
		}
	}
	var p [1000]byte
	for f.err == nil {
		f.s.Buffered()
		n, err := f.s.readNow(p[:])
		f.body = append(f.body, p[:n]...)
		if f.err = err; n == 0 {
			return
		}
	}
}

// check is what must hold of a connection between two steps.
func (c *conn) check(t *testing.T) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.streams {
		if s.room < 0 || s.Unread() > memberWindow || len(s.interims) > mostInterims {
			t.Fatal("a stream holds more than it may", s.room, s.Unread(), len(s.interims))
		}
	}
	all := c.room + c.credit
	for _, s := range c.streams {
		all += s.Unread()
	}
	switch {
	case all > connWindow:
		t.Fatal("bytes given back twice", all-connWindow)
	case c.room < 0 || c.room > connWindow:
		t.Fatal("the window of the connection", c.room)
	case c.controls > mostControls+1:
		t.Fatal(c.controls, "frames that answer")
	case len(c.out.B) > 4*frames.MaxOutput+20*mostControls:
		t.Fatal(len(c.out.B), "bytes to be written")
	case c.head.size > memberHeader+10000, len(c.names) > keptNames:
		t.Fatal("of a head", c.head.size, len(c.names))
	}
}

// strictServer takes nothing that is against the protocol.
type strictServer struct {
	t       *testing.T
	out     bytes.Buffer
	fr      *http2.Framer
	preface bool
	done    map[uint32]bool
	open    map[uint32]bool
}

func (s *strictServer) took(b []byte) {
	s.out.Write(b)
	if !s.preface {
		if string(s.out.Next(len(http2.ClientPreface))) != http2.ClientPreface {
			s.t.Fatal("no preface")
		}
		s.preface = true
	}
	for s.out.Len() > 0 {
		f, err := s.fr.ReadFrame()
		if err != nil {
			s.t.Fatalf("a member can't read what was sent: %v", err)
		}
		id := f.Header().StreamID
		switch f := f.(type) {
		case *http2.MetaHeadersFrame:
			if s.done[id] {
				s.t.Fatal("HEADERS behind the end of", id)
			}
			s.open[id], s.done[id] = true, f.StreamEnded()
		case *http2.DataFrame:
			if !s.open[id] || s.done[id] {
				s.t.Fatal("DATA without a head, or behind the end of", id)
			}
			s.done[id] = f.StreamEnded()
		case *http2.RSTStreamFrame:
			if !s.open[id] {
				s.t.Fatal("RST_STREAM of a stream that is over, or never began: ", id)
			}
			s.open[id], s.done[id] = false, true
		}
	}
}

// seen is what a strict client reads of the body of a stream, and whether it was whole.
func seen(sent []byte, id uint32) (body []byte, whole bool) {
	fr := http2.NewFramer(nil, bytes.NewReader(sent))
	fr.ReadMetaHeaders = hpack.NewDecoder(frames.TableSize, nil)
	fr.MaxHeaderListSize = 1 << 24
	for {
		f, err := fr.ReadFrame()
		if _, only := err.(http2.StreamError); only {
			continue
		}
		if err != nil {
			return body, whole
		}
		if f.Header().StreamID != id || whole {
			continue
		}
		switch f := f.(type) {
		case *http2.MetaHeadersFrame:
			whole = f.StreamEnded()
		case *http2.DataFrame:
			body = append(body, f.Data()...)
			whole = f.StreamEnded()
		}
	}
}

// FuzzConn: whatever a member sends, in whatever pieces, nothing panics, what is held stays in its bounds, a strict
// server can read what it gets, and a body that is whole is what a strict client reads.
func FuzzConn(f *testing.F) {
	for _, seed := range seeds() {
		f.Add(seed, uint8(0))
		f.Add(seed, uint8(3))
	}
	f.Fuzz(func(t *testing.T, sent []byte, piece uint8) {
		b := NewBackend()
		w := backendtest.Worker(t, "h2c://127.0.0.1:1", nil)
		c := newConn(clientsOf(w), nil, kind{}, true, time.Second)
		c.transport = nowhere{}
		server := &strictServer{t: t, done: map[uint32]bool{}, open: map[uint32]bool{}}
		server.fr = http2.NewFramer(nil, &server.out)
		server.fr.ReadMetaHeaders = hpack.NewDecoder(frames.TableSize, nil)
		drain := func() {
			for o := c.Take(nil); len(o.B) > 0; o = c.Take(nil) {
				server.took(o.B)
				c.Wrote(o)
			}
		}
		list := []*fuzzed{ask(t, b, w, c, 0), ask(t, b, w, c, 100000), ask(t, b, w, c, 3), ask(t, b, w, c, 0)}
		all := sent
		for len(sent) > 0 && !c.Gone() {
			n := min(len(sent), 1+int(piece)*97)
			if piece == 0 {
				n = min(len(sent), 16<<10)
			}
			r := bytes.NewReader(sent[:n])
			for r.Len() > 0 {
				c.Receive(nil, r)
			}
			sent = sent[n:]
			c.Release()
			c.check(t)
			for _, s := range list {
				s.drive(t)
			}
			drain()
			c.check(t)
		}
		c.Lost(nil)
		for i, s := range list {
			s.drive(t)
			if s.err == nil {
				t.Fatal("a stream does not end")
			}
			if body, whole := seen(all, uint32(2*i+1)); s.err == io.EOF && s.x.Res.Body != nil && (!whole || !bytes.Equal(body, s.body)) {
				t.Fatalf("stream %d: %q, a strict client reads %q, %v", 2*i+1, s.body, body, whole)
			}
			if s.head {
				s.s.Finish(s.x)
			} else {
				s.s.Abandon(s.err)
			}
			s.x.Finish()
		}
		if len(c.streams)+c.promised+len(c.waiting) > 0 {
			t.Fatal("somebody is left", len(c.streams), c.promised, len(c.waiting))
		}
	})
}

// seeds are frames of members, good ones and others.
func seeds() (list [][]byte) {
	var out, block bytes.Buffer
	fr, enc := http2.NewFramer(&out, nil), hpack.NewEncoder(&block)
	fr.AllowIllegalWrites = true
	head := func(id uint32, end bool, fields ...string) {
		block.Reset()
		for i := 0; i+1 < len(fields); i += 2 {
			enc.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
		}
		fr.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block.Bytes(), EndHeaders: true, EndStream: end})
	}
	seed := func(write func()) {
		out.Reset()
		enc = hpack.NewEncoder(&block)
		fr.WriteSettings(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 100})
		fr.WriteSettingsAck()
		write()
		list = append(list, bytes.Clone(out.Bytes()))
	}
	seed(func() {
		head(1, false, ":status", "200", "content-type", "text/plain", "x-a", "1", "set-cookie", "a=b")
		fr.WriteDataPadded(1, false, []byte("abc"), make([]byte, 9))
		fr.WriteData(1, false, []byte("def"))
		head(1, true, "x-trailer", "1")
		head(7, true, ":status", "204")
	})
	seed(func() {
		head(3, false, ":status", "103", "link", "</a>")
		fr.WriteWindowUpdate(3, 100000)
		fr.WriteWindowUpdate(0, 100000)
		head(3, false, ":status", "200", "content-length", "5")
		fr.WriteData(3, true, []byte("hello"))
		fr.WriteRSTStream(3, http2.ErrCodeNo)
		head(5, false, ":status", "200", "content-length", "5")
		fr.WriteData(5, true, []byte("hell"))
		fr.WriteRSTStream(7, http2.ErrCodeRefusedStream)
	})
	seed(func() {
		fr.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 10}, http2.Setting{ID: http2.SettingHeaderTableSize, Val: 0}, http2.Setting{ID: http2.SettingMaxFrameSize, Val: 1 << 15})
		fr.WritePing(false, [8]byte{1})
		fr.WriteGoAway(3, http2.ErrCodeNo, []byte("bye"))
		head(1, false, ":status", "200")
		fr.WriteData(1, true, make([]byte, 10000))
		fr.WriteData(1, true, make([]byte, 10))
	})
	seed(func() {
		fr.WritePushPromise(http2.PushPromiseParam{StreamID: 1, PromiseID: 2, BlockFragment: []byte{0x82}, EndHeaders: true})
		head(9, true, ":status", "200")
	})
	seed(func() {
		block.Reset()
		enc.WriteField(hpack.HeaderField{Name: ":status", Value: "200"})
		fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block.Bytes()})
		fr.WriteContinuation(1, false, nil)
		fr.WriteContinuation(1, true, []byte{0x40, 1, 'x', 1, 'y'})
		fr.WriteData(2, true, nil)
	})
	return list
}
