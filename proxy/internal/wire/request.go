package wire

import (
	"bytes"
	"errors"
)

// ErrIncomplete says that the head does not end within the bytes that are there.
var ErrIncomplete = errors.New("wire: more bytes are needed")

// Rules are what holds for the heads of requests: httpd's LimitRequest* and HttpProtocolOptions.
// Immutable.
type Rules struct {
	Line       int  // LimitRequestLine
	FieldSize  int  // LimitRequestFieldSize
	Fields     int  // LimitRequestFields; 0: no limit of their number
	Unsafe     bool // HttpProtocolOptions Unsafe
	Allow09    bool // HttpProtocolOptions Allow0.9
	Registered bool // HttpProtocolOptions RegisteredMethods
	Secure     bool // the connection has TLS: absolute targets say https
}

// maxHead is the most bytes of a head that are ever held, whatever the limits say.
const maxHead = 1 << 20

// maxBlank is how many empty lines may stand before a request (httpd: DEFAULT_LIMIT_BLANK_LINES).
const maxBlank = 10

// Level is how grave a refusal is to the error log: syslog's numbers, as exchange.Level has them.
type Level int8

// The levels that refusals have.
const (
	Error Level = 3
	Info  Level = 6
	Debug Level = 7
)

// Refusal is why a request is not served. As an error it is its log line.
type Refusal struct {
	Status  int
	Level   Level
	Message string // with its AH number; "" for none
	Note    string // HTML for the page
	Whole   bool   // the head was read to its end: only what it says is refused
}

func (r *Refusal) Error() string { return r.Message }

func refuse(status int, level Level, parts ...string) *Refusal {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	text := make([]byte, 0, n)
	for _, p := range parts {
		text = append(text, p...)
	}
	return &Refusal{Status: status, Level: level, Message: string(text)}
}

// Request is what the head of a request says, besides its fields.
type Request struct {
	Line   string // as received, without the line end
	Method string
	Target string // as received
	Major  int
	Minor  int // 9 with Major 0 is HTTP/0.9: the line is the whole head

	RawPath    string // of the target; "*" for the asterisk form
	Query      string
	HasQuery   bool
	Authority  string // of an absolute or authority-form target, else the Host field's value
	fromTarget bool   // Authority is the target's, and goes before the Host field
	Host       string // Authority's name in lower case, without a final dot; "" for none
	Port       int    // 0: none was named

	Length    int64 // of the body; -1 chunked
	HasLength bool  // a Content-Length was there and counts
	Both      bool  // Content-Length came with Transfer-Encoding: the connection must end after the response
	Expect100 bool
	Upgrade   bool // Connection names upgrade, and an Upgrade field is there
	Close     bool // Connection: close

	Seen Set  // the fields that were there
	Keep bool // Connection: keep-alive
}

// AtLeast11 reports whether the client speaks HTTP/1.1 or newer.
func (r *Request) AtLeast11() bool { return r.Major > 1 || r.Major == 1 && r.Minor >= 1 }

// ParseRequest reads the head at the beginning of b into r and h, and returns its length. The error is
// ErrIncomplete, or a *Refusal; then r and h hold what was understood so far. It may be called again
// with more bytes (RFC 9112; httpd: protocol.c ap_read_request).
func ParseRequest(b []byte, rules *Rules, r *Request, h *Header) (int, error) {
	*r = Request{}
	h.Reset()
	at, err := skipBlank(b, rules)
	if err != nil {
		return 0, err
	}
	line, n, err := requestLine(b[at:], rules)
	if err != nil {
		r.Line = lineSoFar(b[at:], rules)
		return 0, err
	}
	if err := r.parseLine(line, rules); err != nil {
		return 0, err
	}
	at += n
	if r.Major == 0 {
		return at, nil
	}
	f := fieldReader{rules: rules, h: h}
	n, err = f.read(b[at:])
	r.Seen = f.names
	if err != nil {
		if err == ErrIncomplete && len(b) > maxHead {
			return 0, tooMany()
		}
		return 0, err
	}
	if err := r.RequestFraming(h); err != nil {
		return 0, err
	}
	if err := r.findHost(h, rules); err != nil {
		return 0, whole(err)
	}
	if err := r.readConnectionFields(h); err != nil {
		return 0, whole(err)
	}
	return at + n, nil
}

