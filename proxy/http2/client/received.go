package client

import (
	"errors"
	"io"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"balancerd/proxy/http2/frames"
	"balancerd/proxy/internal/loop"
)

// received is what a connection has received so far. Owned by who serves the connection.
type received struct {
	frames.Received
	settled bool // the first SETTINGS have come
	dec     *hpack.Decoder
	head    head              // the header block that is being received
	names   map[string]string // names of fields as HTTP/1 writes them
	by      *loop.Task        // who serves it
}

// Holds reports whether something of a frame is here, or nothing is listened to.
func (c *conn) Holds() bool { return c.In() != nil || !c.listens() }

// listens reports whether frames are still of interest.
func (c *conn) listens() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.gone && !c.last
}

// Receive reads once, and takes in what has come.
func (c *conn) Receive(by *loop.Task, from io.Reader) (n int, err error) {
	if !c.listens() {
		return frames.PassOver(from)
	}
	if n, err = c.Read(from); n > 0 {
		c.arrived(by)
	}
	return n, err
}

// arrived takes in what was received.
func (c *conn) arrived(by *loop.Task) {
	c.by = by
	in := c.In()
	var err error
	for err == nil && in.Whole() && c.listens() {
		var f http2.Frame
		if f, err = in.Frame(); err == nil {
			err = c.frame(f)
		}
		err = c.streamFault(err)
	}
	if err != nil {
		c.connFault(err)
	}
	if !c.listens() { // it is passed over
		in.Drop()
		c.head.reset()
	}
	c.by = nil
}

// Release gives the input back if nothing of a frame, or of a header block, is there.
func (c *conn) Release() {
	if c.head.id == 0 {
		c.Received.Release()
	}
}

