package backend_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"balancerd/balancer"
	"balancerd/proxy/backend"
	"balancerd/proxy/backend/backendtest"
	"balancerd/proxy/exchange"
)

// packets is a protocol made to try what HTTP/1.1 does not: each packet is a letter, a length of two bytes and that
// many bytes. From us: P ping, H head, B a piece of the body, empty at its end. From the member: p pong, h head (the
// status), d a piece of the body, w wants the next piece of ours, e end (1: the connection goes on).
type packets struct {
	s      *backend.SerialStream
	credit backend.Credit
	piece  int

	status int
	keeps  bool
	broken error
	inside int // of a d packet: bytes still to come
}

const maxPiece = 1000

func (c *packets) Begin(s *backend.SerialStream) { c.s, c.keeps, c.broken, c.inside = s, false, nil, 0 }
func (c *packets) End()                          { c.s = nil }
func (c *packets) Unasked() backend.Credit       { return c.credit }
func (c *packets) PieceSize() int                { return c.piece }

func packet(dst []byte, kind byte, n int) []byte {
	return binary.BigEndian.AppendUint16(append(dst, kind), uint16(n))
}

func (c *packets) AppendHead(b []byte) ([]byte, error) {
	text := fmt.Sprintf("%s %s %d", c.s.X.Out.Method, c.s.X.Out.Target, c.s.Body.Length())
	return append(packet(b, 'H', len(text)), text...), nil
}

func (c *packets) AppendPiece(b []byte, n int) []byte { return packet(b, 'B', n) }
func (c *packets) AppendPieceEnd(b []byte) []byte     { return append(b, ';') }
func (c *packets) AppendEnd(b []byte) []byte          { return packet(b, 'B', 0) }
func (c *packets) AppendPing(b []byte) []byte         { return packet(b, 'P', 0) }

func next(in []byte) (kind byte, data []byte, err error) {
	if len(in) < 3 {
		return 0, nil, backend.ErrIncomplete
	}
	n := int(binary.BigEndian.Uint16(in[1:]))
	if len(in) < 3+n {
		return in[0], nil, backend.ErrIncomplete
	}
	return in[0], in[3 : 3+n], nil
}

func (c *packets) ParsePong(in []byte) (int, error) {
	kind, _, err := next(in)
	if err == nil && kind != 'p' {
		err = errors.New("no pong")
	}
	return 3, err
}

func (c *packets) NoPong(error) {}

func (c *packets) ParseHead(in []byte) (int, backend.Event, error) {
	kind, data, err := next(in)
	switch {
	case err != nil:
		return 0, 0, err
	case kind == 'w':
		return 3, backend.WantsBody, nil
	case kind != 'h':
		return 0, 0, c.s.Fail(backend.BadHead, nil)
	}
	fmt.Sscan(string(data), &c.status)
	return 3 + len(data), backend.FinalResponse, nil
}

func (c *packets) Begun([]byte) bool            { return false }
func (c *packets) Interim() backend.InterimHead { return backend.InterimHead{} }
func (c *packets) Broken(err error)             { c.broken = err }

func (c *packets) Accept() (backend.Framing, error) {
	c.s.X.Res.Header.Reset()
	c.s.X.Res.Status, c.s.X.Res.Proxied = c.status, true
	return backend.Framing{Body: backend.Coded, Length: -1}, nil
}

// Decode takes pieces as they come, whole or not; heads of packets it wants whole.
func (c *packets) Decode(p []byte) (n, used int, err error) {
	for used < len(p) {
		if c.inside > 0 {
			k := min(c.inside, len(p)-used)
			copy(p[n:], p[used:used+k])
			n, used, c.inside = n+k, used+k, c.inside-k
			continue
		}
		if len(p)-used < 3 {
			return n, used, io.ErrUnexpectedEOF // the members of these tests write heads at once
		}
		kind, size := p[used], int(binary.BigEndian.Uint16(p[used+1:]))
		used += 3
		switch kind {
		case 'd':
			c.inside = size
		case 'w':
			return n, used, backend.ErrWantsBody
		case 'e':
			c.keeps = p[used] == '1'
			return n, used + size, io.EOF
		default:
			return n, used, errors.New("bad packet")
		}
	}
	return n, used, nil
}

