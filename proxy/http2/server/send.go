package server

import (
	"errors"
	"io"
	"time"

	"golang.org/x/net/http2"

	"balancerd/proxy/exchange"
	"balancerd/proxy/http2/frames"
	"balancerd/proxy/internal/loop"
	"balancerd/proxy/internal/wire"
)

var errShort = errors.New("http2: the body ended before its length")

// send sends the answer that x.Res holds, and notes what happened.
func (st *stream) send() {
	x := &st.x
	res := &x.Res
	switch {
	case res.Drop:
		st.cut = true
		status := res.Status
		res.Clear()
		res.Status = status // for the log
		return
	case st.socket != nil && res.Status < 300:
		st.become()
		return
	case res.Status < 200 || res.Status > 999: // a tunnel that nobody asked for among them
		st.replaceWithError(500)
		return
	}
	if line := res.InvalidField(); line != "" {
		x.Log("http", exchange.Error, nil, line)
		st.replaceWithError(500)
		return
	}
	size := st.size()
	if n := x.Server.HTTP2.HeaderBlock; n > 0 && size > n {
		x.Log("http2", exchange.Error, nil, "AH10402: the answer's header is longer than H2MaxHeaderBlockLen")
		st.replaceWithError(500)
		return
	}
	st.passOver()
	err := st.deliver(size)
	if res.Body != nil {
		res.Body.Close()
		res.Body = nil
	}
	if err != nil {
		st.cut = true
	}
}

// replaceWithError sends an own page in place of an answer that cannot be sent; when that fails as well, a head
// alone.
func (st *stream) replaceWithError(status int) {
	if st.second {
		st.bare(status)
		st.x.Res.Header.Reset()
	} else {
		st.second = true
		st.x.Res.Clear()
		st.x.Res.Always.Reset()
		if !st.guardExchange(func() { st.c.s.app.Refuse(st.ctx, &st.x, &exchange.Problem{Status: exchange.Status(status)}) }) {
			st.bare(status)
		}
	}
	st.send()
}

// passes reports whether a field of the answer is sent as it is: not what concerns a connection, nor what is made
// here.
func passes(x *exchange.Exchange, f *exchange.Field) bool {
	switch f.ID {
	case wire.ContentLength, wire.Vary:
		return false
	case wire.Date, wire.Server:
		return x.Forwarded()
	case wire.ContentType:
		return !wire.Bodiless(x.Res.Status) || x.Res.Proxied || x.Res.Typed
	}
	return !wire.ConnectionField[f.ID]
}

// single are the fields of which the first counts alone. Never written to.
var single = [256]bool{wire.Date: true, wire.Server: true, wire.ContentType: true}

// size is about how long the answer's head is.
func (st *stream) size() (size int) {
	x := &st.x
	for _, list := range [...]*exchange.Header{&x.Res.Always, &x.Res.Header} {
		for i := range list.F {
			if f := &list.F[i]; passes(x, f) || f.ID == wire.Vary {
				size += len(f.Name) + len(f.Value) + 4
			}
		}
	}
	return size
}

// beginBlock appends the head of a HEADERS frame, whose length frames.SplitBlock sets, and the status.
func (st *stream) beginBlock(b []byte, status int, flags http2.Flags) []byte {
	b = frames.AppendHead(b, 0, http2.FrameHeaders, flags, st.id)
	b = st.c.out.enc.Begin(b)
	if status == 0 { // a trailer has none
		return b
	}
	return st.c.out.enc.Status(b, status)
}

// sendHead sends the answer's head; end: no body follows.
func (st *stream) sendHead(size int, end bool) error {
	if _, err := st.lock(0); err != nil {
		return err
	}
	c := st.c
	defer c.mu.Unlock()
	var flags http2.Flags
	if end {
		flags = http2.FlagHeadersEndStream
		c.finished(st)
	}
	b := c.out.Buffer(size + 512)
	at := len(b)
	b = st.appendFields(st.beginBlock(b, st.x.Res.Status, flags))
	c.out.B = frames.SplitBlock(b, at, st.id)
	c.kick(st.task)
	return nil
}

