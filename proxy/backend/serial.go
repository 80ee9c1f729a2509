package backend

import (
	"context"
	"sync"
	"time"

	"balancerd/balancer"
	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/poison"
	"balancerd/proxy/recovery"
)

// headSize is how much of a response is received at first: its head and the beginning of its body.
const headSize = 16 << 10

// Serial is the Backend of a member protocol with one request at a time on a connection. Make one with NewSerial.
type Serial struct {
	streams     sync.Pool // *SerialStream
	lengthFirst bool      // immutable
}

var (
	_ Backend  = (*Serial)(nil)
	_ Protocol = (*Serial)(nil)
	_ Stream   = (*SerialStream)(nil)
)

// NewSerial is the Backend of a protocol. lengthFirst: a request's head must tell how long the body is, so that one
// of unknown length is read to its end before.
func NewSerial(codec func() Codec, lengthFirst bool) *Serial {
	p := &Serial{lengthFirst: lengthFirst}
	p.streams.New = func() any {
		return &SerialStream{owner: p, codec: codec(), in: make([]byte, headSize), out: make([]byte, 0, 2<<10)}
	}
	return p
}

// RoundTrip sends x.Out and reads the answer's head into x.Res.
func (p *Serial) RoundTrip(ctx context.Context, w *balancer.Worker, x *exchange.Exchange, call *Call) error {
	return Exchange(ctx, p, w, x, call)
}

// Open is Protocol's. What must be read of the client's body first is read before a connection is taken, so that a
// slow client holds none (httpd: mod_proxy_http.c proxy_http_handler). The second connection is a new one.
func (p *Serial) Open(ctx context.Context, w *balancer.Worker, x *exchange.Exchange, call *Call, try int) (Stream, error) {
	body, err := loadUpload(x, p.lengthFirst)
	if err != nil {
		return nil, failureOf(w, call, ClientBody, err)
	}
	c, err := Acquire(ctx, w, x, call, x.Out.NoPool || x.Out.Alone || try > 1)
	if err != nil {
		return nil, err
	}
	s := p.streams.Get().(*SerialStream)
	s.Begin(w, x, call)
	s.Try = try
	s.open(ctx, c, body)
	return s, nil
}

// SerialStream is a request and its response on a connection of their own. The response's texts are views into buf
// until the exchange ends; its body is a Source. The connection is given back as soon as the last byte is here. Owned
// by the goroutine that serves the exchange.
type SerialStream struct {
	Attempt
	Body *Upload // the client's body

	owner  *Serial
	codec  Codec
	conn   *Conn              // nil once it was given back
	life   exchange.Abortable // of a client that may go away; nil: see unhook
	unhook func() bool        // nil, or what keeps the end of the client from cutting conn off

	out    []byte      // the request's head
	in     []byte      // buf's storage
	large  *headBuffer // buf's storage in place of in, for a large head
	buf    []byte      // received
	r, w   int         // of it, what was not used yet
	frames [64]byte    // what stands around pieces of a body

	granted bool // of an offer: the member wants the body
	waits   bool // of an offer: it has not said so yet
	cut     bool // the request was not sent whole
	stale   bool // a kept connection was dead before anything was sent

	framing  Framing
	status   int    // the member's
	data     []byte // bytes of the response's body that are here, decoded
	base     int    // where in buf the body is received
	left     int64  // Counted: bytes still to come
	err      error  // how the body ended: io.EOF, or what went wrong
	ending   bool   // it is whole, and the answer is not over: see tail
	extra    bool   // something came behind it
	received int64  // all bytes
	bodyRead int64
}

// open begins an attempt on a connection.
func (s *SerialStream) open(ctx context.Context, c *Conn, body *Upload) {
	s.conn, s.Body, s.Reused = c, body, c.Reused()
	s.buf, s.r, s.w = s.in, 0, 0
	s.granted, s.waits, s.cut, s.stale, s.extra, s.ending = false, false, false, false, false, false
	s.framing, s.status, s.data, s.base, s.left, s.err = Framing{}, 0, nil, 0, 0, nil
	s.received, s.bodyRead = 0, 0
	switch life, ok := ctx.(exchange.Abortable); { // the client may go away under it: one of HTTP/2's streams
	case ok:
		s.life = life
		life.Watch(c)
	case ctx.Done() != nil:
		s.unhook = context.AfterFunc(ctx, func() { recovery.Do("cutting off a member's connection", c.Abort) })
	}
	s.codec.Begin(s)
}

// Conn is the connection while the stream has it.
func (s *SerialStream) Conn() *Conn { return s.conn }

// Untouched is Stream's: a kept connection was dead before anything was sent.
func (s *SerialStream) Untouched() bool { return s.stale }

// Abandon is Stream's.
func (s *SerialStream) Abandon(err error) {
	s.release(Failed, err)
	s.retire()
}

