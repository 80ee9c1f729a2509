package fcgi

import (
	"balancerd/proxy/backend"
	"balancerd/proxy/cgi"
	"balancerd/proxy/exchange"
)

// NewBackend speaks FastCGI to members. A body of unknown length is read to its end before: applications
// know CONTENT_LENGTH alone.
func NewBackend() *backend.Serial {
	return backend.NewSerial(func() backend.Codec { return new(codec) }, true)
}

const module = "proxy_fcgi"

// codec is FastCGI for one attempt after the other.
type codec struct {
	s    *backend.SerialStream
	x    *exchange.Exchange
	keep bool // the member is asked to keep the connection
	env  cgi.Builder

	records records
	head    []byte // of STDOUT, while it has not ended
	looked  int    // of head, where its end can't be
	answer  cgi.Answer
	stderr  []byte // a line of it that is not written yet
	idle    int    // bytes that brought nothing of the answer, in a row
	bogus   int    // records of unknown types that were told of
	whole   bool   // the head is
	refused bool   // it is none
	over    bool   // STDOUT has ended
	ended   bool   // END_REQUEST was here
	body    int64  // bytes of it so far
}

var (
	_ backend.Codec  = (*codec)(nil)
	_ backend.Ending = (*codec)(nil)
)

// Begin is Codec's.
func (c *codec) Begin(s *backend.SerialStream) {
	c.s, c.x = s, s.X
	c.keep = !c.x.Out.Close && !c.x.Out.Alone && s.Conn().Keepable()
	c.records = records{}
	c.head, c.looked, c.stderr, c.idle, c.bogus = c.head[:0], 0, c.stderr[:0], 0, 0
	c.whole, c.refused, c.over, c.ended, c.body = false, false, false, false, 0
}

// mostKept is how much memory for heads is kept between attempts.
const mostKept = 16 << 10

// End is Codec's.
func (c *codec) End() {
	c.s, c.x = nil, nil
	if cap(c.head) > mostKept {
		c.head = nil
	}
}

// Begun is Codec's: a head that is not whole is no answer.
func (c *codec) Begun([]byte) bool { return false }

// Interim is Codec's: there are none.
func (c *codec) Interim() backend.InterimHead { return backend.InterimHead{} }

func (c *codec) fail(kind backend.Kind, detail string) error {
	f := c.s.Fail(kind, nil)
	f.Detail = detail
	return f
}

// Accept is Codec's. A head that is none is answered by an empty page.
func (c *codec) Accept() (backend.Framing, error) {
	r := &c.x.Res
	if c.refused {
		r.Close = true
		return backend.Framing{Body: backend.NoBody, Length: 0}, nil
	}
	if c.answer.End || c.x.Req.Method == "HEAD" || c.x.HeadOnly || exchange.Bodiless(r.Status) {
		return backend.Framing{Body: backend.Dropped, Length: c.answer.Length}, nil
	}
	return backend.Framing{Body: backend.Coded, Length: c.answer.Length}, nil
}

// Reuse is Codec's.
func (c *codec) Reuse() backend.Reason {
	switch {
	case c.refused:
		return backend.BodyBroken
	case !c.keep:
		return backend.AskedToClose
	case !c.ended:
		return backend.MemberCloses
	}
	return backend.Reusable
}

// Counted is Codec's: every byte, both ways (httpd: mod_proxy_fcgi.c send_data, get_data).
func (c *codec) Counted(t backend.Traffic) (sent, read int64) { return t.Sent, t.Received }
