package http2

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"balancerd/proxy/exchange"
)

// parrot is a member's side of a tunnel: it sends back what comes, behind a greeting.
type parrot struct {
	idle   time.Duration // how long it waits for the client; 0: for ever
	closed *atomic.Int64
	ended  chan error
}

func (p parrot) Join(c exchange.Stream) {
	io.WriteString(c, "first:")
	var b [1 << 10]byte
	for {
		if p.idle > 0 {
			c.SetReadDeadline(time.Now().Add(p.idle))
		}
		n, err := c.Read(b[:])
		if n > 0 {
			if _, err := c.Write(b[:n]); err != nil {
				p.ended <- err
				return
			}
		}
		if err != nil {
			if err == io.EOF {
				c.CloseWrite()
			}
			p.ended <- err
			return
		}
	}
}

func (p parrot) Close() error { p.closed.Add(1); return nil }

// newTunnel is a member's side of a tunnel of which nobody waits for the end.
var newTunnel = func() exchange.Tunnel { return parrot{ended: make(chan error, 1), closed: &atomic.Int64{}} }

// acceptOf is the answer to a Sec-WebSocket-Key (RFC 6455 section 4.2.2).
func acceptOf(key string) string {
	h := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(h[:])
}

// sockets serves WebSockets, as a member of HTTP/1.1 answers the request.
func sockets(t *testing.T, p exchange.Tunnel, on bool) *front {
	srv := &exchange.Server{}
	srv.HTTP2.WebSockets, srv.HTTP2.Window = on, 1<<20
	return newFront(t, &app{srv: srv, serve: func(ctx context.Context, x *exchange.Exchange) {
		if x.Req.RawPath == "/1000" {
			sized(ctx, x)
			return
		}
		h := &x.Req.Header
		x.Server = srv
		x.Res.Proxied = true
		key, _ := base64.StdEncoding.DecodeString(h.Get("Sec-WebSocket-Key"))
		if x.Req.Method != "GET" || !x.Req.Upgrade || h.Get("Upgrade") != "websocket" || h.Get("Connection") != "Upgrade" || len(key) != 16 || x.Req.Length != 0 {
			x.Res.Status = 400
			return
		}
		x.Res.Status, x.Res.Tunnel = 101, p
		x.Res.Header.Add("Upgrade", "websocket")
		x.Res.Header.Add("Connection", "Upgrade")
		x.Res.Header.Add("Sec-WebSocket-Accept", acceptOf(h.Get("Sec-WebSocket-Key")))
		x.Res.Header.Add("Sec-WebSocket-Protocol", "chat")
		switch x.Req.RawPath {
		case "/wrong":
			x.Res.Header.Set("Sec-WebSocket-Accept", "abc")
		case "/200":
			x.Res.Clear()
			x.Res.Status = 200
			x.Res.Text("no tunnel")
		case "/403":
			x.Res.Clear()
			x.Res.Status = 403
			x.Res.Text("no")
		}
	}})
}

// socket asks for one.
func (c *talk) socket(id uint32, path string) {
	c.ask(id, false, ":method", "CONNECT", ":protocol", "websocket", ":scheme", "http", ":authority", "h", ":path", path, "sec-websocket-version", "13")
}

// What comes of a CONNECT with :protocol, as httpd 2.4.71 answers (RFC 8441).
func TestExtendedConnect(t *testing.T) {
	closed := &atomic.Int64{}
	f := sockets(t, parrot{closed: closed, ended: make(chan error, 10)}, true)
	pseudo := func(drop string, more ...string) []string {
		list := []string{":method", "CONNECT", ":protocol", "websocket", ":scheme", "http", ":authority", "h", ":path", "/"}
		for i := 0; i < len(list); i += 2 {
			if list[i] == drop {
				list = append(list[:i], list[i+2:]...)
			}
		}
		return append(list, more...)
	}
	for _, c := range []struct {
		name   string
		fields []string
		want   string
	}{
		{"an answer with another key", []string{":method", "CONNECT", ":protocol", "websocket", ":scheme", "http", ":authority", "h", ":path", "/wrong"}, "502"},
		{"an answer that is no tunnel", []string{":method", "CONNECT", ":protocol", "websocket", ":scheme", "http", ":authority", "h", ":path", "/200"}, "502"},
		{"a refusal", []string{":method", "CONNECT", ":protocol", "websocket", ":scheme", "http", ":authority", "h", ":path", "/403"}, "403"},
		{"another protocol", []string{":method", "CONNECT", ":protocol", "foo", ":scheme", "http", ":authority", "h", ":path", "/"}, "501"},
		{"with a length", pseudo("", "content-length", "3"), "400"},
		{"without a scheme", pseudo(":scheme"), "RST PROTOCOL_ERROR"},
		{"without a path", pseudo(":path"), "RST PROTOCOL_ERROR"},
		{"without an authority", pseudo(":authority"), "RST PROTOCOL_ERROR"},
		{"another method", []string{":method", "GET", ":protocol", "websocket", ":scheme", "http", ":authority", "h", ":path", "/"}, "RST PROTOCOL_ERROR"},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := f.dial(t)
			k.ask(1, false, c.fields...)
			if what, _ := k.outcome(1); !strings.HasPrefix(what, c.want) {
				t.Errorf("%s, want %s", what, c.want)
			}
		})
	}
	if closed.Load() != 3 { // those of answers that were none, one by us
		t.Error(closed.Load(), "tunnels were given up")
	}
	off := sockets(t, parrot{}, false).dial(t)
	off.socket(1, "/")
	if what, _ := off.outcome(1); what != "RST PROTOCOL_ERROR" {
		t.Error("without H2WebSockets: ", what)
	}
}

