package cgi

import (
	"errors"
	"net/http"
	"os"
	"strings"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/wire"
	"balancerd/proxy/precondition"
)

// MostHead is how long the head of an answer may be; MostLine one line of it with its end (httpd: MAX_STRING_LEN).
const (
	MostHead = 64 << 10
	MostLine = 8190
)

// What may be wrong with a head.
var (
	Err1xx    = errors.New("a script answered with an interim status")
	errLine   = errors.New("malformed header from script")
	errTooBig = errors.New("header of a script is too long")
)

// Answer is what the head of an answer says, besides its fields.
type Answer struct {
	Length int64 // Content-Length that may be believed; -1 for none
	End    bool  // the answer is over: it is 304 or 412 by the request's conditions
	fields fields
}

// EndOfHead is the length of the head at the beginning of p, with its empty line; 0 while it has not ended. Lines end
// with LF or CRLF.
func EndOfHead(p []byte, from int) int {
	for i := max(from, 0); i < len(p); i++ {
		if p[i] != '\n' {
			continue
		}
		switch rest := p[i+1:]; {
		case i == 0, i == 1 && p[0] == '\r':
			return i + 1
		case len(rest) > 0 && rest[0] == '\n':
			return i + 2
		case len(rest) > 1 && rest[0] == '\r' && rest[1] == '\n':
			return i + 3
		}
	}
	return 0
}

// Read makes x.Res's head of an answer's, which holds until the exchange ends. Fields go out whatever becomes of the
// answer (x.Res.Always), but for those that describe its body. module is whose log lines say what is wrong (httpd:
// util_script.c ap_scan_script_header_err_core_ex).
func (a *Answer) Read(x *exchange.Exchange, module, head string) error {
	a.Length, a.End = -1, false
	a.fields.reset()
	r := &x.Res
	r.Status, r.Reason, r.Proxied, r.Wordless = 0, "", true, false
	for head != "" {
		line, rest, _ := strings.Cut(head, "\n")
		if len(line)+1 > MostLine {
			return errTooBig
		}
		if head, line = rest, strings.TrimSuffix(line, "\r"); line == "" {
			break
		}
		line = plain(line)
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			x.Log(module, exchange.Error, nil, x.Arena.Join("malformed header from script '", base(x.Filename), "': Bad header: ", clip(line)))
			return errLine
		}
		a.field(x, module, name, strings.TrimLeft(value, " \t\v\f"))
	}
	named := r.Status != 0
	if named && r.Status/100 == 1 {
		return Err1xx
	}
	a.finish(x, named)
	return nil
}

// plain is what counts of a line: a zero byte ends it, and carriage returns are no part of it (httpd: util_script.c
// getsfunc_BRIGADE).
func plain(line string) string {
	line, _, _ = strings.Cut(line, "\x00")
	if strings.IndexByte(line, '\r') < 0 {
		return line
	}
	return strings.ReplaceAll(line, "\r", "")
}

// field takes one field. What is left of its value is what stands behind the blanks in front.
func (a *Answer) field(x *exchange.Exchange, module, name, value string) {
	r, all := &x.Res, value
	value = strings.TrimRight(value, " \t")
	switch id := wire.IDOf(name); {
	case id == wire.ContentType:
		if r.Header.Del("Content-Type"); value != "" {
			r.Header.Add("Content-Type", lowerType(value))
		}
	case id == wire.ContentLength:
		if n, ok := wire.ParseLength(value); ok && x.Env.Has(exchange.TrustLength) {
			a.Length = n
			r.Header.Set("Content-Length", value)
		}
	case id == wire.LastModified:
		a.modified(x, module, value)
	case id == wire.Location:
		r.Header.Set("Location", value)
	case id == wire.SetCookie:
		r.Always.Add(name, value)
	case wire.ConnectionField[id], id == wire.ProxyAuthenticate:
		a.fields.connection(id, value)
	case strings.EqualFold(name, "Status"):
		r.Status, r.Reason = status(x, module, all)
		r.Wordless = len(all) == 3 || len(all) == 4 && all[3] == ' '
	case strings.EqualFold(name, "ETag"), strings.EqualFold(name, "Content-Range"):
		r.Header.Set(name, value)
	default:
		a.fields.add(name, value)
	}
}

// modified takes Last-Modified: a time to come is now.
func (a *Answer) modified(x *exchange.Exchange, module, value string) {
	t, err := http.ParseTime(value)
	if err != nil {
		x.Log(module, exchange.Info, nil, x.Arena.Join("AH10247: Ignored invalid header value: Last-Modified: '", value, "'"))
		return
	}
	if t.After(x.Start) {
		t = x.Start
	}
	x.Res.Header.Set("Last-Modified", t.UTC().Format(wire.DateFormat))
}

// finish completes the head once all fields are there.
func (a *Answer) finish(x *exchange.Exchange, named bool) {
	r := &x.Res
	if !named {
		r.Status = 200
		if x.Prev != nil && x.Prev.Error >= 400 {
			r.Status = x.Prev.Error
		}
		r.Reason = exchange.ReasonOf(r.Status)
		if x.Req.IsGet() {
			d := precondition.Of(&r.Header, x.Start)
			if judged := precondition.Judge(x, &d); judged != 0 {
				r.Status, r.Reason, a.End = judged, exchange.ReasonOf(judged), true
			}
		}
	}
	if exchange.Bodiless(r.Status) {
		r.Header.Del("Content-Type")
	}
	a.fields.moveTo(x, &r.Always)
}

// status is Status: a number and, perhaps, words, which are ours where they may not be sent. What is no status is 500.
func status(x *exchange.Exchange, module, value string) (int, string) {
	n, digits := number(value)
	if n < 100 || n > 999 {
		x.Log(module, exchange.Error, nil, x.Arena.Join("Invalid status line from script '", base(x.Filename), "': ", clip(value)))
		return 500, exchange.ReasonOf(500)
	}
	if digits == 3 && len(value) > 3 && value[3] == ' ' && wire.IsValue(value[4:]) {
		return n, strings.TrimRight(value[4:], " \t")
	}
	return n, exchange.ReasonOf(n)
}

// number reads what a text begins with as C does: a sign may stand in front of the digits. digits are how many there are
// without one; -1: there is one.
func number(value string) (n, digits int) {
	rest := strings.TrimPrefix(value, "+")
	for digits < len(rest) && digits < 6 && '0' <= rest[digits] && rest[digits] <= '9' {
		n = 10*n + int(rest[digits]-'0')
		digits++
	}
	if len(rest) < len(value) {
		digits = -1
	}
	return n, digits
}

// LogCut says that a head ended, or stayed away, before it was whole: in is what there was of it.
func LogCut(x *exchange.Exchange, module, in string, err error) {
	why := "End of script output before headers: "
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		why = "Script timed out before returning headers: "
	case strings.IndexByte(in, '\n') >= 0:
		why = "Premature end of script headers: "
	}
	x.Log(module, exchange.Error, nil, x.Arena.Join(why, base(x.Filename)))
}

// lowerType is a media type in lower case, its parameters as they are (httpd: util.c ap_content_type_tolower).
func lowerType(t string) string {
	kind, parameters, ok := strings.Cut(t, ";")
	if low := strings.ToLower(kind); low != kind {
		if !ok {
			return low
		}
		return low + ";" + parameters
	}
	return t
}

// clip is as much of a text as a log line shows.
func clip(s string) string { return s[:min(len(s), 30)] }

// base is the last segment of a name.
func base(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }
