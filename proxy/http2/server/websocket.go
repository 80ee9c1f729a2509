package server

import (
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"io"
	"os"
	"time"

	"golang.org/x/net/http2"

	"balancerd/proxy/exchange"
	"balancerd/proxy/http2/frames"
	"balancerd/proxy/internal/loop"
	"balancerd/proxy/internal/wire"
)

// socket is the client's side of a stream that is to become a WebSocket: the member gets the request as HTTP/1.1 has
// it, and its bytes are the stream's DATA (RFC 8441; httpd: h2_ws.c).
type socket struct {
	st  *stream
	key string // Sec-WebSocket-Key that the member gets

	// Under the connection's mu.
	readBy, writeBy time.Time // deadlines; zero: none
	shut            bool      // our direction has ended
}

var _ exchange.Stream = (*socket)(nil)

// extended makes a request for WebSocket of a CONNECT with :protocol. There is no other protocol.
func (st *stream) extended() *exchange.Problem {
	h := &st.head
	switch {
	case h.protocol == "":
		return nil
	case h.protocol != "websocket":
		return &exchange.Problem{Status: 501}
	case h.length >= 0:
		h.method = "GET"
		return st.refuse(400, "websocket CONNECT has a Content-Length")
	}
	var b [16]byte
	rand.Read(b[:])
	st.socket = &socket{st: st, key: base64.StdEncoding.EncodeToString(b[:])}
	h.method = "GET"
	fields := &st.x.Req.Header
	fields.DelID(wire.Expect)
	fields.Set("Upgrade", "websocket")
	fields.Set("Connection", "Upgrade")
	fields.Set("Sec-WebSocket-Key", st.socket.key)
	return nil
}

// accepts is the Sec-WebSocket-Accept that belongs to a key (RFC 6455 section 4.2.2).
func accepts(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// become makes a WebSocket of the stream, if the member's answer says so; any other answer that is no error is one
// (httpd: h2_ws.c ws_handle_resp).
func (st *stream) become() {
	x := &st.x
	res, want := &x.Res, accepts(st.socket.key)
	got := res.Header.Get("Sec-WebSocket-Accept")
	switch {
	case res.Status != 101 || res.Tunnel == nil:
		st.replaceSocket()
		return
	case got != want:
		x.Log("http2", exchange.Error, nil, x.Arena.Join("AH10463: h2_c2(", x.Arena.Int(int64(st.c.info.ID)), "-", x.Arena.Int(int64(st.id)),
			"): websocket CONNECT, 101 response without 'Sec-WebSocket-Accept: ", got, "' but expected ", want))
		st.replaceSocket()
		return
	}
	if st.sendSwitch() != nil {
		res.Tunnel.Close()
		res.Tunnel, res.Aborted = nil, true
		return
	}
	t := res.Tunnel
	res.Tunnel = nil
	if !st.staysFor(t) {
		x.Detach() // its two directions wait each for itself
	}
	x.BecomeTunnel()
	t.Join(st.socket)
	st.cut = !st.socket.shut
}

// replaceSocket answers 502 and nothing else; the log has what the member said.
func (st *stream) replaceSocket() {
	res := &st.x.Res
	status := res.Status
	res.Clear()
	res.Always.Reset()
	res.Status = status
	if _, err := st.lock(0); err != nil {
		return
	}
	c := st.c
	defer c.mu.Unlock()
	b := c.out.Buffer(64)
	at := len(b)
	b = c.out.enc.Field(st.beginBlock(b, 502, http2.FlagHeadersEndStream), wire.ContentLength, "", "0")
	c.out.B = frames.SplitBlock(b, at, st.id)
	c.finished(st)
	c.kick(st.task)
}

// sendSwitch sends the head of an answer to a WebSocket: 200, with the member's fields.
func (st *stream) sendSwitch() error {
	size := st.size()
	if _, err := st.lock(0); err != nil {
		return err
	}
	c, x := st.c, &st.x
	defer c.mu.Unlock()
	b := c.out.Buffer(size + 128)
	at := len(b)
	b = st.beginBlock(b, 200, 0)
	for _, list := range [...]*exchange.Header{&x.Res.Always, &x.Res.Header} {
		for i := range list.F {
			f := &list.F[i]
			if wire.ConnectionField[f.ID] || !wire.IsToken(f.Name) || !wire.IsValue(f.Value) || wire.EqualFold(f.Name, "Sec-WebSocket-Accept") {
				continue
			}
			b = c.out.enc.Field(b, f.ID, f.Name, f.Value)
		}
	}
	c.out.B = frames.SplitBlock(b, at, st.id)
	c.kick(st.task)
	x.Res.Wrote += int64(size)
	x.Res.FirstByte = time.Now()
	st.rest(st.task)
	return nil
}

// take reads what is here; 0 and no error: nothing is. Under mu.
func (k *socket) take(p []byte) (int, error) {
	st := k.st
	switch {
	case st.Unread() > 0:
		n := copy(p, st.Held())
		st.body.discard(n)
		return n, nil
	case st.over():
		return 0, errGone
	case st.ended:
		return 0, io.EOF
	}
	return 0, nil
}

// Read waits for bytes of the client.
func (k *socket) Read(p []byte) (int, error) {
	st := k.st
	c := st.c
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		if n, err := k.take(p); n > 0 || err != nil {
			return n, err
		}
		left := k.left(k.readBy)
		if left <= 0 {
			return 0, os.ErrDeadlineExceeded
		}
		c.mu.Unlock()
		st.come.Wait(st.task, left) // an error: its time is over
		c.mu.Lock()
	}
}

// left is how long a wait may last.
func (*socket) left(by time.Time) time.Duration {
	if by.IsZero() {
		return never
	}
	return time.Until(by)
}

// Write sends p.
func (k *socket) Write(p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var some int
		some, err = k.send(k.st.task, p[n:])
		n += some
	}
	return n, err
}

// send sends as much of p as goes into a frame; t is the task that does, nil a goroutine.
func (k *socket) send(t *loop.Task, p []byte) (int, error) {
	st := k.st
	n, err := st.lockAs(t, len(p))
	if err != nil {
		return 0, err
	}
	defer st.c.mu.Unlock()
	st.x.Res.Wrote += int64(n)
	st.appendData(t, p[:n], false)
	if n == len(p) {
		st.rest(t)
	}
	return n, nil
}

// CloseWrite ends our direction.
func (k *socket) CloseWrite() error { return k.end(k.st.task) }

// end ends our direction; t is the task that does, nil a goroutine.
func (k *socket) end(t *loop.Task) error {
	st := k.st
	if _, err := st.lockAs(t, 0); err != nil {
		return err
	}
	defer st.c.mu.Unlock()
	if !k.shut {
		k.shut = true
		st.appendData(t, nil, true)
	}
	return nil
}

// Close ends both.
func (k *socket) Close() error {
	k.SetReadDeadline(longAgo)
	return k.SetWriteDeadline(longAgo)
}

// longAgo as a deadline ends a wait at once.
var longAgo = time.Unix(1, 0)

// SetReadDeadline bounds reads, the one under way too.
func (k *socket) SetReadDeadline(t time.Time) error { return k.set(&k.readBy, t, &k.st.come) }

// SetWriteDeadline bounds writes, the one under way too.
func (k *socket) SetWriteDeadline(t time.Time) error { return k.set(&k.writeBy, t, &k.st.turn) }

func (k *socket) set(deadline *time.Time, t time.Time, waits *loop.Event) error {
	c := k.st.c
	c.mu.Lock()
	defer c.mu.Unlock()
	*deadline = t
	waits.Set(nil)
	return nil
}
