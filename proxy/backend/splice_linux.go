package backend

import (
	"io"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/sys"
)

var _ exchange.Spliceable = (*SerialStream)(nil)

// Spliceable is exchange.Spliceable's: the member's bytes can't be moved unseen out of TLS.
func (s *SerialStream) Spliceable() bool {
	return s.conn != nil && s.err == nil && s.framing.Body == Counted && s.conn.Splicer() != nil
}

// Fill is exchange.Spliceable's.
func (s *SerialStream) Fill(p *sys.Pipe, n int) (int, error) {
	k, err := s.conn.Splicer().Fill(p, n, s.conn.Timeout())
	if err != nil {
		_, err = s.arrived(nil, err)
	}
	return k, err
}

// Spliced is exchange.Spliceable's.
func (s *SerialStream) Spliced(n int) {
	s.left -= int64(n)
	s.received += int64(n)
	s.bodyRead += int64(n)
	if s.left == 0 {
		s.end(io.EOF)
	}
}
