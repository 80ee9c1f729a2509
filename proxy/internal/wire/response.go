package wire

import (
	"bytes"
	"errors"
)

// ResponseRules are the limits of members' response heads. Immutable.
type ResponseRules struct {
	FieldSize int     // responsefieldsize=: the longest line
	OnBad     BadLine // ProxyBadHeader
	Check     bool    // the answer to a health check, of which less is wanted (httpd: mod_proxy_hcheck.c hc_read_headers)
}

// checkFieldSize is how long a line of an answer to a health check may be, in bytes.
const checkFieldSize = 32 << 10

// OfCheck is rules for the answers to health checks.
func (r ResponseRules) OfCheck() ResponseRules {
	r.Check, r.FieldSize = true, max(r.FieldSize, checkFieldSize)
	return r
}

// BadLine is what is done with a field line that has no colon.
type BadLine uint8

// The ways of ProxyBadHeader.
const (
	BadIsError   BadLine = iota // the head is malformed
	BadIsIgnored                // the line is left out
	BadIsBody                   // the body begins behind it
)

// The errors of ParseResponse, beside ErrIncomplete.
var (
	ErrStatusLine = errors.New("wire: malformed status line") // Response.Line is it
	ErrVersion    = errors.New("wire: not HTTP/1")            // Response.Line is the status line
	ErrFieldLine  = errors.New("wire: malformed header line")
	ErrTooLong    = errors.New("wire: header line too long")
	ErrHeadSize   = errors.New("wire: head too large")
)

// Response is what the head of a response says, besides its fields.
type Response struct {
	Line   string // the status line without its end
	Status int
	Reason string
	Minor  int
	Seen   Set  // the fields that are there
	Stray  int  // how many lines without a colon were left out
	InBody bool // BadIsBody: the head ended with such a line, which is lost, as in httpd
}

// maxResponseHead bounds a head beside its longest line, in bytes.
const maxResponseHead = 64 << 10

// ParseResponse reads the head at the beginning of b into r and h, and returns its length. Bare line
// feeds, folded fields, a missing reason and one empty line in front are let pass, as in httpd; a
// malformed status line is an error, where httpd takes it for the beginning of an HTTP/0.9 body
// (RFC 9112 section 4; httpd: mod_proxy_http.c ap_proxy_http_process_response,
// ap_proxy_read_headers).
func ParseResponse(b []byte, rules *ResponseRules, r *Response, h *Header) (int, error) {
	*r = Response{}
	h.Reset()
	at := 0
	line, n, err := responseLine(b, rules)
	if err == nil && len(line) == 0 && !rules.Check {
		at = n
		line, n, err = responseLine(b[at:], rules)
	}
	if err != nil {
		return 0, statusError(b[at:], r, err)
	}
	if rules.Check && len(line) > 12 {
		line = line[:12] // what stands behind the status may be anything
	}
	if err := r.statusLine(line); err != nil {
		return 0, err
	}
	at += n
	var folds joiner
	for at <= maxResponseHead+rules.FieldSize {
		line, n, err := responseLine(b[at:], rules)
		if err != nil {
			return 0, err
		}
		at += n
		if len(line) == 0 {
			return at, nil
		}
		if err := r.field(line, rules, h, &folds); err != nil {
			return 0, err
		}
		if r.InBody {
			return at, nil
		}
	}
	return 0, ErrHeadSize
}

// responseLine is the next line without its end, and its length with it.
func responseLine(b []byte, rules *ResponseRules) (line []byte, n int, err error) {
	end := bytes.IndexByte(b, '\n')
	if end < 0 {
		if len(b) > rules.FieldSize {
			return nil, 0, ErrTooLong
		}
		return nil, 0, ErrIncomplete
	}
	line = b[:end]
	if end > 0 && line[end-1] == '\r' {
		line = line[:end-1]
	}
	if len(line) >= rules.FieldSize-1 {
		return line, 0, ErrTooLong
	}
	return line, end + 1, nil
}

// statusError is the error of a status line that is incomplete or too long: what can't become one, however much follows,
// is malformed already.
func statusError(b []byte, r *Response, err error) error {
	if i := bytes.IndexAny(b, "\r\n"); i >= 0 {
		b = b[:i]
	}
	r.Line = view(b[:min(len(b), 256)])
	const begin = "HTTP/1."
	switch n := min(len(b), len(begin)); {
	case err == ErrTooLong:
		return ErrStatusLine
	case n > 0 && string(b[:n]) != begin[:n] && (n < 6 || string(b[:5]) != begin[:5]):
		return ErrStatusLine
	}
	return err
}

// statusLine reads HTTP/1.d ddd, then nothing or a blank and a reason.
func (r *Response) statusLine(line []byte) error {
	r.Line = view(line)
	if len(line) < 12 || string(line[:5]) != "HTTP/" || !digit(line[5]) || line[6] != '.' || !digit(line[7]) || line[8] != ' ' ||
		!digit(line[9]) || !digit(line[10]) || !digit(line[11]) || len(line) > 12 && line[12] != ' ' {
		return ErrStatusLine
	}
	if line[5] != '1' {
		return ErrVersion
	}
	r.Minor = int(line[7] - '0')
	r.Status = int(line[9]-'0')*100 + int(line[10]-'0')*10 + int(line[11]-'0')
	if len(line) > 13 {
		r.Reason = view(line[13:])
	}
	if r.Status < 100 || !clean(line) {
		return ErrStatusLine
	}
	return nil
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

// field adds a field. What stands in front of the colon is its name, good or bad: who passes it on
// must look at it.
func (r *Response) field(line []byte, rules *ResponseRules, h *Header, folds *joiner) error {
	if n := len(h.F); n > 0 && (line[0] == ' ' || line[0] == '\t') {
		return fold(h, n-1, line, rules, folds)
	}
	i := bytes.IndexByte(line, ':')
	if i < 0 {
		return r.noColon(line, rules)
	}
	name := view(line[:i])
	id := IDOf(name)
	r.Seen = r.Seen.with(id)
	h.F = append(h.F, Field{Name: name, Value: view(trimSpace(line[i+1:])), ID: id})
	return nil
}

// fold joins a continuation line to a member's field. Its blanks stay, as httpd leaves them.
func fold(h *Header, at int, line []byte, rules *ResponseRules, folds *joiner) error {
	f := &h.F[at]
	if len(f.Name)+len(f.Value)+len(line)+2 >= rules.FieldSize {
		return ErrTooLong
	}
	if f.Value == "" {
		f.Value = view(trimSpace(line))
		return nil
	}
	folds.extend(h, at, "", view(trimSpaceRight(line)))
	return nil
}

// noColon is for lines that are no fields. A second status line among the fields is the habit of an
// old server and never counts.
func (r *Response) noColon(line []byte, rules *ResponseRules) error {
	var second Response
	if second.statusLine(line) != nil {
		switch rules.OnBad {
		case BadIsError:
			return ErrFieldLine
		case BadIsBody:
			r.InBody = true
			return nil
		}
	}
	r.Stray++
	return nil
}

func trimSpace(b []byte) []byte {
	for len(b) > 0 && blank(b[0]) {
		b = b[1:]
	}
	return trimSpaceRight(b)
}

func trimSpaceRight(b []byte) []byte {
	for len(b) > 0 && blank(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}