// whole marks a refusal of a head that was read to its end.
func whole(err error) error {
	if f, ok := err.(*Refusal); ok {
		f.Whole = true
	}
	return err
}

// skipBlank passes over empty lines in front of a request.
func skipBlank(b []byte, rules *Rules) (int, error) {
	at := 0
	for range maxBlank {
		switch {
		case at == len(b):
			return 0, ErrIncomplete
		case b[at] == '\n' && rules.Unsafe:
			at++
		case b[at] == '\r' && at+1 == len(b):
			return 0, ErrIncomplete
		case b[at] == '\r' && b[at+1] == '\n':
			at += 2
		default:
			return at, nil
		}
	}
	return at, nil
}

// requestLine is the first line without its end, and its length with it.
func requestLine(b []byte, rules *Rules) (line []byte, n int, err error) {
	end := bytes.IndexByte(b, '\n')
	if end < 0 {
		if len(b) > rules.Line+2 {
			return nil, 0, lineTooLong(rules)
		}
		return nil, 0, ErrIncomplete
	}
	line = b[:end]
	switch {
	case end > 0 && line[end-1] == '\r':
		line = line[:end-1]
	case !rules.Unsafe:
		return nil, 0, refuse(400, Debug, "AH00566: request failed: malformed request line")
	}
	if len(line) > rules.Line+1 {
		return nil, 0, lineTooLong(rules)
	}
	return line, end + 1, nil
}

func lineTooLong(rules *Rules) error {
	return refuse(414, Info, "AH00565: request failed: client's request-line exceeds LimitRequestLine (longer than ", decimal(int64(rules.Line)), ")")
}

// lineSoFar is what the log may show of a line that is not one.
func lineSoFar(b []byte, rules *Rules) string {
	if i := bytes.IndexAny(b, "\r\n"); i >= 0 {
		b = b[:i]
	}
	return view(b[:min(len(b), rules.Line+1)])
}

// readConnectionFields looks at the fields that concern the connection
// (httpd: protocol.c ap_check_request_header).
func (r *Request) readConnectionFields(h *Header) error {
	if !r.Seen.Has(Connection, Expect) {
		return nil
	}
	up := false
	for i := range h.F {
		f := &h.F[i]
		switch f.ID {
		case Connection:
			if r.connection(f.Value); r.Upgrade {
				up = true
			}
		case Expect:
			if err := r.expect(f.Value); err != nil {
				return err
			}
		}
	}
	r.Upgrade = up && h.IndexID(Upgrade) >= 0
	return nil
}

func (r *Request) expect(value string) error {
	switch {
	case value == "":
	case EqualFold(value, "100-continue"):
		r.Expect100 = true
	default:
		e := refuse(417, Info, "AH00570: client sent an unrecognized expectation value of Expect: ", value)
		return e
	}
	return nil
}

// Rejoin reads anew what Connection says of keeping the connection: somebody edited it
// (httpd: http_protocol.c ap_set_keepalive looks at the fields as they are then).
func (r *Request) Rejoin(h *Header) {
	r.Keep, r.Close = false, false
	for i := range h.F {
		if h.F[i].ID == Connection {
			r.connection(h.F[i].Value)
		}
	}
}

// connection reads the options of a Connection field that mean something to us.
func (r *Request) connection(value string) {
	switch { // what nearly everybody says
	case EqualFold(value, "keep-alive"):
		r.Keep = true
		return
	case EqualFold(value, "close"):
		r.Close = true
		return
	}
	for l := (List{value}); ; {
		t, ok := l.Next()
		switch {
		case !ok:
			return
		case EqualFold(t, "keep-alive"):
			r.Keep = true
		case EqualFold(t, "close"):
			r.Close = true
		case EqualFold(t, "upgrade"):
			r.Upgrade = true
		}
	}
}