// A stream that is a WebSocket carries bytes both ways, beyond all windows; each side ends its own direction.
func TestWebSocket(t *testing.T) {
	ended := make(chan error, 1)
	f := sockets(t, parrot{ended: ended}, true)
	c := f.dial(t)
	c.socket(1, "/")
	const size = 200000
	go func() {
		var b bytes.Buffer
		fr := http2.NewFramer(&b, nil)
		for sent := 0; sent < size; sent += 10000 {
			fr.WriteData(1, sent+10000 == size, make([]byte, 10000))
		}
		c.nc.Write(b.Bytes())
	}()
	got, status, settings := 0, "", false
	c.until(func(fr http2.Frame) bool {
		switch fr := fr.(type) {
		case *http2.SettingsFrame:
			v, ok := fr.Value(http2.SettingEnableConnectProtocol)
			settings = settings || ok && v == 1
		case *http2.MetaHeadersFrame:
			for _, h := range fr.Fields {
				status += h.Name + "=" + h.Value + " "
			}
		case *http2.DataFrame:
			got += len(fr.Data())
			if n := uint32(len(fr.Data())); n > 0 {
				c.fr.WriteWindowUpdate(0, n)
				c.fr.WriteWindowUpdate(1, n)
			}
			return fr.StreamEnded()
		}
		return false
	})
	if got != size+len("first:") || !settings || status != ":status=200 sec-websocket-protocol=chat " {
		t.Error(got, settings, status)
	}
	if err := <-ended; err != io.EOF {
		t.Error(err)
	}
}

// A client's reset ends its tunnel, and so does a time that is over.
func TestWebSocketEnds(t *testing.T) {
	for _, idle := range []time.Duration{0, 50 * time.Millisecond} {
		ended := make(chan error, 1)
		f := sockets(t, parrot{idle: idle, ended: ended}, true)
		c := f.dial(t)
		c.socket(1, "/")
		c.until(func(fr http2.Frame) bool { _, ok := fr.(*http2.DataFrame); return ok })
		if idle == 0 {
			c.fr.WriteRSTStream(1, http2.ErrCodeCancel)
		}
		if err := <-ended; idle > 0 != errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error(idle, err)
		}
		if idle > 0 {
			if what, _ := c.outcome(1); !strings.HasPrefix(what, "RST") {
				t.Error(what)
			}
		}
		c.get(3, "/") // the connection lives on
		if what, _ := c.outcome(3); what != "400" {
			t.Error(what)
		}
	}
}

// H2Padding hides how long an answer is; the answer is whole, and windows hold, however small they are.
func TestPadding(t *testing.T) {
	srv := &exchange.Server{HTTP2: exchange.HTTP2{Padding: 8}}
	f := newFront(t, &app{srv: srv, serve: sized})
	for _, window := range []uint32{1, 7, 300, 1 << 20} {
		c := f.dial(t, http2.Setting{ID: http2.SettingInitialWindowSize, Val: window})
		c.get(1, "/3000")
		got, taken, frames, padded := 0, 0, 0, 0
		left := int(window)
		c.until(func(fr http2.Frame) bool {
			d, ok := fr.(*http2.DataFrame)
			if !ok {
				return false
			}
			got += len(d.Data())
			taken += int(d.Length)
			if left -= int(d.Length); left < 0 {
				t.Fatal(window, "the window is exceeded")
			}
			if frames++; d.Flags.Has(http2.FlagDataPadded) {
				padded++
			}
			if d.Length > 0 {
				c.fr.WriteWindowUpdate(1, d.Length)
				left += int(d.Length)
			}
			return d.StreamEnded()
		})
		if got != 3000 || window > 100 && padded == 0 || window > 1<<16 && taken == got {
			t.Error(window, got, taken, frames, padded)
		}
	}
}

// A WebSocket on which nobody says anything just now holds up no other stream, however little urgent that is.
func TestIdleWebSocketHoldsNobodyUp(t *testing.T) {
	f := sockets(t, parrot{ended: make(chan error, 1)}, true)
	for _, priority := range []string{"u=7", "u=1", "u=3, i"} {
		c := f.dial(t)
		c.socket(1, "/")
		c.until(func(fr http2.Frame) bool { _, ok := fr.(*http2.DataFrame); return ok })
		c.get(3, "/1000", "priority", priority)
		if what, data := c.outcome(3); what != "200" || len(data) != 1000 {
			t.Error(priority, what, len(data))
		}
		c.nc.Close()
	}
}
