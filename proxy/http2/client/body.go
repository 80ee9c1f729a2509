package client

import (
	"errors"
	"io"
	"os"
	"time"

	"golang.org/x/net/http2"

	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
	"balancerd/proxy/http2/frames"
	"balancerd/proxy/internal/loop"
	"balancerd/proxy/internal/wire"
)

// inlet is what has come of an answer's body, and how much more may. Under the connection's mu.
type inlet struct {
	frames.Inlet
	room     int   // how much the member may send
	owed     int   // bytes that were read, and the member was not told of
	got      int64 // bytes of the body so far
	declared int64 // by Content-Length; -1 it says none
	ended    bool  // the member has sent all
}

// refuses is why a DATA frame of n bytes, and of a size with its padding, is not taken in. Under mu.
func (s *stream) refuses(n, size int) error {
	switch {
	case s.ended:
		return http2.StreamError{StreamID: s.id, Code: http2.ErrCodeStreamClosed}
	case !s.here:
		return http2.StreamError{StreamID: s.id, Code: http2.ErrCodeProtocol}
	case size > s.room:
		return http2.StreamError{StreamID: s.id, Code: http2.ErrCodeFlowControl}
	case s.declared >= 0 && s.got+int64(n) > s.declared && !s.bodiless():
		return http2.StreamError{StreamID: s.id, Code: http2.ErrCodeProtocol, Cause: errLength}
	}
	return nil
}

// receive takes one in. Under mu.
func (s *stream) receive(p []byte, size int, end bool) error {
	s.room -= size
	if pad := size - len(p); pad > 0 {
		s.conn.taken(s.conn.by, pad)
		s.took(s.conn.by, pad)
	}
	s.got += int64(len(p))
	if s.bodiless() { // nobody reads it
		s.conn.taken(s.conn.by, len(p))
		s.took(s.conn.by, len(p))
	} else {
		s.Keep(p)
	}
	if end {
		return s.endBody()
	}
	return nil
}

// bodiless reports whether what follows the head is no body: to HEAD, 204, 304.
func (s *stream) bodiless() bool { return s.headOnly || wire.Bodiless(s.status) }

// errLength says that a body is not as long as its Content-Length says.
var errLength = errors.New("its length is not its Content-Length")

// endBody notes that the member has sent all. Under mu.
func (s *stream) endBody() error {
	if s.declared >= 0 && s.got < s.declared && !s.bodiless() {
		return http2.StreamError{StreamID: s.id, Code: http2.ErrCodeProtocol, Cause: io.ErrUnexpectedEOF}
	}
	s.ended = true
	if s.sentAll {
		s.conn.remove(s.conn.by, s)
	}
	return nil
}

// took lets the member send so many bytes more, of which it is told when they are many. Under mu.
func (s *stream) took(by *loop.Task, n int) {
	c := s.conn
	if s.owed += n; s.owed < memberWindow/2 || s.ended || s.fault != nil || c.last || c.gone {
		return
	}
	c.out.B = frames.AppendWindowUpdate(c.out.Buffer(16), s.id, s.owed)
	s.room += s.owed
	s.owed = 0
	c.kick(by)
}

// Buffered is what can be had without waiting.
func (s *stream) Buffered() []byte {
	if s.sending() {
		s.feed(false) // an error is Read's
	}
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	s.takeTrailer()
	return s.Held()
}

// takeTrailer makes what came behind the body the answer's, once, when the rest of the body is here: whoever sends it
// must know before the last byte whether anything follows. Under mu.
func (s *stream) takeTrailer() {
	if s.ended && len(s.tail) > 0 {
		s.X.Res.Trailer.F = append(s.X.Res.Trailer.F, s.tail...)
		s.tail = nil
	}
}

// Discard takes n bytes of it as read.
func (s *stream) Discard(n int) {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	s.discard(n)
}

// discard is Discard under mu.
func (s *stream) discard(n int) {
	s.read += int64(n)
	s.inlet.Discard(n)
	s.took(s.task(), n)
	s.conn.taken(s.task(), n)
}

// Read waits for bytes of the body. What the client sends meanwhile is passed on.
func (s *stream) Read(p []byte) (int, error) {
	if s.err != nil || len(p) == 0 {
		return 0, s.err
	}
	for by := time.Now().Add(s.timeout); ; {
		n, err := s.readNow(p)
		if n == 0 && err == nil && s.sending() {
			err = s.feed(false)
		}
		if n > 0 || err != nil {
			return n, s.ends(err)
		}
		left := time.Until(by)
		if left <= 0 {
			return 0, s.ends(os.ErrDeadlineExceeded)
		}
		s.event.Wait(s.task(), left) // an error: its time is over
	}
}

// readNow reads what is here; 0 and no error: nothing is.
func (s *stream) readNow(p []byte) (int, error) {
	c := s.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	s.takeTrailer()
	switch {
	case s.Unread() > 0:
		n := copy(p, s.Held())
		s.discard(n)
		return n, nil
	case s.ended:
		return 0, io.EOF
	case s.fault != nil:
		return 0, s.fault
	case s.aborted.Load():
		return 0, errAborted
	}
	return 0, nil
}

// ends notes how the body ended.
func (s *stream) ends(err error) error {
	if err == nil {
		return nil
	}
	if s.err = err; err != io.EOF {
		s.X.Log("proxy_http2", exchange.Error, err, "AH01110: error reading response")
	}
	return err
}

// Close ends it: the member need not send more.
func (s *stream) Close() error {
	if s.err == nil {
		s.err = errAborted
	}
	s.leave()
	return nil
}

var _ exchange.Source = (*stream)(nil)
var _ backend.Stream = (*stream)(nil)