func (c *packets) Reuse() backend.Reason {
	if !c.keeps {
		return backend.MemberCloses
	}
	return backend.Reusable
}

func (c *packets) Counted(t backend.Traffic) (sent, read int64) { return t.SentBody, t.ReceivedBody }

// peer is a member's side of a connection of packets.
type peer struct {
	net.Conn
	in *bufio.Reader
}

func (p *peer) say(kind byte, text string) {
	p.Write(append(packet(nil, kind, len(text)), text...))
}

func (p *peer) hear() (kind byte, text string) {
	var h [3]byte
	if _, err := io.ReadFull(p.in, h[:]); err != nil {
		return 0, ""
	}
	b := make([]byte, binary.BigEndian.Uint16(h[1:]))
	io.ReadFull(p.in, b)
	if h[0] == 'B' && len(b) > 0 {
		p.in.ReadByte() // ';'
	}
	return h[0], string(b)
}

// body hears pieces to the end; each is asked for if that is how it goes.
func (p *peer) body(asks, first bool) (all string, largest int) {
	for {
		if asks && !first {
			p.say('w', "")
		}
		first = false
		kind, text := p.hear()
		if kind != 'B' || text == "" {
			return all, largest
		}
		all += text
		largest = max(largest, len(text))
	}
}

// source is a client's body that comes in pieces.
type source struct {
	left  string
	ready int // of it, what lies ready
	taken int64
	step  int
}

func (s *source) Read(p []byte) (int, error) {
	if s.left == "" {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), s.step)], s.left)
	s.Discard(n)
	return n, nil
}

func (s *source) Buffered() []byte { return []byte(s.left[:min(s.ready, len(s.left))]) }
func (s *source) Taken() int64     { return s.taken }
func (s *source) Discard(n int) {
	s.left, s.taken, s.ready = s.left[n:], s.taken+int64(n), max(0, s.ready-n)
}

// post begins an exchange with a body for a worker.
func post(b backend.Backend, w *balancer.Worker, body string, length int64) (*exchange.Exchange, error) {
	x := &exchange.Exchange{Server: server(), Start: time.Now()}
	x.Req.Method, x.Req.Length, x.Req.Body = "POST", length, &source{left: body, step: 700}
	x.Out.Method, x.Out.Target, x.Out.Minor, x.Out.HasBody, x.Out.Length = "POST", "/p", 1, body != "" || length != 0, length
	return x, b.RoundTrip(context.Background(), w, x, &backend.Call{})
}

func rest(t *testing.T, x *exchange.Exchange) string {
	t.Helper()
	if x.Res.Body == nil {
		return ""
	}
	all, err := io.ReadAll(x.Res.Body)
	if err != nil {
		t.Error(err)
	}
	return string(all)
}

