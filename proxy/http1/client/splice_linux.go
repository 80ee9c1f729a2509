package client

import (
	"io"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/sys"
)

var _ exchange.Spliceable = (*answer)(nil)

// Spliceable is exchange.Spliceable's: the member's bytes can't be moved unseen out of TLS.
func (a *answer) Spliceable() bool { return a.conn != nil && a.err == nil && a.conn.Splicer() != nil }

// Fill is exchange.Spliceable's.
func (a *answer) Fill(p *sys.Pipe, n int) (int, error) {
	k, err := a.conn.Splicer().Fill(p, n, a.conn.Timeout())
	if err != nil {
		_, err = a.arrived(nil, err)
	}
	return k, err
}

// Spliced is exchange.Spliceable's.
func (a *answer) Spliced(n int) {
	a.left -= int64(n)
	a.read += int64(n)
	if a.left == 0 {
		a.ended(io.EOF)
	}
}
