package fcgi

import (
	"strconv"

	"balancerd/proxy/exchange"
)

// mostLine is how much of STDERR goes into one line of the log (httpd: AP_IOBUFSIZE).
const mostLine = 8192

// mostBogus is how many records of unknown types an answer may have that the log tells of.
const mostBogus = 100

// aside takes a piece of a record that is not STDOUT: STDERR goes to the error log, a record a line.
func (c *codec) aside(piece []byte) {
	r := &c.records
	last := len(piece) == r.left
	c.idle += len(piece)
	switch r.kind() {
	case stderr:
		for len(piece) > 0 {
			n := min(len(piece), mostLine-len(c.stderr))
			c.stderr = append(c.stderr, piece[:n]...)
			if piece = piece[n:]; len(c.stderr) == mostLine {
				c.flush()
			}
		}
		if last {
			c.flush()
		}
	case endRequest:
		r.note(piece)
	case stdout:
	default:
		if !r.told && c.bogus < mostBogus {
			r.told = true
			c.bogus++
			c.x.Log(module, exchange.Error, nil, "AH01072: Got bogus record "+strconv.Itoa(int(r.kind())))
		}
	}
}

// flush writes what there is of a line.
func (c *codec) flush() {
	if len(c.stderr) > 0 {
		c.x.Log(module, exchange.Error, nil, "AH01071: Got error '"+string(c.stderr)+"'")
		c.stderr = c.stderr[:0]
	}
}
