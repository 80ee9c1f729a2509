package server

import (
	"bytes"
	"errors"
	"io"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"balancerd/proxy/http2/frames"
	"balancerd/proxy/internal/loop"
)

// received is what a connection has received so far. Owned by who serves the connection.
type received struct {
	frames.Received
	start        int  // bytes of the preface that have come
	settled      bool // the first SETTINGS have come
	dec          *hpack.Decoder
	block        block
	by           *loop.Task // who serves it
	answeredThen int64      // how much was answered when they were counted anew
}

// preface is what a client sends first (RFC 9113 section 3.4).
var preface = []byte(http2.ClientPreface)

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

// arrived takes in what was received. by is the task that serves the connection.
func (c *conn) arrived(by *loop.Task) {
	c.by = by
	err := c.takePreface()
	for err == nil && c.In().Whole() && c.listens() {
		var f http2.Frame
		if f, err = c.In().Frame(); err == nil {
			err = c.frame(f)
		}
		err = c.streamFault(err)
	}
	if err != nil {
		c.connFault(err)
	}
	if !c.listens() { // it is passed over
		c.In().Drop()
		c.block = block{}
	}
	c.by = nil
}

// listens reports whether frames are still of interest.
func (c *conn) listens() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.gone && !c.last
}

// Holds reports whether something of a frame is here, or nothing is listened to.
func (c *conn) Holds() bool { return c.In() != nil || !c.listens() }

// Release gives the input back if nothing of a frame, or of a header block, is there.
func (c *conn) Release() {
	if c.block.kind == noBlock {
		c.Received.Release()
	}
}

// takePreface takes the preface off the input.
func (c *conn) takePreface() error {
	if c.start == len(preface) {
		return nil
	}
	p := c.In().Have()
	n := min(len(p), len(preface)-c.start)
	if !bytes.Equal(p[:n], preface[c.start:c.start+n]) {
		return http2.ConnectionError(http2.ErrCodeProtocol)
	}
	c.start += n
	c.In().Skip(n)
	return nil
}

// streamFault is an error that concerns more than one stream: one of a stream alone ends just that.
func (c *conn) streamFault(err error) error {
	of, is := errors.AsType[http2.StreamError](err)
	if !is {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refuseStream(of.StreamID, of.Code)
	return nil
}

// refuseStream resets a stream, or one that never was opened, for what the client did. Under mu.
func (c *conn) refuseStream(id uint32, code http2.ErrCode) {
	switch st := c.find(id); {
	case st != nil:
		c.abort(c.by, st)
	case code != http2.ErrCodeRefusedStream:
		c.countBroken(c.by, false)
	default:
		c.countFutile()
	}
	c.cut.add(id)
	c.control(c.by, frames.AppendReset(c.out.Buffer(16), id, code))
	c.count(c.by)
}

// connFault ends the connection for what the client did.
func (c *conn) connFault(err error) {
	code := frames.CodeOf(err)
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.settled && c.start < len(preface) { // it does not speak HTTP/2
		c.gone = true
		return
	}
	c.count(c.by)
	c.goAway(c.by, code, "")
}

// frame does what a frame asks for.
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
	case *http2.DataFrame:
		return c.data(f)
	case *http2.WindowUpdateFrame:
		return c.windowUpdate(f)
	case *http2.RSTStreamFrame:
		return c.reset(f)
	case *http2.SettingsFrame:
		return c.settings(f)
	case *http2.PingFrame:
		return c.ping(f)
	case *http2.PriorityFrame:
		if f.StreamDep == f.StreamID {
			return http2.StreamError{StreamID: f.StreamID, Code: http2.ErrCodeProtocol}
		}
	case *http2.PriorityUpdateFrame:
		c.prioritize(f)
	case *http2.GoAwayFrame:
		c.shutDown(c.by)
	case *http2.PushPromiseFrame:
		return http2.ConnectionError(http2.ErrCodeProtocol)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.countFutile()
}

// prioritize gives a stream another priority (RFC 9218 section 7.1).
func (c *conn) prioritize(f *http2.PriorityUpdateFrame) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if st := c.find(f.PrioritizedStreamID); st != nil {
		c.out.rank(st, parsePriority(f.Priority))
	}
}

// countFutile counts a frame that brings nothing: many of them in a row and a short time are an attack, unless answers are
// taken meanwhile. Under mu.
func (c *conn) countFutile() error {
	if c.out.answered-c.answeredThen >= useful {
		c.answeredThen = c.out.answered
		c.Useful()
	}
	if c.Futile() {
		c.goAway(c.by, http2.ErrCodeEnhanceYourCalm, "its frames bring nothing")
	}
	return nil
}