// finished notes that we have sent all of a stream's answer. Under mu.
func (c *conn) finished(st *stream) {
	st.sending = false
	if st.ended {
		st.closed = true
	}
}

// appendFields appends the answer's fields.
func (st *stream) appendFields(b []byte) []byte {
	x, enc := &st.x, &st.c.out.enc
	res := &x.Res
	var seen [256]bool
	for _, list := range [...]*exchange.Header{&res.Always, &res.Header} {
		for i := range list.F {
			f := &list.F[i]
			if f.ID == wire.Vary && !seen[wire.Vary] {
				seen[wire.Vary] = true
				b = enc.Field(b, wire.Vary, "", st.vary())
			}
			if !passes(x, f) || single[f.ID] && seen[f.ID] {
				continue
			}
			seen[f.ID] = true
			b = enc.Field(b, f.ID, f.Name, f.Value)
		}
	}
	if !seen[wire.Date] {
		b = enc.Field(b, wire.Date, "", st.c.s.clock.Date(x.Start))
	}
	if !seen[wire.Server] && x.Server.Token != "" {
		b = enc.Field(b, wire.Server, "", x.Server.Token)
	}
	if n, ok := said(x); ok {
		b = enc.Field(b, wire.ContentLength, "", x.Arena.Int(n))
	}
	return b
}

// vary is all Vary fields as one value, each name once.
func (st *stream) vary() string {
	var few [16]string
	names := st.x.Res.Varies(wire.NameSetOn(few[:]))
	size := 0
	for _, n := range names.Names() {
		size += len(n) + 1
	}
	b := st.x.Arena.Scratch(size)
	for i, n := range names.Names() {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, n...)
	}
	return st.x.Arena.Keep(b)
}

// said is the Content-Length that the client is told.
func said(x *exchange.Exchange) (n int64, ok bool) {
	res := &x.Res
	switch {
	case wire.Bodiless(res.Status):
		return 0, false
	case x.HeadOnly:
		return res.Length, res.Length > 0 && !res.ErrorPage
	case res.Length < 0 && res.Body != nil:
		return 0, false
	}
	return max(res.Length, 0), true
}

// deliver sends head and body; size is about the head's.
func (st *stream) deliver(size int) error {
	x := &st.x
	res := &x.Res
	never := x.HeadOnly || wire.Bodiless(res.Status)
	empty := never || res.Body == nil || res.Length == 0
	over := empty && (never || len(res.Trailer.F) == 0)
	err := st.sendHead(size, over)
	if err == nil {
		res.Wrote += int64(size)
		res.FirstByte = time.Now()
		switch {
		case over:
			return nil
		case empty:
			return st.end(io.EOF)
		}
		err = st.copy()
	}
	if err != nil && st.ctx.Err() != nil {
		res.Aborted = true
	}
	return err
}

// copy sends the body. What is there goes out before anything is waited for.
func (st *stream) copy() error {
	res := &st.x.Res
	gatherer, _ := res.Body.(exchange.Gatherer)
	for res.Length < 0 || res.Sent < res.Length {
		held := res.Body.Buffered()
		if len(held) == 0 && gatherer != nil {
			if err := gatherer.Gather(); err != nil {
				return st.end(err)
			}
			held = res.Body.Buffered()
		}
		if len(held) == 0 {
			if err := st.await(); err != nil {
				return st.end(err)
			}
			continue
		}
		n, err := st.pass(held)
		if err != nil {
			return err
		}
		res.Body.Discard(n)
	}
	return st.end(io.EOF)
}

// await sends what comes next.
func (st *stream) await() error {
	st.pause()
	if st.piece == nil {
		st.piece = frames.GetChunk()
	}
	n, err := st.x.Res.Body.Read(st.piece.B[:frames.MaxData])
	if n > 0 {
		if _, werr := st.pass(st.piece.B[:n]); werr != nil {
			return werr
		}
	}
	return err
}

// errSlow ends a body whose client takes nothing.
var errSlow = errors.New("http2: the client takes nothing of the answer")

