package backend

import (
	"errors"
	"io"
	"sync"

	"balancerd/proxy/internal/poison"
)

// bulk is a buffer for a long body that is known to flow.
type bulk struct{ b [64 << 10]byte }

var bulks = sync.Pool{New: func() any { return new(bulk) }}

func putBulk(p *bulk) {
	if p != nil {
		poison.Bytes(p.b[:])
		poison.Put(&bulks, p)
	}
}

// Feed is Stream's.
func (s *SerialStream) Feed() error {
	switch credit := s.codec.Unasked(); {
	case s.Body.none && (credit == OnePiece || credit == Nothing): // it waits for an answer all the same
		s.conn.Write2(s.codec.AppendEnd(s.out[:0]), nil) // a connection that is gone shows itself in the next read
		return nil
	case s.Body.none:
		return nil
	case credit == Offered:
		return s.sendRest(nil)
	}
	return s.feedPiece(s.out[:0])
}

// pour sends head and a body that is still on its way from the client. A member that closes meanwhile may have
// said something before.
func (s *SerialStream) pour(head []byte) error {
	err := s.sendRest(head)
	if f, ok := err.(*Failure); ok && f.Kind == WriteBody && !f.Timeout {
		if n, rerr := s.conn.TryRead(s.buf[s.w:]); n > 0 && rerr == nil {
			s.got(n)
			s.cut, err = true, nil
		}
	}
	return err
}

// sendRest writes head and then all of the body. When the member answers before it has all, nothing more is sent.
func (s *SerialStream) sendRest(head []byte) error {
	early, err := s.send(head)
	s.cut = early
	return err
}

// send does that; early: the member answered before.
func (s *SerialStream) send(head []byte) (early bool, err error) {
	u := s.Body
	if err := s.piece(head, u.first); err != nil {
		return errors.Is(err, ErrEarly), s.writeFault(err)
	}
	u.taken()
	if u.whole {
		return s.sendEnd()
	}
	var big *bulk // only while the client sends faster than we read: a slow one costs no more than what is its own
	defer func() { putBulk(big) }()
	for p := u.buffer(); ; {
		if s.conn.Readable() && !u.soonDone() {
			return true, nil
		}
		n, err := u.next(p)
		if n > 0 {
			if err := s.piece(nil, p[:n]); err != nil {
				return errors.Is(err, ErrEarly), s.writeFault(err)
			}
		}
		switch flows := n == len(p) && u.moreIsHere(); {
		case flows && big == nil:
			big = bulks.Get().(*bulk)
			p = big.b[:]
		case !flows && big != nil:
			putBulk(big)
			big, p = nil, u.buffer()
		}
		if err == io.EOF {
			return s.sendEnd()
		} else if err != nil {
			return false, s.clientFault(err)
		}
	}
}

// clientFault is the failure to read the client's body.
func (s *SerialStream) clientFault(err error) error {
	f := s.conn.Fail(ClientBody, err)
	f.Sent = true
	return f
}

// pieceLen is how much of n bytes fits into one piece.
func (s *SerialStream) pieceLen(n int) int {
	if most := s.codec.PieceSize(); most > 0 {
		return min(n, most)
	}
	return n
}

// piece writes head and a part of the body, framed.
func (s *SerialStream) piece(head, p []byte) error {
	s.Body.out += int64(len(p))
	for {
		n := s.pieceLen(len(p))
		if head == nil {
			head = s.frames[:0]
		}
		if n > 0 {
			head = s.codec.AppendPiece(head, n)
		}
		if err := s.conn.WriteBody(head, p[:n]); err != nil || n == 0 {
			return err
		}
		if end := s.codec.AppendPieceEnd(s.frames[:0]); len(end) > 0 {
			if err := s.conn.WriteBody(end, nil); err != nil {
				return err
			}
		}
		if head, p = nil, p[n:]; len(p) == 0 {
			return nil
		}
	}
}

// sendEnd writes what ends the body.
func (s *SerialStream) sendEnd() (early bool, err error) {
	end := s.codec.AppendEnd(s.frames[:0])
	if len(end) == 0 {
		return false, nil
	}
	if err := s.conn.WriteBody(end, nil); err != nil {
		return errors.Is(err, ErrEarly), s.writeFault(err)
	}
	return false, nil
}

// feedPiece sends head and one piece to a member that asks for each; behind the last one, what ends the body, as
// often as it is asked for.
func (s *SerialStream) feedPiece(head []byte) error {
	most := s.codec.PieceSize()
	if most == 0 {
		most = prefetch
	}
	p, err := s.Body.pull(most)
	switch err {
	case nil:
		err = s.piece(head, p)
	case io.EOF:
		err = s.conn.Write2(s.codec.AppendEnd(head), nil)
	default:
		return s.clientFault(err)
	}
	if err != nil {
		return s.writeFault(err)
	}
	return nil
}

// writeFault is what a failed write means. A member that answers early and closes is heard; what it said
// may still be there.
func (s *SerialStream) writeFault(err error) error {
	if errors.Is(err, ErrEarly) {
		return nil
	}
	u, kind := s.Body, WriteBody
	if u.none || !u.gone && u.ready {
		kind = WriteHead
	}
	f := s.conn.Fail(kind, err)
	f.Sent, f.Partial = u.gone, u.coming()
	return f
}
