package client

import (
	"slices"
	"time"

	"golang.org/x/net/http2"

	"balancerd/proxy/http2/frames"
	"balancerd/proxy/internal/loop"
	"balancerd/proxy/internal/wire"
)

// begin sends the request's head; the end as well, if it has no body. The error is errUntouched: also when the member has
// said since its place was promised that it takes fewer streams.
func (s *stream) begin() error {
	c := s.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	c.promised--
	s.begun = true
	if c.refuses || c.gone || c.last || len(c.streams) >= c.most {
		s.left = true
		c.freePlace(s.task())
		return errUntouched{errGoAway}
	}
	if len(c.streams) == 0 {
		c.resumed = true
	}
	s.id, s.window, s.room, s.declared, s.heard = c.next, c.initial, memberWindow, -1, c.heard
	if c.next += 2; c.next > mostStreams {
		c.closing = true
	}
	c.streams = append(c.streams, s)
	var flags http2.Flags
	if s.up.none {
		flags, s.sentAll = http2.FlagHeadersEndStream, true
	}
	b := c.out.Buffer(s.headSize())
	at := len(b)
	b = c.enc.Begin(frames.AppendHead(b, 0, http2.FrameHeaders, flags, s.id))
	c.out.B = frames.SplitBlock(s.appendFields(b), at, s.id)
	c.kick(s.task())
	return nil
}

// headSize is about how long the head is.
func (s *stream) headSize() int {
	o := &s.X.Out
	n := len(o.Method) + len(o.Target) + len(o.Host) + 128
	for i := range o.Header.F {
		n += len(o.Header.F[i].Name) + len(o.Header.F[i].Value) + 4
	}
	return n
}

// appendFields appends the request's fields (httpd: h2_proxy_util.c h2_proxy_req_make).
func (s *stream) appendFields(b []byte) []byte {
	o, enc := &s.X.Out, &s.conn.enc
	scheme := "http"
	if s.secure() {
		scheme = "https"
	}
	if o.Method == "CONNECT" { // RFC 9113 section 8.5
		b = enc.Connect(b, o.Host)
	} else {
		b = enc.Path(enc.Pseudo(b, o.Method, scheme, o.Host), o.Target)
	}
	for i := range o.Header.F {
		f := &o.Header.F[i]
		if wire.ConnectionField[f.ID] || f.ID == wire.Host || f.ID == wire.ContentLength {
			continue
		}
		b = enc.Field(b, f.ID, f.Name, f.Value)
		s.sent += int64(len(f.Name) + len(f.Value) + 4)
	}
	if o.HasBody && s.X.Req.Length >= 0 {
		b = enc.Field(b, wire.ContentLength, "", s.X.Arena.Int(s.X.Req.Length))
	}
	return enc.Field(b, wire.TE, "", "trailers") // as httpd says to every such member
}

// mayAppend reports whether the member, and the output, take something of the body. Under mu.
func (s *stream) mayAppend() bool {
	c := s.conn
	if len(s.up.pending()) == 0 && s.up.over { // the end alone
		return true
	}
	return s.window > 0 && c.window > 0 && len(c.out.B) < frames.MaxOutput
}

// await has a stream that can't append be told when it may try again. Under mu.
func (c *conn) await(s *stream) {
	if !slices.Contains(c.waiting, s) {
		c.waiting = append(c.waiting, s)
	}
}

// push sends of what was taken of the body what goes into a frame. more: it may be called again.
func (s *stream) push() (more bool, err error) {
	c, u := s.conn, s.up
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case s.fault != nil || s.left:
		s.stopped = s.here
		return false, nil
	case !s.mayAppend():
		c.await(s)
		return false, nil
	}
	p := u.pending()
	p = p[:min(int64(len(p)), frames.MaxData, max(s.window, 0), max(c.window, 0))]
	if len(p) > 0 {
		s.since = time.Now()
	}
	u.at += len(p)
	s.window -= int64(len(p))
	c.window -= int64(len(p))
	end := u.over && u.at == u.n
	trailer := end && len(s.X.Req.Trailer.F) > 0
	if len(p) > 0 || end && !trailer {
		var flags http2.Flags
		if end && !trailer {
			flags = http2.FlagDataEndStream
		}
		b := frames.AppendHead(c.out.Buffer(frames.HeadSize+len(p)), len(p), http2.FrameData, flags, s.id)
		c.out.B = append(b, p...)
	}
	if trailer {
		s.appendTrailer()
	}
	if end {
		s.finished()
	}
	c.kick(s.task())
	return true, nil
}

// finished notes that all of the request was sent. Under mu.
func (s *stream) finished() {
	if s.sentAll = true; s.ended {
		s.conn.remove(s.task(), s)
	}
}

// appendTrailer appends the fields behind the request's body. Under mu.
func (s *stream) appendTrailer() {
	c := s.conn
	b := c.out.Buffer(512)
	at := len(b)
	b = c.enc.Begin(frames.AppendHead(b, 0, http2.FrameHeaders, http2.FlagHeadersEndStream, s.id))
	for i := range s.X.Req.Trailer.F {
		if f := &s.X.Req.Trailer.F[i]; wire.IsToken(f.Name) && wire.IsValue(f.Value) && !wire.ConnectionField[f.ID] {
			b = c.enc.Field(b, f.ID, f.Name, f.Value)
		}
	}
	c.out.B = frames.SplitBlock(b, at, s.id)
}

// reset breaks a stream off. Under mu.
func (c *conn) reset(by *loop.Task, s *stream, code http2.ErrCode) {
	if c.find(s.id) != s {
		return
	}
	c.out.B = frames.AppendReset(c.out.Buffer(16), s.id, code)
	c.kick(by)
	c.remove(by, s)
}

// leave ends the stream for us: the member is told, unless it has ended it.
func (s *stream) leave() {
	c := s.conn
	if c == nil || s.left {
		return
	}
	s.left = true
	c.mu.Lock()
	defer c.mu.Unlock()
	by := s.task()
	if !s.begun {
		c.promised--
		c.freePlace(by)
		return
	}
	c.taken(by, s.Unread())
	s.Drop()
	if c.last || c.gone {
		c.remove(by, s)
		return
	}
	c.reset(by, s, http2.ErrCodeCancel)
}
