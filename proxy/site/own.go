package site

import (
	"io"
	"strings"

	"balancerd/proxy/exchange"
)

// own answers TRACE and OPTIONS * (httpd: mod_http's map_to_storage hooks, http_protocol.c
// ap_send_http_options). Nothing but what was set early is in the answer.
func (s *Site) own(x *exchange.Exchange, h *Host) error {
	if x.Req.Method == "TRACE" {
		if err := Trace(x); err != nil {
			return err
		}
	} else {
		x.Filename = x.Arena.Join(strings.TrimRight(x.Server.DocumentRoot, "/"), "/*") // for the log
		x.Res.Status, x.Res.Local = 200, true
		x.Res.Bytes(nil)
	}
	x.State[exchange.StatePlan] = h.early.logOnly()
	return nil
}

// Trace echoes the request's head as message/http. A body is refused unless TraceEnable is extended: then
// it is echoed, too (httpd: http_filters.c ap_send_http_trace).
func Trace(x *exchange.Exchange) error {
	mode := x.Server.Trace
	if mode == exchange.TraceOff {
		x.RawNote = "TRACE denied by server configuration"
		return exchange.Status(405)
	}
	if x.Req.Length != 0 && mode != exchange.TraceExtended {
		x.RawNote = "TRACE with a request body is not allowed"
		return exchange.Status(413)
	}
	body, err := tracedBody(x)
	if err != nil {
		return err
	}
	var b strings.Builder
	b.WriteString(x.Req.Line + "\r\n")
	for i := range x.Req.Header.F {
		f := &x.Req.Header.F[i]
		b.WriteString(f.Name + ": " + f.Value + "\r\n")
	}
	b.WriteString("\r\n")
	b.Write(body)
	x.Res.Status, x.Res.Local = 200, true
	x.Res.Header.Set("Content-Type", "message/http")
	x.Res.Text(b.String())
	return nil
}

// tracedMost is how long a body may be to be echoed.
const tracedMost = 64 << 10

// tracedBody is the request's body.
func tracedBody(x *exchange.Exchange) ([]byte, error) {
	if x.Req.Length == 0 {
		return nil, nil
	}
	if x.Req.Length <= tracedMost {
		body, err := io.ReadAll(io.LimitReader(x.Req.Body, tracedMost+1))
		if err != nil || len(body) <= tracedMost {
			return body, err
		}
	}
	x.RawNote = "Extended TRACE request bodies cannot exceed 64k\n"
	return nil, exchange.Status(413)
}