// A protocol of packets has its body as it wants it: behind the head, or in pieces that the member asks for, also
// while it answers already. The connection goes on if the member says so.
func TestCodecBodies(t *testing.T) {
	long := strings.Repeat("0123456789", 4000)
	for _, c := range []struct {
		name   string
		credit backend.Credit
		body   string
		known  bool
	}{
		{"all, short", backend.All, "abc", true},
		{"all, some pieces", backend.All, long[:5000], true},
		{"all, long", backend.All, long, true},
		{"all, length unknown", backend.All, long, false},
		{"first piece", backend.OnePiece, "abc", true},
		{"first piece, long", backend.OnePiece, long, true},
		{"asked for", backend.Nothing, "abc", false},
		{"asked for, long", backend.Nothing, long, false},
		{"none", backend.OnePiece, "", true},
		{"none, all", backend.All, "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			asks := c.credit != backend.All
			m := backendtest.Listen(t, func(nc net.Conn) {
				p := &peer{nc, bufio.NewReader(nc)}
				for range 2 {
					_, head := p.hear()
					got, largest := "", 0
					switch {
					case c.body != "" && asks: // half of it before the head, half behind it
						if c.credit == backend.Nothing {
							p.say('w', "")
						}
						_, got = p.hear()
						largest = len(got)
						p.say('h', "200")
						p.say('d', "early ")
						more, l := p.body(true, false)
						got, largest = got+more, max(l, largest)
					case c.body != "" || c.credit == backend.All:
						got, largest = p.body(false, false)
						p.say('h', "200")
					default:
						p.say('h', "200")
					}
					p.say('d', fmt.Sprint(head, " ", len(got), " ", got == c.body, " ", largest <= maxPiece))
					p.say('e', "1")
				}
			})
			w := backendtest.Worker(t, "http://"+m.Addr, nil)
			b := backend.NewSerial(func() backend.Codec { return &packets{credit: c.credit, piece: maxPiece} }, false)
			length := int64(-1)
			if c.known {
				length = int64(len(c.body))
			}
			said := length
			if len(c.body) < 16000 { // it was read to its end before
				said = int64(len(c.body))
			}
			want := fmt.Sprintf("POST /p %d %d true true", said, len(c.body))
			if asks && c.body != "" {
				want = "early " + want
			}
			for range 2 {
				x, err := post(b, w, c.body, length)
				if err != nil {
					t.Fatal(err)
				}
				if got := rest(t, x); got != want || x.Res.Status != 200 {
					t.Errorf("%d %q, want %q", x.Res.Status, got, want)
				}
				x.Finish()
			}
			if m.Connections() != 1 {
				t.Errorf("%d connections", m.Connections())
			}
			if sent, read := w.Traffic(); sent != 2*int64(len(c.body)) || read == 0 {
				t.Errorf("%d sent, %d read", sent, read)
			}
		})
	}
}

// ping= asks before the request. A connection that does not answer is given up, and one more is tried, whatever the
// method: the member saw nothing of the request.
func TestCodecPing(t *testing.T) {
	for _, c := range []struct {
		name   string
		deaf   int // how many connections do not answer
		closes bool
		conns  int
		kind   backend.Kind // 0: it is answered
	}{
		{"answered", 0, false, 1, 0},
		{"closed once", 1, true, 2, 0},
		{"silent once", 1, false, 2, 0},
		{"closed twice", 2, true, 2, backend.NoContinue},
		{"silent twice", 2, false, 2, backend.NoContinue},
	} {
		t.Run(c.name, func(t *testing.T) {
			var mu sync.Mutex
			deaf := c.deaf
			m := backendtest.Listen(t, func(nc net.Conn) {
				p := &peer{nc, bufio.NewReader(nc)}
				mu.Lock()
				deaf--
				silent := deaf >= 0
				mu.Unlock()
				if silent && c.closes {
					return
				}
				for {
					switch kind, _ := p.hear(); {
					case kind == 0:
						return
					case silent:
					case kind == 'P':
						p.say('p', "")
					case kind == 'H':
						body, _ := p.body(false, false)
						p.say('h', "200")
						p.say('d', body)
						p.say('e', "1")
					}
				}
			})
			w := backendtest.Worker(t, "http://"+m.Addr, func(s *balancer.WorkerSettings) {
				s.Ping.Set, s.Ping.V = true, 10*time.Second
				if c.deaf > 0 && !c.closes {
					s.Ping.V = 50 * time.Millisecond
				}
			})
			b := backend.NewSerial(func() backend.Codec { return &packets{piece: maxPiece} }, false)
			x, err := post(b, w, "abc", 3)
			var f *backend.Failure
			switch errors.As(err, &f); {
			case c.kind != 0:
				if f == nil || f.Kind != c.kind || f.Sent || f.Timeout == c.closes {
					t.Errorf("%v", err)
				}
			case err != nil:
				t.Fatal(err)
			default:
				if got := rest(t, x); got != "abc" {
					t.Errorf("%q", got)
				}
			}
			x.Finish()
			if n := m.Connections(); n != c.conns {
				t.Errorf("%d connections, want %d", n, c.conns)
			}
		})
	}
}