// pass sends bytes of the body, as many as belong to it, in frames as long as windows, the client and
// H2MaxDataFrameLen let them be.
func (st *stream) pass(p []byte) (passed int, err error) {
	res := &st.x.Res
	if res.Length >= 0 {
		p = p[:min(int64(len(p)), res.Length-res.Sent)]
	}
	for rest := p; len(rest) > 0; {
		pad := st.c.out.pad()
		n, err := st.lock(len(rest) + pad)
		if err != nil {
			res.Aborted = true
			if err != errGone {
				err = errSlow
			}
			return 0, err
		}
		n, pad = st.fit(n, len(rest), pad)
		res.Sent += int64(n)
		res.Wrote += int64(n)
		st.appendPadded(rest[:n], pad, res.Sent == res.Length && len(res.Trailer.F) == 0)
		st.c.mu.Unlock()
		rest = rest[n:]
	}
	return len(p), nil
}

// fit is how many bytes of at most most, and of padding, go into what was granted. Under mu.
func (st *stream) fit(granted, most, pad int) (n, padding int) {
	if pad == 0 {
		return granted, 0
	}
	if granted <= pad {
		pad = 0
	}
	n = min(granted-pad, most)
	st.c.giveBack(st, granted-pad-n)
	return n, pad
}

// noPadding is what padding consists of.
var noPadding [256]byte

// appendPadded appends a DATA frame with padding: pad bytes, of which the first says how many follow behind the data.
// Under mu.
func (st *stream) appendPadded(p []byte, pad int, end bool) {
	if pad == 0 {
		st.appendData(st.task, p, end)
		return
	}
	c := st.c
	flags := http2.FlagDataPadded
	if end {
		flags |= http2.FlagDataEndStream
		c.finished(st)
	}
	n := len(p) + pad
	b := append(frames.AppendHead(c.out.Buffer(frames.HeadSize+n), n, http2.FrameData, flags, st.id), byte(pad-1))
	c.out.B = append(append(b, p...), noPadding[:pad-1]...)
	c.kick(st.task)
}

// appendData appends a DATA frame; t is the task that does, nil a goroutine. Under mu.
func (st *stream) appendData(t *loop.Task, p []byte, end bool) {
	c := st.c
	var flags http2.Flags
	if end {
		flags = http2.FlagDataEndStream
		c.finished(st)
	}
	b := frames.AppendHead(c.out.Buffer(frames.HeadSize+len(p)), len(p), http2.FrameData, flags, st.id)
	c.out.B = append(b, p...)
	c.kick(t)
}

// end ends the body, whole with io.EOF, or not.
func (st *stream) end(err error) error {
	res := &st.x.Res
	switch {
	case err != io.EOF:
		return err
	case res.Sent < res.Length:
		return errShort
	case res.Length >= 0 && len(res.Trailer.F) == 0: // its last frame has said so
		return nil
	}
	if _, err := st.lock(0); err != nil {
		return err
	}
	defer st.c.mu.Unlock()
	if len(res.Trailer.F) == 0 {
		st.appendData(st.task, nil, true)
		return nil
	}
	st.appendTrailer()
	return nil
}

// appendTrailer appends the fields behind the body. Under mu.
func (st *stream) appendTrailer() {
	c := st.c
	b := c.out.Buffer(512)
	at := len(b)
	b = st.beginBlock(b, 0, http2.FlagHeadersEndStream)
	for i := range st.x.Res.Trailer.F {
		if f := &st.x.Res.Trailer.F[i]; wire.IsToken(f.Name) && wire.IsValue(f.Value) && !wire.ConnectionField[f.ID] && f.ID != wire.ContentLength {
			b = c.out.enc.Field(b, f.ID, f.Name, f.Value)
		}
	}
	c.out.B = frames.SplitBlock(b, at, st.id)
	c.finished(st)
	c.kick(st.task)
}

// breakOff resets the stream: its client must see that this is not all.
func (st *stream) breakOff() {
	c := st.c
	c.mu.Lock()
	defer c.mu.Unlock()
	if st.over() {
		return
	}
	st.closed = true
	c.cut.add(st.id)
	c.out.B = frames.AppendReset(c.out.Buffer(16), st.id, http2.ErrCodeInternal)
	c.kick(st.task)
}
