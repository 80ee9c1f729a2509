package exchange

import "net"

// Replay is a connection with bytes in front of what it reads. Owned by its reader.
type Replay struct {
	net.Conn
	First []byte
}

// Read gives the bytes in front first.
func (r *Replay) Read(p []byte) (int, error) {
	if len(r.First) == 0 {
		return r.Conn.Read(p)
	}
	n := copy(p, r.First)
	r.First = r.First[n:]
	return n, nil
}

// CloseWrite ends our direction.
func (r *Replay) CloseWrite() error {
	if c, ok := r.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return nil
}
