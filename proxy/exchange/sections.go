package exchange

import (
	"io"
	"os"
)

// NewSections is a body that is size bytes of at from base on; a file is sent by the system. c is closed with it; nil
// for nothing.
func NewSections(at io.ReaderAt, c io.Closer, base, size int64) Sections {
	return &sections{at: at, closer: c, base: base, parts: []Part{{Length: size}}}
}

// sections sends parts of a file, with texts between them, as a response's body.
type sections struct {
	at     io.ReaderAt
	closer io.Closer
	base   int64  // where the body begins
	parts  []Part // what is still to come; the first is under way
	buf    []byte // made when somebody asks for Buffered
	ready  []byte // read and not yet taken
}

// SendParts is Sections'.
func (s *sections) SendParts(parts []Part) { s.parts, s.ready = parts, nil }

// Read gives the next bytes. A file that shrank is an io.ErrUnexpectedEOF.
func (s *sections) Read(p []byte) (int, error) {
	if len(s.ready) > 0 {
		n := copy(p, s.ready)
		s.ready = s.ready[n:]
		return n, nil
	}
	return s.next(p)
}

func (s *sections) next(p []byte) (int, error) {
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
	n, err := s.at.ReadAt(p, s.base+at.First)
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

const sectionBuffer = 32 << 10

// Buffered is what was read ahead. A disk never makes its reader wait for a client, so it fills up here.
func (s *sections) Buffered() []byte {
	s.fill()
	return s.ready
}

// Gather is Gatherer's: the end is told as soon as all was taken.
func (s *sections) Gather() error { return s.fill() }

func (s *sections) fill() error {
	if len(s.ready) > 0 {
		return nil
	}
	if s.buf == nil {
		s.buf = make([]byte, min(s.total(), sectionBuffer))
	}
	n, err := s.next(s.buf)
	s.ready = s.buf[:n]
	return err
}

// Discard takes n of Buffered as read.
func (s *sections) Discard(n int) { s.ready = s.ready[n:] }

// File is the file and the range of it that is the whole rest of the body, for sendfile; ok is false
// when it is no file, texts stand between or bytes are already buffered.
func (s *sections) File() (f *os.File, off, n int64, ok bool) {
	f, ok = s.at.(*os.File)
	if !ok || len(s.ready) > 0 || len(s.parts) != 1 || s.parts[0].Text != "" {
		return nil, 0, 0, false
	}
	return f, s.base + s.parts[0].First, s.parts[0].Length, true
}

// Close gives the file back.
func (s *sections) Close() error {
	if s.closer == nil {
		return nil
	}
	return s.closer.Close()
}

func (s *sections) total() int64 {
	n := int64(0)
	for i := range s.parts {
		n += s.parts[i].Left()
	}
	return n
}