// A protocol whose head tells the body's length gets to know it, however long the body is.
func TestCodecLengthFirst(t *testing.T) {
	m := backendtest.Listen(t, func(nc net.Conn) {
		p := &peer{nc, bufio.NewReader(nc)}
		_, head := p.hear()
		body, _ := p.body(false, false)
		p.say('h', "200")
		p.say('d', fmt.Sprint(head, " ", len(body)))
		p.say('e', "0")
	})
	w := backendtest.Worker(t, "http://"+m.Addr, nil)
	b := backend.NewSerial(func() backend.Codec { return &packets{piece: maxPiece} }, true)
	for _, n := range []int{5, 100_000} {
		x, err := post(b, w, strings.Repeat("x", n), -1)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := rest(t, x), fmt.Sprintf("POST /p %d %d", n, n); got != want {
			t.Errorf("%q, want %q", got, want)
		}
		x.Finish()
	}
}

// attempts keeps what an observer is told of attempts.
type attempts struct{ list []exchange.Attempted }

func (a *attempts) Observe(_ *exchange.Exchange, e exchange.Event) {
	if e, ok := e.(exchange.Attempted); ok {
		a.list = append(a.list, e)
	}
}

// An observer is told of each attempt once: what became of it, and why its connection is not kept.
func TestAttemptsAreTold(t *testing.T) {
	for _, c := range []struct {
		name, answer string
		edit         func(*exchange.Exchange, *backend.Call)
		ended        string
		failure      string
	}{
		{name: "kept", answer: "Content-Length: 2\r\n\r\nok"},
		{name: "chunked", answer: "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"},
		{name: "closes", answer: "Connection: close\r\nContent-Length: 2\r\n\r\nok", ended: "member closes"},
		{name: "two framings", answer: "Transfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\n2\r\nok\r\n0\r\n\r\n", ended: "two framings"},
		{name: "bytes behind", answer: "Content-Length: 2\r\n\r\nokHTTP/1.1 200 OK", ended: "bytes behind the response"},
		{name: "asked", answer: "Content-Length: 2\r\n\r\nok", ended: "asked to close", edit: func(x *exchange.Exchange, _ *backend.Call) { x.Out.Close = true }},
		{name: "unwanted", answer: "Content-Length: 2\r\n\r\nok", ended: "body unwanted", edit: func(_ *exchange.Exchange, c *backend.Call) {
			c.GivesUp = func(status int) bool { return status == 200 }
		}},
		{name: "1.0 asked", answer: "Content-Length: 2\r\n\r\nok", ended: "HTTP/1.0", edit: func(x *exchange.Exchange, _ *backend.Call) { x.Out.Minor = 0 }},
		{name: "upgrade", answer: "Content-Length: 2\r\n\r\nok", ended: "upgrade", edit: func(x *exchange.Exchange, _ *backend.Call) { x.Out.Upgrade = "foo" }},
		{name: "broken chunk", answer: "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", ended: "body broken"},
		{name: "two lengths", answer: "Content-Length: 2\r\nContent-Length: 3\r\n\r\nok", ended: "attempt failed", failure: "BadFraming"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := backendtest.Listen(t, func(nc net.Conn) {
				in := bufio.NewReader(nc)
				for {
					line, err := in.ReadString('\n')
					if err != nil {
						return
					}
					if line == "\r\n" {
						io.WriteString(nc, "HTTP/1.1 200 OK\r\n"+c.answer)
					}
				}
			})
			w := backendtest.Worker(t, "http://"+m.Addr, nil)
			seen := &attempts{}
			call := &backend.Call{}
			x := &exchange.Exchange{Server: server(), Start: time.Now(), Observer: seen}
			x.Req.Method, x.Req.Body = "GET", exchange.NoBody{}
			x.Out.Method, x.Out.Target, x.Out.Minor = "GET", "/", 1
			if c.edit != nil {
				c.edit(x, call)
			}
			err := members().RoundTrip(context.Background(), w, x, call)
			if x.Res.Body != nil {
				io.ReadAll(x.Res.Body)
			}
			x.Finish()
			if len(seen.list) != 1 {
				t.Fatalf("%d attempts were told of", len(seen.list))
			}
			a := seen.list[0]
			if a.Ended != c.ended || a.Failure != c.failure || (a.Failure != "") != (err != nil) || a.Member != "http://"+m.Addr || a.Address != m.Addr ||
				a.Reused || a.Connect <= 0 || a.Total < a.Connect || a.Sent == 0 || a.Got == 0 || (err == nil) != (a.Status == 200) {
				t.Errorf("%+v, %v", a, err)
			}
			if kept := backend.Idle(w) == 1; kept != (c.ended == "") {
				t.Errorf("kept: %v", kept)
			}
		})
	}
	w := backendtest.Worker(t, "http://127.0.0.1:1", nil)
	seen := &attempts{}
	x := &exchange.Exchange{Server: server(), Start: time.Now(), Observer: seen}
	members().RoundTrip(context.Background(), w, x, &backend.Call{})
	if len(seen.list) != 1 || seen.list[0].Failure != "Refused" || seen.list[0].Connect != -1 {
		t.Errorf("%+v", seen.list)
	}
}

