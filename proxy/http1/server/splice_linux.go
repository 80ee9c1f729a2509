package server

import (
	"io"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/sys"
)

type (
	pipes      = sys.Pipes
	spliceable = exchange.Spliceable
)

// spliceMin is from how many bytes on it is worth it to have the system move a body itself.
const spliceMin = 16 << 10

// spliceable reports whether the rest of the body can go from socket to socket without being seen here.
func (d *delivery) spliceable() bool {
	return d.spliced != nil && d.left >= spliceMin && !d.f.chunked && d.c.socket() != nil && d.spliced.Spliceable()
}

// splice moves the rest of the body. The error is io.EOF, or what went wrong.
func (d *delivery) splice() error {
	pipe, err := d.c.s.pipes.Get()
	if err != nil {
		return d.wait()
	}
	defer d.c.s.pipes.Put(pipe)
	for d.left > 0 {
		n, err := d.spliced.Fill(pipe, int(min(d.left, 1<<20)))
		if err != nil {
			return err
		}
		if err := d.c.drainPipe(pipe, d.x.Server); err != nil {
			d.x.Res.Aborted, d.c.over = true, true
			return err
		}
		d.left -= int64(n)
		d.x.Res.Sent += int64(n)
		d.x.Res.Wrote += int64(n)
		d.spliced.Spliced(n)
	}
	return io.EOF
}

// drainPipe writes what a pipe holds to the client.
func (c *conn) drainPipe(p *sys.Pipe, srv *exchange.Server) error {
	return c.socket().Drain(p, srv.IOTimeout())
}