// streamFault is an error that concerns more than one stream: one of a stream alone ends just that.
func (c *conn) streamFault(err error) error {
	of, is := errors.AsType[http2.StreamError](err)
	if !is {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.find(of.StreamID); s != nil {
		s.fault = of
		c.reset(c.by, s, of.Code)
		s.event.Set(c.by)
	}
	return nil
}

// connFault ends the connection for what the member did.
func (c *conn) connFault(err error) {
	code := frames.CodeOf(err)
	c.mu.Lock()
	c.failAll(c.by, http2.ConnectionError(code))
	c.goodbye(c.by, code)
	c.mu.Unlock()
	c.list.drop(c)
}

// frame does what a frame says.
func (c *conn) frame(f http2.Frame) error {
	settings, is := f.(*http2.SettingsFrame)
	if !c.settled && (!is || settings.IsAck()) {
		return http2.ConnectionError(http2.ErrCodeProtocol)
	}
	switch f := f.(type) {
	case *http2.HeadersFrame:
		return c.headers(f)
	case *http2.ContinuationFrame:
		return c.fragment(f.HeaderBlockFragment(), f.HeadersEnded())
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heard++
	switch f := f.(type) {
	case *http2.DataFrame:
		return c.data(f)
	case *http2.WindowUpdateFrame:
		return c.windowUpdate(f)
	case *http2.RSTStreamFrame:
		return c.wasReset(f)
	case *http2.SettingsFrame:
		return c.settings(f)
	case *http2.PingFrame:
		return c.pinged(f)
	case *http2.GoAwayFrame:
		return c.goesAway(f)
	case *http2.PushPromiseFrame: // it was told that we want none
		return http2.ConnectionError(http2.ErrCodeProtocol)
	}
	return c.countFutile()
}

// countFutile counts a frame that brings nothing: many of them in a row and a short time are an attack. Under mu.
func (c *conn) countFutile() error {
	if c.Futile() {
		return http2.ConnectionError(http2.ErrCodeEnhanceYourCalm)
	}
	return nil
}

// pinged answers a PING, or takes in the answer to ours. Under mu.
func (c *conn) pinged(f *http2.PingFrame) error {
	if !f.IsAck() {
		if err := c.control(c.by, frames.AppendPing(c.out.Buffer(32), f.Data, http2.FlagPingAck)); err != nil {
			return err
		}
	} else if f.Data == pingData && !c.pingBy.IsZero() {
		c.ponged(c.by)
		return nil
	}
	return c.countFutile()
}

// settings does what the member's settings say. Under mu.
func (c *conn) settings(f *http2.SettingsFrame) error {
	if f.IsAck() {
		return c.countFutile()
	}
	if f.NumSettings() > mostSettings {
		return http2.ConnectionError(http2.ErrCodeProtocol)
	}
	c.settled = true
	if err := f.ForeachSetting(c.setting); err != nil {
		return err
	}
	if err := c.control(c.by, frames.AppendSettingsAck(c.out.Buffer(16))); err != nil {
		return err
	}
	return c.countFutile()
}

// setting does what one of them says. Under mu.
func (c *conn) setting(s http2.Setting) error {
	if err := s.Valid(); err != nil {
		return err
	}
	switch s.ID {
	case http2.SettingHeaderTableSize:
		c.enc.Limit(s.Val)
	case http2.SettingInitialWindowSize:
		return c.resize(int64(s.Val))
	case http2.SettingMaxConcurrentStreams:
		c.most = int(min(s.Val, memberStreams))
		c.endIdle(c.by)
		c.list.placesFree(c.by)
	case http2.SettingEnablePush:
		if s.Val != 0 { // RFC 9113 section 6.5.2
			return http2.ConnectionError(http2.ErrCodeProtocol)
		}
	}
	return nil
}

// resize changes the member's windows of all streams (RFC 9113 section 6.9.2). Under mu.
func (c *conn) resize(n int64) error {
	more := n - c.initial
	c.initial = n
	for _, s := range c.streams {
		if err := frames.Widen(&s.window, more, 0); err != nil {
			return err
		}
		if more > 0 {
			s.event.Set(c.by)
		}
	}
	return nil
}

// idle reports whether a stream has never begun. Under mu.
func (c *conn) idle(id uint32) bool { return id%2 == 0 || id >= c.next }

// windowUpdate opens one of the member's windows. Under mu.
func (c *conn) windowUpdate(f *http2.WindowUpdateFrame) error {
	more := int64(f.Increment)
	if f.StreamID == 0 {
		if err := frames.Widen(&c.window, more, 0); err != nil {
			return err
		}
		c.wake(c.by)
		return c.countFutile()
	}
	if c.idle(f.StreamID) {
		return http2.ConnectionError(http2.ErrCodeProtocol)
	}
	if s := c.find(f.StreamID); s != nil {
		if err := frames.Widen(&s.window, more, f.StreamID); err != nil {
			return err
		}
		s.event.Set(c.by)
	}
	return c.countFutile()
}

// wasReset ends a stream that the member breaks off. Behind a whole answer it says only that it wants no more of the
// request (RFC 9113 section 8.1). Under mu.
func (c *conn) wasReset(f *http2.RSTStreamFrame) error {
	if c.idle(f.StreamID) {
		return http2.ConnectionError(http2.ErrCodeProtocol)
	}
	s := c.find(f.StreamID)
	if s == nil {
		return c.countFutile()
	}
	s.fault = http2.StreamError{StreamID: f.StreamID, Code: f.ErrCode, Cause: errReset}
	if f.ErrCode == http2.ErrCodeRefusedStream && !s.here {
		s.fault = errUntouched{s.fault}
	}
	c.remove(c.by, s)
	s.event.Set(c.by)
	return nil
}

// errReset is the Cause of a StreamError that the member has sent.
var errReset = errors.New("the member broke it off")

// goesAway takes in that the member serves no further stream (RFC 9113 section 6.8). Under mu.
func (c *conn) goesAway(f *http2.GoAwayFrame) error {
	c.closing, c.refuses = true, true
	for i := len(c.streams) - 1; i >= 0; i-- {
		if s := c.streams[i]; s.id > f.LastStreamID {
			s.fault = errUntouched{errGoAway}
			c.remove(c.by, s)
			s.event.Set(c.by)
		}
	}
	c.endIdle(c.by)
	c.list.placesFree(c.by)
	return c.countFutile()
}

// data takes in a part of an answer's body. Under mu.
func (c *conn) data(f *http2.DataFrame) error {
	id, size, p := f.StreamID, int(f.Length), f.Data()
	if c.idle(id) {
		return http2.ConnectionError(http2.ErrCodeProtocol)
	}
	if size > c.room {
		return http2.ConnectionError(http2.ErrCodeFlowControl)
	}
	c.room -= size
	s := c.find(id)
	if s == nil { // it was on its way when the stream ended
		c.taken(c.by, size)
		return c.countFutile()
	}
	if err := s.refuses(len(p), size); err != nil {
		c.taken(c.by, size)
		return err
	}
	if err := s.receive(p, size, f.StreamEnded()); err != nil {
		return err
	}
	if len(p) == 0 && !f.StreamEnded() {
		return c.countFutile()
	}
	c.Useful()
	s.event.Set(c.by)
	return nil
}

// taken lets the member send so many bytes more on the connection, which tells it of many at once. Under mu.
func (c *conn) taken(by *loop.Task, n int) {
	if c.credit += n; c.credit < connWindow/4 || c.last || c.gone {
		return
	}
	c.out.B = frames.AppendWindowUpdate(c.out.Buffer(16), 0, c.credit)
	c.room += c.credit
	c.credit = 0
	c.kick(by)
}
