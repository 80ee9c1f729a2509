package static

import (
	"io"
	"os"

	"balancerd/proxy/exchange"
)

// source sends parts of a file, with texts between them, as a response's body.
type source struct {
	f     *os.File
	parts []exchange.Part // what is still to come; the first is under way
	buf   []byte          // made when somebody asks for Buffered
	ready []byte          // read and not yet taken
}

var _ exchange.Sections = (*source)(nil)

// SendParts is exchange.Sections'.
func (s *source) SendParts(parts []exchange.Part) { s.parts, s.ready = parts, nil }

// Read gives the next bytes. A file that shrank is an io.ErrUnexpectedEOF.
func (s *source) Read(p []byte) (int, error) {
	if len(s.ready) > 0 {
		n := copy(p, s.ready)
		s.ready = s.ready[n:]
		return n, nil
	}
	return s.next(p)
}

func (s *source) next(p []byte) (int, error) {
	for len(s.parts) > 0 && s.parts[0].Left() == 0 {
		s.parts = s.parts[1:]
	}
	if len(s.parts) == 0 {
		return 0, io.EOF
	}
	at := &s.parts[0]
	if at.Text != "" {
		n := copy(p, at.Text)
		at.Text = at.Text[n:]
		return n, nil
	}
	if int64(len(p)) > at.Length {
		p = p[:at.Length]
	}
	n, err := s.f.ReadAt(p, at.First)
	at.First += int64(n)
	at.Length -= int64(n)
	if n > 0 {
		return n, nil
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return 0, err
}

const bufferSize = 32 << 10

// Buffered is what was read ahead. A disk never makes its reader wait for a client, so it fills up here.
func (s *source) Buffered() []byte {
	s.fill()
	return s.ready
}

// Gather is exchange.Gatherer's: the end is told as soon as all was taken.
func (s *source) Gather() error { return s.fill() }

func (s *source) fill() error {
	if len(s.ready) > 0 {
		return nil
	}
	if s.buf == nil {
		s.buf = make([]byte, min(s.total(), bufferSize))
	}
	n, err := s.next(s.buf)
	s.ready = s.buf[:n]
	return err
}

// Discard takes n of Buffered as read.
func (s *source) Discard(n int) { s.ready = s.ready[n:] }

// File is the file and the range of it that is the whole rest of the body, for sendfile; ok is false
// when texts stand between or bytes are already buffered.
func (s *source) File() (f *os.File, off, n int64, ok bool) {
	if len(s.ready) > 0 || len(s.parts) != 1 || s.parts[0].Text != "" {
		return nil, 0, 0, false
	}
	return s.f, s.parts[0].First, s.parts[0].Length, true
}

// Close gives the file back.
func (s *source) Close() error { return s.f.Close() }

func (s *source) total() int64 {
	n := int64(0)
	for i := range s.parts {
		n += s.parts[i].Left()
	}
	return n
}