// Finish ends it with its exchange.
func (s *SerialStream) Finish(*exchange.Exchange) {
	s.release(BodyUnread, s.err)
	s.retire()
}

func (s *SerialStream) retire() {
	s.codec.End()
	s.End()
	s.Body, s.data, s.err = nil, nil, nil
	s.shrink()
	poison.Bytes(s.in)
	poison.Bytes(s.out)
	poison.Put(&s.owner.streams, s)
}

// release gives the connection back and counts the bytes.
func (s *SerialStream) release(why Reason, err error) {
	if s.conn == nil {
		return
	}
	sent, read := s.codec.Counted(Traffic{Sent: s.conn.Sent(), SentBody: s.Body.out, Received: s.received, ReceivedBody: s.bodyRead})
	s.Count(sent, read)
	if s.clientGone() && why == Reusable {
		why = ClientGone
	}
	if why == Reusable && !s.conn.Keepable() {
		why = NotKept
	}
	s.tellOver(why, err)
	if why == BodyUnread || why == BodyBroken {
		s.conn.Reset()
	}
	s.conn.Release(why == Reusable)
	s.conn = nil
}

// clientGone ends the watch for the client's end, and reports whether that has cut the connection off.
func (s *SerialStream) clientGone() (gone bool) {
	switch {
	case s.life != nil:
		gone = !s.life.Unwatch(s.conn)
		s.life = nil
	case s.unhook != nil:
		gone = !s.unhook()
		s.unhook = nil
	}
	return gone
}

// Start is Stream's: it sends the request, as far as it goes without the member's word, and waits for the first
// bytes if that is all of it.
func (s *SerialStream) Start() error {
	if err := s.ping(); err != nil {
		return err
	}
	head, err := s.codec.AppendHead(s.out[:0])
	s.out = head
	if err != nil {
		return err
	}
	s.Body.rewind()
	switch credit := s.codec.Unasked(); {
	case credit == Offered:
		return s.offer()
	case credit == Nothing, credit == OnePiece && s.Body.none:
		return s.talk(nil, false)
	case credit == OnePiece:
		return s.feedPiece(s.out)
	case s.Body.short():
		return s.talk(s.frameShort(), true)
	}
	return s.pour(s.out)
}

// frameShort frames a body that goes with the head, and returns what of it is not copied behind that.
func (s *SerialStream) frameShort() []byte {
	p := s.Body.first
	if len(p) == 0 {
		s.out = s.codec.AppendEnd(s.out)
		return p
	}
	before := len(s.out)
	s.out = s.codec.AppendPiece(s.out, len(p))
	tail := s.codec.AppendEnd(s.codec.AppendPieceEnd(s.frames[:0]))
	if len(tail) == 0 && len(s.out) == before {
		return p
	}
	s.out = s.out[:before] // pieces with something between them go as one text
	for len(p) > 0 {
		n := s.pieceLen(len(p))
		s.out = s.codec.AppendPieceEnd(append(s.codec.AppendPiece(s.out, n), p[:n]...))
		p = p[n:]
	}
	s.out = s.codec.AppendEnd(s.out)
	return nil
}

// offer sends the head alone; the body waits until the member says that it wants it
// (httpd: mod_proxy_http.c ap_proxy_http_process_response, do_100_continue).
func (s *SerialStream) offer() error {
	if ping := s.Worker.Settings().Ping; ping.Set {
		s.conn.SetTimeout(ping.V)
	}
	s.waits = true
	n, wrote, err := s.conn.Talk(time.Now(), s.out, nil, s.buf)
	s.got(n)
	switch {
	case err == nil:
		return nil
	case wrote:
		return s.unwanted(s.silent(err))
	}
	s.stale = s.deadBefore(err)
	return s.conn.Fail(WriteHead, err)
}

// grant lets the body of an offer go.
func (s *SerialStream) grant() {
	s.conn.SetTimeout(timeoutOf(s.Worker.Settings(), s.Call))
	s.waits, s.granted, s.interims = false, true, 0
}

// talk sends what is in out, and p, and waits for the first bytes of the response. whole: the body is in that.
func (s *SerialStream) talk(p []byte, whole bool) error {
	now := s.X.Start
	if !s.Body.none || s.Call.Later || !s.Reused { // reading the body, or coming here, may have taken its time
		now = time.Now()
	}
	n, wrote, err := s.conn.Talk(now, s.out, p, s.buf)
	s.got(n)
	if whole && wrote {
		s.Body.wentWithHead()
	}
	switch {
	case err == nil:
		return nil
	case wrote:
		return s.silent(err)
	}
	s.stale = s.deadBefore(err)
	return s.writeFault(err)
}

// got notes what was received behind w.
func (s *SerialStream) got(n int) {
	s.w += n
	s.received += int64(n)
}

// deadBefore reports whether a write failed on a kept connection that was dead before.
func (s *SerialStream) deadBefore(err error) bool {
	return s.Reused && s.conn.Sent() == 0 && !IsTimeout(err)
}
