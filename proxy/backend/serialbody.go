package backend

import (
	"io"
	"time"

	"balancerd/proxy/exchange"
)

var _ interface {
	exchange.Source
	exchange.Gatherer
} = (*SerialStream)(nil)

// minGather is how much of the buffer must be free for Gather to read into it.
const minGather = 4 << 10

// body begins the body. What is whole already costs no connection any more.
func (s *SerialStream) body() {
	res := &s.X.Res
	res.Length, res.Body = -1, nil
	s.base = s.r
	switch s.framing.Body {
	case NoBody:
		res.Length = s.framing.Length
		s.end(io.EOF)
		return
	case Counted, Coded:
		res.Length = s.framing.Length
		s.left = s.framing.Length
	case Dropped:
		res.Length = s.framing.Length
		s.take()
		s.data = nil
		s.tail()
		return
	}
	res.Body = s
	s.take()
	if s.framing.Sized && s.atEnd() {
		res.Length = int64(len(s.data))
	}
	if s.ending && len(s.data) == 0 {
		s.tail()
	}
	if s.err == io.EOF && len(s.data) == 0 { // an empty body has a length
		res.Length, res.Body = 0, nil
	}
}

// atEnd reports whether a body to the connection's end is here whole, without waiting for more of it.
func (s *SerialStream) atEnd() bool {
	for s.err == nil && s.w < len(s.buf) {
		n, err := s.conn.TryRead(s.buf[s.w:])
		if n == 0 && err == nil {
			break
		}
		s.arrived(s.buf[s.w:s.w+n], err)
		s.w += n
		s.data = s.buf[s.w-n-len(s.data) : s.w]
		s.r = s.w
	}
	return s.err == io.EOF
}

// take makes body bytes of what was received with the head.
func (s *SerialStream) take() {
	have := s.buf[s.r:s.w]
	switch s.framing.Body {
	case Counted:
		n := int(min(int64(len(have)), s.left))
		s.data = have[:n]
		s.r += n
		s.left -= int64(n)
		s.bodyRead += int64(n)
		if s.left == 0 {
			s.end(io.EOF)
		}
	case Coded, Dropped:
		n, used, err := s.decode(have)
		s.data = have[:n]
		s.r += used
		s.bodyRead += int64(n)
		if s.ending = err == ErrEnding; err != nil && !s.ending {
			s.end(err)
		}
	case ToEnd:
		s.data = have
		s.r = s.w
		s.bodyRead += int64(len(have))
	}
}

// decode is the codec's Decode, which gives a member that asks for the request's body a piece of it. The decoded
// bytes come to stand one behind the other.
func (s *SerialStream) decode(p []byte) (n, used int, err error) {
	for {
		k, u, err := s.codec.Decode(p[used:])
		if n != used {
			copy(p[n:], p[used:used+k])
		}
		n += k
		used += u
		if err != ErrWantsBody {
			return n, used, err
		}
		if err := s.Feed(); err != nil {
			return n, used, err
		}
	}
}

// end notes how the body ended, and gives the connection back.
func (s *SerialStream) end(err error) {
	if s.err != nil {
		return
	}
	s.err = err
	if err != io.EOF {
		s.codec.Broken(err)
	}
	s.release(s.reuse(), err)
}

// Buffered is what can be had without waiting.
func (s *SerialStream) Buffered() []byte { return s.data }

// Discard takes n bytes of it as read.
func (s *SerialStream) Discard(n int) { s.data = s.data[n:] }

// Read waits for bytes of the body.
func (s *SerialStream) Read(p []byte) (int, error) {
	for {
		switch {
		case len(s.data) > 0:
			n := copy(p, s.data)
			s.Discard(n)
			return n, nil
		case s.err != nil:
			return 0, s.err
		case len(p) == 0:
			return 0, nil
		case s.ending:
			s.tail()
			continue
		}
		if s.framing.Body == Counted && int64(len(p)) > s.left+1 {
			p = p[:s.left+1] // one more, to see that there is none
		}
		n, err := s.conn.Read(p)
		if n, err = s.arrived(p[:n], err); n > 0 || err != nil {
			return n, err
		}
	}
}

// arrived makes body bytes of p, in place, and notes an end.
func (s *SerialStream) arrived(p []byte, err error) (n int, _ error) {
	s.received += int64(len(p))
	over := false
	switch s.framing.Body {
	case Counted:
		n = int(min(int64(len(p)), s.left))
		s.left -= int64(n)
		s.extra = s.extra || n < len(p)
		over = s.left == 0
	case Coded:
		used, derr := 0, error(nil)
		n, used, derr = s.decode(p)
		switch {
		case derr == io.EOF:
			over = true
		case derr == ErrEnding:
			s.ending = true
		case derr != nil:
			err = derr
		}
		s.extra = s.extra || used < len(p)
	default:
		n = len(p)
		over = err == io.EOF
	}
	s.bodyRead += int64(n)
	switch {
	case over, err == io.EOF && s.wholeByNow():
		over = true
		s.end(io.EOF)
	case err == io.EOF:
		s.end(io.ErrUnexpectedEOF)
	case err != nil:
		s.end(err)
	}
	if n > 0 || over || err == nil {
		return n, nil
	}
	return 0, s.err
}

// Gather is exchange.Gatherer's.
func (s *SerialStream) Gather() error {
	if s.err != nil {
		return s.err
	}
	if s.ending || len(s.buf)-s.base < minGather {
		return nil
	}
	s.r, s.w = s.base, s.base
	n, err := s.conn.TryRead(s.buf[s.base:])
	if n == 0 && err == nil {
		return nil
	}
	k, _ := s.arrived(s.buf[s.base:s.base+n], err)
	s.data = s.buf[s.base : s.base+k]
	if k > 0 {
		return nil
	}
	return s.err // an end goes to the client together with what came before
}

// wholeByNow reports whether the connection's end breaks no body off.
func (s *SerialStream) wholeByNow() bool {
	e, ok := s.codec.(Ending)
	return ok && s.framing.Body == Coded && e.Whole()
}

// What is waited for, and read, of an answer of which nothing more is wanted but its end, so that the connection
// can be kept.
const (
	tailWait = 200 * time.Millisecond
	mostTail = 256 << 10
)

// tail ends a body that is whole, or of which nothing is wanted. If what ends the answer is about to come, the
// connection is kept.
func (s *SerialStream) tail() {
	big := bulks.Get().(*bulk)
	defer putBulk(big)
	by := time.Now().Add(tailWait)
	for read := 0; s.err == nil && s.conn != nil && read < mostTail; {
		left := time.Until(by)
		if left <= 0 {
			break
		}
		s.conn.SetTimeout(left)
		n, err := s.conn.Read(big.b[:])
		read += n
		s.received += int64(n)
		_, used, derr := s.decode(big.b[:n])
		s.extra = s.extra || used < n
		if err != nil || derr != nil && derr != ErrEnding {
			if err == io.EOF {
				s.wholeByNow()
			}
			break
		}
	}
	s.end(io.EOF)
}

// Close ends it: a body that was not read to its end costs the connection.
func (s *SerialStream) Close() error {
	s.release(BodyUnread, s.err)
	return nil
}