// Fields that modules have set outlive an attempt that fails; what the member said so far does not.
func TestFieldsOutliveAnAttempt(t *testing.T) {
	bad := backendtest.Listen(t, func(c net.Conn) {
		bufio.NewReader(c).ReadString('\n')
		io.WriteString(c, "HTTP/1.1 103 Early\r\nX-A: 1\r\n\r\nHTTP/1.1 200 OK\r\nX-B: 1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n")
		io.Copy(io.Discard, c)
	})
	x := &exchange.Exchange{Server: server(), Start: time.Now()}
	x.Req.Method, x.Req.Body = "GET", exchange.NoBody{}
	x.Out.Method, x.Out.Target, x.Out.Minor = "GET", "/", 1
	x.Res.Header.Add("Set-Cookie", "a=b")
	x.Res.Header.Add("Vary", "X-C")
	err := members().RoundTrip(context.Background(), backendtest.Worker(t, "http://"+bad.Addr, nil), x, &backend.Call{})
	if err == nil || x.Res.Header.Len() != 2 || x.Res.Header.Get("Set-Cookie") != "a=b" || x.Res.Header.Get("Vary") != "X-C" {
		t.Errorf("%v %v", err, x.Res.Header.F)
	}
	x.Finish()
}

// A member whose answer is given up before its end learns it by a reset: an end alone it may not see.
func TestGivenUpAnswersAreReset(t *testing.T) {
	seen := make(chan error)
	m := backendtest.Listen(t, func(c net.Conn) {
		bufio.NewReader(c).ReadString('\n')
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nbegun")
		_, err := io.Copy(io.Discard, c)
		seen <- err
	})
	x := &exchange.Exchange{Start: time.Now(), Server: &exchange.Server{Levels: &exchange.Levels{}}}
	x.Req.Method, x.Req.Body = "GET", exchange.NoBody{}
	x.Out.Method, x.Out.Target, x.Out.Minor = "GET", "/", 1
	if err := members().RoundTrip(context.Background(), backendtest.Worker(t, "http://"+m.Addr, nil), x, &backend.Call{}); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 5)
	if _, err := io.ReadFull(x.Res.Body, b); err != nil {
		t.Fatal(err)
	}
	x.Finish()
	if err := <-seen; !errors.Is(err, syscall.ECONNRESET) {
		t.Error(err)
	}
}
