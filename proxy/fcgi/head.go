package fcgi

import (
	"errors"
	"strconv"
	"syscall"

	"balancerd/proxy/backend"
	"balancerd/proxy/cgi"
	"balancerd/proxy/exchange"
)

// mostIdle is how many bytes in a row a member may send that bring nothing of an answer: STDERR, padding, records
// of other types.
const mostIdle = 1 << 20

// ParseHead is Codec's: it gathers the head out of STDOUT (httpd: mod_proxy_fcgi.c dispatch). The answer begins
// with what comes next: the body, or its end; until then another member may be tried.
func (c *codec) ParseHead(in []byte) (used int, event backend.Event, err error) {
	for {
		n, ok := c.records.begin(in[used:])
		c.idle += n
		if used += n; !ok {
			return used, 0, backend.ErrIncomplete
		}
		if err := c.check(); err != nil {
			return used, 0, err
		}
		n = c.records.content(len(in) - used)
		piece := in[used : used+n]
		if c.whole && c.begins(n) {
			return used, backend.FinalResponse, nil
		}
		if c.records.kind() == stdout && n > 0 {
			taken, whole, err := c.gather(piece)
			c.records.pass(taken)
			if used += taken; err != nil {
				return used, 0, err
			}
			if c.whole = whole; whole {
				if err := c.read(); err != nil || c.refused {
					return used, backend.FinalResponse, err
				}
				continue
			}
		} else {
			c.aside(piece)
			c.records.pass(n)
			used += n
		}
		if c.idle > mostIdle {
			return used, 0, c.fail(backend.BadHead, "it says nothing of the answer")
		}
		if c.records.left > 0 {
			return used, 0, backend.ErrIncomplete
		}
		ended := c.records.kind() == endRequest
		if n, ok = c.records.end(in[used:]); ended {
			return used + n, 0, c.endedEarly()
		}
		c.idle += n
		if used += n; !ok {
			return used, 0, backend.ErrIncomplete
		}
	}
}

// begins reports whether the record under way says how the answer goes on, with n bytes of it here.
func (c *codec) begins(n int) bool {
	r := &c.records
	return r.kind() == endRequest || r.kind() == stdout && (n > 0 || r.empty())
}

// check looks at a record that begins.
func (c *codec) check() error {
	line, n := c.records.valid()
	if line == "" {
		return nil
	}
	text := line + strconv.Itoa(n)
	if c.records.lead[0] == version {
		text += ", expected 1"
	}
	c.x.Log(module, exchange.Error, nil, text)
	return c.s.Fail(backend.BadFraming, syscall.EINVAL)
}

// gather takes what of STDOUT belongs to the head.
func (c *codec) gather(piece []byte) (taken int, whole bool, err error) {
	c.idle = 0
	if len(c.head) == 0 { // mostly it is whole at once, and nothing behind it is copied
		if end := cgi.EndOfHead(piece[:min(len(piece), cgi.MostHead)], 0); end > 0 {
			c.head = append(c.head, piece[:end]...)
			return end, true, nil
		}
	}
	before := len(c.head)
	room := cgi.MostHead - before
	c.head = append(c.head, piece[:min(len(piece), room)]...)
	end := cgi.EndOfHead(c.head, c.looked)
	if end > 0 {
		c.head = c.head[:end]
		return end - before, true, nil
	}
	if len(piece) >= room {
		return 0, false, c.fail(backend.BadHead, backend.TooLong)
	}
	c.looked = max(0, len(c.head)-3)
	return len(piece), false, nil
}

// read makes the answer of the head.
func (c *codec) read() error {
	x := c.x
	err := c.answer.Read(x, module, x.Arena.Bytes(c.head))
	switch {
	case err == nil:
		if x.Res.InvalidField() != "" {
			c.dispatched(nil, "passing brigade to output filters")
		}
		return nil
	case errors.Is(err, cgi.Err1xx):
		return c.fail(backend.BadHead, err.Error())
	}
	x.Log(module, exchange.Error, nil, "AH01070: Error parsing script headers")
	c.dispatched(syscall.EINVAL, "")
	c.refused = true
	x.Res.Header.Reset()
	x.Res.Header.F = append(x.Res.Header.F, c.s.Had...)
	x.Res.Final = true
	if x.Res.Status != 500 { // else its words stay
		x.Res.Status, x.Res.Reason = 500, exchange.ReasonOf(500)
	}
	return nil
}

// overloaded is what a member says of itself in END_REQUEST that may serve later, and cantMultiplex what one does that
// takes the request for a second one on its connection (FastCGI 1.0 section 5.5).
const (
	cantMultiplex = 1
	overloaded    = 2
)

// endedEarly is END_REQUEST without a head before it.
func (c *codec) endedEarly() error {
	if s := c.records.status; s == overloaded || s == cantMultiplex {
		return c.fail(backend.NotTaken, "")
	}
	return c.fail(backend.BadHead, "it ended the request without an answer")
}

// dispatched writes the line that ends each failure.
func (c *codec) dispatched(err error, why string) {
	if why != "" {
		why = "(" + why + ")"
	}
	c.x.Log(module, exchange.Error, err, c.x.Arena.Join("AH01075: Error dispatching request to ", serverPort(c.x), ": ", why))
}

// serverPort is ":port" of this server as lines of the log have it, "" for the scheme's own (httpd: proxy_util.c
// ap_proxy_determine_connection).
func serverPort(x *exchange.Exchange) string {
	if p := x.ServerPort(); p != x.DefaultPort() {
		return x.Arena.Join(":", x.Arena.Int(int64(p)))
	}
	return ""
}
