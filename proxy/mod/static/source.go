package static

import (
	"io"
	"os"

	"balancerd/proxy/exchange"
)

// source sends pieces of a file, with texts between them, as a response's body.
type source struct {
	x      *exchange.Exchange
	f      *os.File
	pieces []piece // what is still to come; the first is under way
	buf    []byte  // made when somebody asks for Buffered
	ready  []byte  // read and not yet taken

	plan *plan    // of a whole file: whose limits hold for its ranges
	doc  document // and what it is
}

// piece is a text, or n bytes of the file from off.
type piece struct {
	text   string
	off, n int64
}

func (p *piece) left() int64 { return int64(len(p.text)) + p.n }

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
	for len(s.pieces) > 0 && s.pieces[0].left() == 0 {
		s.pieces = s.pieces[1:]
	}
	if len(s.pieces) == 0 {
		return 0, io.EOF
	}
	at := &s.pieces[0]
	if at.text != "" {
		n := copy(p, at.text)
		at.text = at.text[n:]
		return n, nil
	}
	if int64(len(p)) > at.n {
		p = p[:at.n]
	}
	n, err := s.f.ReadAt(p, at.off)
	at.off += int64(n)
	at.n -= int64(n)
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
	if len(s.ready) == 0 {
		if s.buf == nil {
			s.buf = make([]byte, min(s.total(), bufferSize))
		}
		if n, err := s.next(s.buf); err == nil {
			s.ready = s.buf[:n]
		}
	}
	return s.ready
}

// Discard takes n of Buffered as read.
func (s *source) Discard(n int) { s.ready = s.ready[n:] }

// File is the file and the range of it that is the whole rest of the body, for sendfile; ok is false
// when texts stand between or bytes are already buffered.
func (s *source) File() (f *os.File, off, n int64, ok bool) {
	if len(s.ready) > 0 || len(s.pieces) != 1 || s.pieces[0].text != "" {
		return nil, 0, 0, false
	}
	return s.f, s.pieces[0].off, s.pieces[0].n, true
}

// Close gives the file back.
func (s *source) Close() error { return s.f.Close() }

func (s *source) total() int64 {
	n := int64(0)
	for i := range s.pieces {
		n += s.pieces[i].left()
	}
	return n
}
