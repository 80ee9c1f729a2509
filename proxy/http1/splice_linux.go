package http1

import (
	"io"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/loop"
	"balancerd/proxy/internal/sys"
)

type pipes = sys.Pipes

// spliceMin is from how many bytes on it is worth it to have the system move a body itself.
const spliceMin = 16 << 10

// spliceable tells whether the rest of the body can go from socket to socket without being seen here.
func (d *delivery) spliceable() bool {
	return d.answer != nil && d.left >= spliceMin && !d.f.chunked && d.c.raw && d.answer.splicer() != nil
}

// splice moves the rest of the body. The error is io.EOF, or what went wrong.
func (d *delivery) splice() error {
	pipe, err := d.c.s.pipes.Get()
	if err != nil {
		return d.wait()
	}
	defer d.c.s.pipes.Put(pipe)
	for d.left > 0 {
		n, err := d.answer.fillPipe(pipe, int(min(d.left, 1<<20)))
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
		d.answer.spliced(n)
	}
	return io.EOF
}

// drainPipe writes what a pipe holds to the client.
func (c *conn) drainPipe(p *sys.Pipe, srv *exchange.Server) error {
	return c.io.Drain(p, timeoutOf(srv))
}

// splicer is the member's socket, nil when bytes can't be moved from it unseen.
func (a *answer) splicer() loop.Stream {
	if a.conn == nil || a.err != nil {
		return nil
	}
	return a.conn.Splicer()
}

// fillPipe waits for bytes of the body and moves them into a pipe.
func (a *answer) fillPipe(p *sys.Pipe, n int) (int, error) {
	k, err := a.splicer().Fill(p, n, a.conn.Timeout())
	if err != nil {
		_, err = a.arrived(nil, err)
	}
	return k, err
}