// useful is from how many bytes of answers on the frames in between were good for something.
const useful = 512

func (c *conn) ping(f *http2.PingFrame) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !f.IsAck():
		c.control(c.by, frames.AppendPing(c.out.Buffer(32), f.Data, http2.FlagPingAck))
	case c.ending == announced && f.Data == goAwayPing:
		c.finalGoAway(c.by)
	}
	return c.countFutile()
}

// mostSettings is how many settings a frame may have.
const mostSettings = 100

func (c *conn) settings(f *http2.SettingsFrame) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.IsAck() {
		if c.ackBy.IsZero() {
			return http2.ConnectionError(http2.ErrCodeProtocol)
		}
		c.ackBy = time.Time{}
		return nil
	}
	if f.NumSettings() > mostSettings {
		return http2.ConnectionError(http2.ErrCodeProtocol)
	}
	c.settled, c.prefaceBy = true, time.Time{}
	if err := f.ForeachSetting(c.setting); err != nil {
		return err
	}
	c.control(c.by, frames.AppendSettingsAck(c.out.Buffer(16)))
	c.pump(c.by, nil)
	return c.countFutile()
}

// setting does what one of the client's settings says. Under mu.
func (c *conn) setting(s http2.Setting) error {
	if err := s.Valid(); err != nil {
		return err
	}
	switch s.ID {
	case http2.SettingHeaderTableSize:
		c.out.enc.Limit(s.Val)
	case http2.SettingInitialWindowSize:
		return c.resize(int64(s.Val))
	}
	return nil
}

// resize changes the client's windows of all streams (RFC 9113 section 6.9.2). Under mu.
func (c *conn) resize(n int64) error {
	more := n - c.initial
	c.initial = n
	for _, st := range c.open {
		if err := frames.Widen(&st.window, more, 0); err != nil {
			return err
		}
	}
	return nil
}

func (c *conn) windowUpdate(f *http2.WindowUpdateFrame) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	more := int64(f.Increment)
	if f.StreamID == 0 {
		if err := frames.Widen(&c.out.window, more, 0); err != nil {
			return err
		}
		c.pump(c.by, nil)
		return c.countFutile()
	}
	if f.StreamID > c.newest || f.StreamID%2 == 0 {
		return http2.ConnectionError(http2.ErrCodeProtocol)
	}
	if st := c.find(f.StreamID); st != nil {
		if err := frames.Widen(&st.window, more, f.StreamID); err != nil {
			return err
		}
		c.pump(c.by, nil)
	}
	return c.countFutile()
}

func (c *conn) reset(f *http2.RSTStreamFrame) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.StreamID > c.newest || f.StreamID%2 == 0 {
		return http2.ConnectionError(http2.ErrCodeProtocol)
	}
	if st := c.find(f.StreamID); st != nil {
		c.abort(c.by, st)
		return nil
	}
	return c.countFutile()
}

// data takes in a part of a request's body.
func (c *conn) data(f *http2.DataFrame) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	id, size, p := f.StreamID, int(f.Length), f.Data()
	if id > c.newest || id%2 == 0 {
		return http2.ConnectionError(http2.ErrCodeProtocol)
	}
	if size > c.window {
		return http2.ConnectionError(http2.ErrCodeFlowControl)
	}
	c.window -= size
	st := c.find(id)
	if st == nil || st.ended {
		c.taken(c.by, size)
		if st == nil && c.cut.has(id) {
			return nil
		}
		return http2.StreamError{StreamID: id, Code: http2.ErrCodeStreamClosed}
	}
	if size > st.room {
		c.taken(c.by, size)
		return http2.StreamError{StreamID: id, Code: http2.ErrCodeFlowControl}
	}
	st.room -= size
	if st.declared >= 0 && st.got+int64(len(p)) > st.declared {
		c.taken(c.by, size)
		return http2.StreamError{StreamID: id, Code: http2.ErrCodeProtocol}
	}
	if pad := size - len(p); pad > 0 {
		c.taken(c.by, pad)
		st.took(c.by, pad)
	}
	if len(p) > 0 {
		c.Useful()
		st.receive(p)
	}
	if f.StreamEnded() {
		st.requestEnds()
	}
	if len(p) > 0 || st.ended {
		st.comes(c.by)
		return nil
	}
	return c.countFutile()
}

// taken lets the client send so many bytes more on the connection, which tells it of many at once. Under mu.
func (c *conn) taken(by *loop.Task, n int) {
	if c.credit += n; c.credit < connWindow/2 || c.last || c.gone {
		return
	}
	c.out.B = frames.AppendWindowUpdate(c.out.Buffer(16), 0, c.credit)
	c.window += c.credit
	c.credit = 0
	c.kick(by)
}
