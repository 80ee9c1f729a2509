package backend

import (
	"io"
	"time"
)

// ping asks the member whether it is alive, where the protocol has a way to do that. One that is silent, or a kept
// connection that is dead, gives the request to another connection.
func (s *SerialStream) ping() error {
	p, ok := s.codec.(Pinger)
	limit := s.Worker.Settings().Ping
	if !ok || !limit.Set {
		return nil
	}
	s.conn.SetTimeout(limit.V)
	s.out = p.AppendPing(s.out[:0])
	n, _, err := s.conn.Talk(time.Now(), s.out, nil, s.buf)
	s.got(n)
	for err == nil {
		var used int
		if used, err = p.ParsePong(s.buf[:s.w]); err == nil {
			s.r, s.w = 0, copy(s.buf, s.buf[used:s.w])
			s.conn.SetTimeout(timeoutOf(s.Worker.Settings(), s.Call))
			return nil
		}
		if err == ErrIncomplete {
			err = s.fill()
		}
	}
	p.NoPong(err)
	s.stale = s.Try == 1
	return s.conn.Fail(NoContinue, err)
}

// Wait is Stream's: it reads the next head.
func (s *SerialStream) Wait() (Event, error) {
	if s.granted {
		s.granted = false
		return WantsBody, nil
	}
	for {
		if s.r < s.w {
			n, event, err := s.codec.ParseHead(s.buf[s.r:s.w])
			switch {
			case err == nil:
				s.r += n
				return event, s.hear(event)
			case err != ErrIncomplete:
				return 0, s.unwanted(err)
			}
			s.r += n
		}
		if err := s.fill(); err != nil {
			return 0, s.unwanted(s.ended(err))
		}
	}
}

// hear is what an event means for an offer. After a final answer the member still waits for the body when it keeps
// the connection; a short one is sent, and of a long one the connection ends.
func (s *SerialStream) hear(event Event) error {
	if !s.waits || event == WantsBody {
		return nil
	}
	if event == InterimResponse {
		if s.codec.Interim().Status == 100 {
			s.grant()
		}
		return nil
	}
	s.conn.SetTimeout(timeoutOf(s.Worker.Settings(), s.Call))
	o, ok := s.codec.(Offerer)
	if s.cut = !s.Body.none; s.Body.none || !ok || !o.StillWaits() || !s.Body.brief() {
		return nil
	}
	return s.pour(nil)
}

// Interim is Stream's.
func (s *SerialStream) Interim() InterimHead { return s.codec.Interim() }

// unwanted turns silence into the failure of an offer.
func (s *SerialStream) unwanted(err error) error {
	if f, ok := err.(*Failure); ok && s.waits && f.Timeout {
		f.Kind = NoContinue
	}
	return err
}

// ended is what an end, or silence, means before a head is whole.
func (s *SerialStream) ended(err error) error {
	if !s.codec.Begun(s.buf[s.r:s.w]) {
		return s.silent(err)
	}
	f := s.conn.Fail(BadHead, err)
	if !s.listen(f) && err == io.EOF {
		f.Err = io.ErrUnexpectedEOF
	}
	return f
}

// listen has a Listener say why nothing follows. ok: the codec is one.
func (s *SerialStream) listen(f *Failure) (ok bool) {
	l, ok := s.codec.(Listener)
	if ok {
		f.Err = l.Silent(s.buf[s.r:s.w], f.Err)
	}
	return ok
}

// silent is what an end, or silence, before a head means.
func (s *SerialStream) silent(err error) *Failure {
	if IsTimeout(err) {
		f := s.conn.Fail(ReadTimeout, err)
		s.listen(f)
		return f
	}
	closed := err == io.EOF || err == io.ErrUnexpectedEOF // TLS without a goodbye
	s.stale = closed && s.Reused && s.w == 0 && !s.Body.gone && s.conn.Undelivered()
	f := s.conn.Fail(EarlyClose, err)
	f.Partial = s.cut && s.Body.coming()
	if !s.stale {
		s.listen(f)
	}
	return f
}

// fill waits for more of a head.
func (s *SerialStream) fill() error {
	if s.w == len(s.buf) {
		if s.r > 0 {
			s.w = copy(s.buf, s.buf[s.r:s.w])
			s.r = 0
		} else {
			s.grow()
		}
	}
	n, err := s.conn.Read(s.buf[s.w:])
	s.got(n)
	return err
}

// Accept is Stream's.
func (s *SerialStream) Accept() error {
	f, err := s.codec.Accept()
	if err != nil {
		return err
	}
	s.framing, s.status = f, s.X.Res.Status
	if f.Body == TunnelKind {
		s.X.Res.Length, s.X.Res.Body, s.X.Res.Tunnel = -1, nil, (*tunnelEnd)(s)
		return nil
	}
	s.body()
	return nil
}
