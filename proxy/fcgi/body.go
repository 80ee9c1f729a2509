package fcgi

import (
	"errors"
	"io"

	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
)

var (
	errFraming = errors.New("fcgi: a record of another version or request")
	errIdle    = errors.New("fcgi: the member says nothing of the answer")
	errLength  = errors.New("fcgi: the body is not as long as its Content-Length")
)

// Decode is Codec's. The body has ended with an empty STDOUT; the answer, with END_REQUEST.
func (c *codec) Decode(p []byte) (n, used int, err error) {
	for {
		k, ok := c.records.begin(p[used:])
		c.idle += k
		if used += k; !ok {
			return n, used, c.pending()
		}
		if line, _ := c.records.valid(); line != "" {
			c.check()
			return n, used, errFraming
		}
		k = c.records.content(len(p) - used)
		piece := p[used : used+k]
		if c.records.kind() == stdout {
			n += copy(p[n:], piece)
			if c.over = c.over || c.records.empty(); k > 0 {
				c.idle = 0
			}
			if err := c.count(k); err != nil {
				return n, used + k, err
			}
		} else {
			c.aside(piece)
		}
		c.records.pass(k)
		if used += k; c.records.left > 0 {
			return n, used, c.pending()
		}
		c.ended = c.ended || c.records.kind() == endRequest
		k, ok = c.records.end(p[used:])
		c.idle += k
		if used += k; !ok {
			return n, used, c.pending()
		}
		if c.ended {
			return n, used, c.ending()
		}
		if c.idle > mostIdle {
			return n, used, errIdle
		}
	}
}

// pending is Decode's error while more has to come: whether the body itself is whole.
func (c *codec) pending() error {
	switch {
	case c.over:
		return backend.ErrEnding
	case c.idle > mostIdle:
		return errIdle
	}
	return nil
}

// count counts bytes of the body, which may not be longer than a length that was told.
func (c *codec) count(n int) error {
	c.body += int64(n)
	if l := c.answer.Length; l >= 0 && c.body > l && !c.over {
		return errLength
	}
	return nil
}

// ending is how the body ended.
func (c *codec) ending() error {
	if l := c.answer.Length; l >= 0 && c.body < l {
		return io.ErrUnexpectedEOF
	}
	return io.EOF
}

// Whole is Ending's.
func (c *codec) Whole() bool {
	if !c.over || c.ending() != io.EOF {
		return false
	}
	c.Broken(io.ErrUnexpectedEOF)
	return true
}

// Broken is Codec's.
func (c *codec) Broken(err error) {
	x := c.x
	c.flush()
	if err == io.ErrUnexpectedEOF {
		x.Log(module, exchange.Error, nil, "AH01067: Failed to read FastCGI header")
	}
	why := ""
	if backend.IsTimeout(err) {
		why = "polling"
	}
	c.dispatched(err, why)
}
