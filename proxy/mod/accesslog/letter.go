package accesslog

import (
	"context"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"balancerd/proxy/exchange"
	"balancerd/proxy/log/sink"
)

// letter is one of the format's codes.
type letter struct {
	make     func(*item) piece
	original bool // without "<" or ">" the client's own request counts, before internal redirects
	ssl      bool // exists only with mod_ssl
}

// of is a letter that has no argument and is the same before and after internal redirects.
func of(p piece) letter { return letter{make: func(*item) piece { return p }} }

// letters are the codes (httpd: mod_log_config.c log_pre_config, mod_logio.c, mod_ssl's ssl_engine_vars.c).
var letters = map[string]letter{
	"a": {make: clientAddress}, "h": {make: clientHost}, "A": of(localAddress), "l": of(dash), "u": of(user),
	"t": {make: requestTime}, "T": {make: duration}, "D": of(microseconds),
	"r": of(requestLine), "m": {make: method}, "H": of(protocol), "k": of(kept), "X": of(connection),
	"U": {make: path, original: true}, "q": {make: query}, "f": {make: filename}, "R": {make: handler, original: true},
	"s": {make: status, original: true}, "b": of(bytesOrDash), "B": of(bytesSent),
	"I": {make: bytesIn}, "O": of(bytesOut), "S": {make: bytesBoth}, "^FB": of(firstByte),
	"i": {make: requestHeader}, "o": {make: answerHeader}, "^ti": {make: requestTrailer}, "^to": {make: answerTrailer},
	"C": {make: cookie}, "e": {make: environment}, "n": {make: note}, "L": {make: logID},
	"v": of(server), "V": of(serverName), "p": {make: port}, "P": {make: process},
	"x": {make: sslVariable, ssl: true}, "c": {make: sslShort, ssl: true},
}

func dash(b []byte, _ *view) []byte { return append(b, '-') }

func integer(b []byte, n int64) []byte { return strconv.AppendInt(b, n, 10) }

// --- who

func clientAddress(it *item) piece {
	if it.arg == "c" {
		return peer
	}
	return func(b []byte, v *view) []byte {
		if v.x.ClientIP == "" {
			return peer(b, v)
		}
		return append(b, v.x.ClientIP...)
	}
}

func peer(b []byte, v *view) []byte { return append(b, v.x.Conn.RemoteIP...) }

// clientHost is the address, or the name: one that a rule of access has looked up, or with HostnameLookups.
func clientHost(it *item) piece {
	address, known := clientAddress(it), (*exchange.Exchange).ClientHost
	if it.arg == "c" {
		known = func(x *exchange.Exchange) string { return x.Conn.Host() }
	}
	return func(b []byte, v *view) []byte {
		if name := known(v.x); name != "" {
			return escape(b, name)
		}
		n := len(b)
		b = address(b, v)
		if v.x.Local == nil || !v.x.Local.HostnameLookups {
			return b
		}
		name, ok := names.Known(string(b[n:]))
		if !ok {
			name = names.Of(context.Background(), v.x, string(b[n:]))
		}
		return escape(b[:n], name)
	}
}

func localAddress(b []byte, v *view) []byte { return v.x.Conn.Local.Addr().Unmap().AppendTo(b) }

// user is the name that the client gave; `""` for credentials with an empty one
// (httpd: mod_log_config.c log_remote_user).
func user(b []byte, v *view) []byte {
	if v.x.User == "" && v.x.AuthType != "" {
		return append(b, `""`...)
	}
	return orDash(b, v.x.User, v.x.User != "")
}

// --- what was asked

func requestLine(b []byte, v *view) []byte {
	line := v.x.Req.Line
	if from, to := passwordIn(line); from < to {
		b = append(b, line[:from]...)
		return append(append(b, "XXXXXXXX"...), line[to:]...)
	}
	return orDash(b, line, line != "")
}

// passwordIn is where the password of an absolute target's user stands in a request line: it is for no log (apr: apr_uri.c
// apr_uri_unparse).
func passwordIn(line string) (from, to int) {
	i, space := strings.Index(line, "://"), strings.IndexByte(line, ' ')
	if i < 0 || strings.ContainsAny(line[space+1:max(i, space+1)], "/?") {
		return 0, 0
	}
	from = i + len("://")
	end := strings.IndexAny(line[from:], "/?# ")
	if end < 0 {
		end = len(line) - from
	}
	at := strings.LastIndexByte(line[from:from+end], '@')
	colon := strings.IndexByte(line[from:from+end], ':')
	if at < 0 || colon < 0 || colon > at {
		return 0, 0
	}
	return from + colon + 1, from + at
}

func method(it *item) piece {
	return textOrDash(it.before(func(x *exchange.Exchange) string { return x.Req.Method }, func(o *exchange.Original) string { return o.Method }))
}

func protocol(b []byte, v *view) []byte { return append(b, v.x.Req.ProtoText()...) }

// before picks the text of the client's own request when the item wants that and there was an
// internal redirect.
func (it *item) before(final func(*exchange.Exchange) string, first func(*exchange.Original) string) func(*exchange.Exchange) string {
	if !it.original {
		return final
	}
	return func(x *exchange.Exchange) string {
		if x.Prev != nil {
			return first(x.Prev)
		}
		return final(x)
	}
}

func textOrDash(text func(*exchange.Exchange) string) piece {
	return func(b []byte, v *view) []byte {
		s := text(v.x)
		return orDash(b, s, s != "")
	}
}

func path(it *item) piece {
	return textOrDash(it.before(func(x *exchange.Exchange) string { return x.Req.Path }, func(o *exchange.Original) string { return o.Path }))
}

func filename(it *item) piece {
	return textOrDash(it.before((*exchange.Exchange).Mapped, func(o *exchange.Original) string { return o.Filename }))
}

func handler(it *item) piece {
	return textOrDash(it.before(func(x *exchange.Exchange) string { return x.Handler }, func(o *exchange.Original) string { return o.Handler }))
}

func query(it *item) piece {
	original := it.original
	return func(b []byte, v *view) []byte {
		q, has := v.x.Req.Query, v.x.Req.HasQuery
		if original && v.x.Prev != nil {
			q, has = v.x.Prev.Query, v.x.Prev.Query != ""
		}
		if !has {
			return b
		}
		return escape(append(b, '?'), q)
	}
}

func requestHeader(it *item) piece {
	name := it.arg
	return func(b []byte, v *view) []byte {
		s, ok := v.x.Req.Header.Lookup(name)
		return orDash(b, s, ok)
	}
}

func requestTrailer(it *item) piece {
	name := it.arg
	return func(b []byte, v *view) []byte {
		s, ok := v.x.Req.Trailer.Lookup(name)
		return orDash(b, s, ok)
	}
}

// cookie is the value of the first cookie of that name, any case; cookies are parted by ";" and
// blanks around name and value do not count (httpd: mod_log_config.c log_cookie).
func cookie(it *item) piece {
	name := it.arg
	return func(b []byte, v *view) []byte {
		for rest := v.x.Req.Header.Get("Cookie"); rest != ""; {
			var one string
			one, rest, _ = strings.Cut(rest, ";")
			n, value, ok := strings.Cut(one, "=")
			if ok && value != "" && exchange.EqualFold(strings.Trim(n, " \t"), name) {
				return escape(b, strings.Trim(value, " \t"))
			}
		}
		return append(b, '-')
	}
}

// --- what was answered

func status(it *item) piece {
	original := it.original
	return func(b []byte, v *view) []byte {
		s := v.x.Res.Status
		if original && v.x.Prev != nil {
			s = v.x.Prev.Status
		}
		if s <= 0 {
			return append(b, '-')
		}
		return integer(b, int64(s))
	}
}

func bytesOrDash(b []byte, v *view) []byte {
	if v.x.Res.Sent == 0 {
		return append(b, '-')
	}
	return integer(b, v.x.Res.Sent)
}

func bytesSent(b []byte, v *view) []byte { return integer(b, v.x.Res.Sent) }
func bytesOut(b []byte, v *view) []byte  { return integer(b, v.x.Res.Wrote) }

func bytesIn(it *item) piece {
	read := it.read()
	return func(b []byte, v *view) []byte { return integer(b, read(v.x)) }
}

func bytesBoth(it *item) piece {
	read := it.read()
	return func(b []byte, v *view) []byte { return integer(b, read(v.x)+v.x.Res.Wrote) }
}

// read is how many bytes of the client's mod_logio counts.
func (it *item) read() func(*exchange.Exchange) int64 {
	if !it.with.Peeks {
		return func(x *exchange.Exchange) int64 { return x.Res.Read }
	}
	return func(x *exchange.Exchange) int64 {
		if x.Conn.Kept > 0 {
			return x.Res.Read + 1
		}
		return x.Res.Read
	}
}

// answerHeader looks among the fields that are sent whatever happens first, as httpd's response has
// them in front. Of Content-Type only the type is printed, of Set-Cookie all values.
func answerHeader(it *item) piece {
	name := it.arg
	switch {
	case exchange.EqualFold(name, "Set-Cookie"):
		return func(b []byte, v *view) []byte { return appendAll(b, v.x, name) }
	case exchange.EqualFold(name, "Content-Type"):
		return func(b []byte, v *view) []byte {
			s, ok := answered(v.x, name)
			s, _, _ = strings.Cut(s, ";")
			return orDash(b, strings.TrimRight(s, " \t"), ok)
		}
	case exchange.EqualFold(name, "Content-Length"):
		return func(b []byte, v *view) []byte {
			s, ok := answered(v.x, name)
			if !ok && v.x.Res.Length >= 0 && v.x.Req.Method != "HEAD" && !exchange.Bodiless(v.x.Res.Status) {
				return integer(b, v.x.Res.Length)
			}
			return orDash(b, s, ok)
		}
	}
	return func(b []byte, v *view) []byte {
		s, ok := answered(v.x, name)
		if !ok {
			s = framed(&v.x.Res, name)
		}
		return orDash(b, s, ok || s != "")
	}
}

// framed is a field that the client's protocol wrote, of which the answer's headers know nothing.
func framed(r *exchange.Response, name string) string {
	switch {
	case r.Chunked && exchange.EqualFold(name, "Transfer-Encoding"):
		return "chunked"
	case r.Persists != "" && exchange.EqualFold(name, "Connection"):
		return r.Persists
	}
	return ""
}

func answered(x *exchange.Exchange, name string) (string, bool) {
	if s, ok := x.Res.Always.Lookup(name); ok {
		return s, true
	}
	return x.Res.Header.Lookup(name)
}

func appendAll(b []byte, x *exchange.Exchange, name string) []byte {
	start := len(b)
	for _, h := range [...]*exchange.Header{&x.Res.Always, &x.Res.Header} {
		for i := range h.F {
			if f := &h.F[i]; f.Is(name) {
				if len(b) > start {
					b = append(b, ", "...)
				}
				b = escape(b, f.Value)
			}
		}
	}
	if len(b) == start {
		b = append(b, '-')
	}
	return b
}

func answerTrailer(it *item) piece {
	name := it.arg
	return func(b []byte, v *view) []byte {
		s, ok := v.x.Res.Trailer.Lookup(name)
		return orDash(b, s, ok)
	}
}

// --- how it went

func environment(it *item) piece {
	name := it.arg
	return func(b []byte, v *view) []byte {
		s, ok := v.x.Env.Get(name)
		return orDash(b, s, ok)
	}
}

func note(it *item) piece {
	name := it.arg
	return func(b []byte, v *view) []byte {
		s, ok := v.x.Notes.Get(name)
		return orDash(b, s, ok)
	}
}

// logID is "-" unless the error log has mentioned the request, or the connection.
func logID(it *item) piece {
	if it.arg == "c" {
		return func(b []byte, v *view) []byte {
			if atomic.LoadUint32(&v.x.Conn.Logged) == 0 {
				return append(b, '-')
			}
			return append(b, sink.ID(time.Time{}, v.x.Conn.ID)...)
		}
	}
	return func(b []byte, v *view) []byte { return orDash(b, v.x.LogID, v.x.LogID != "") }
}

// kept is 1 on streams of HTTP/2 (httpd: h2_c2.c).
func kept(b []byte, v *view) []byte {
	if v.x.Req.Major == 2 {
		return append(b, '1')
	}
	return integer(b, int64(v.x.Conn.Kept))
}

func connection(b []byte, v *view) []byte {
	switch {
	case v.x.Res.Aborted:
		return append(b, 'X')
	case v.x.Res.Kept:
		return append(b, '+')
	}
	return append(b, '-')
}

func server(b []byte, v *view) []byte { return orDash(b, v.x.Server.Name, v.x.Server.Name != "") }

func serverName(b []byte, v *view) []byte { return escape(b, v.x.ServerName()) }

func port(it *item) piece {
	switch strings.ToLower(it.arg) {
	case "", "canonical":
		return func(b []byte, v *view) []byte {
			if p := v.x.Server.Port; p != 0 {
				return integer(b, int64(p))
			}
			return integer(b, int64(v.x.DefaultPort()))
		}
	case "remote":
		return func(b []byte, v *view) []byte { return integer(b, int64(v.x.ClientPort())) }
	case "local":
		return func(b []byte, v *view) []byte { return integer(b, int64(v.x.Conn.Local.Port())) }
	}
	return constant(it.arg)
}

func process(it *item) piece {
	switch strings.ToLower(it.arg) {
	case "", "pid":
		return constant(strconv.Itoa(os.Getpid()))
	case "tid":
		return func(b []byte, _ *view) []byte { return integer(b, int64(sink.ThreadID())) }
	case "hextid":
		return func(b []byte, _ *view) []byte {
			return strconv.AppendInt(append(b, "0x"...), int64(sink.ThreadID()), 16)
		}
	}
	return constant(it.arg)
}

// --- TLS

func sslVariable(it *item) piece { return sslPiece(it, it.arg) }

// sslShort are mod_ssl's older names.
func sslShort(it *item) piece {
	switch strings.ToLower(it.arg) {
	case "version":
		return sslPiece(it, "SSL_PROTOCOL")
	case "cipher":
		return sslPiece(it, "SSL_CIPHER")
	case "subjectdn", "clientcert":
		return sslPiece(it, "SSL_CLIENT_S_DN")
	case "issuerdn", "cacert":
		return sslPiece(it, "SSL_CLIENT_I_DN")
	case "errstr":
		return sslPiece(it, "SSL_CLIENT_VERIFY_ERRSTR")
	}
	return dash
}

func sslPiece(it *item, name string) piece {
	value := it.with.SSL(name)
	if value == nil {
		return dash
	}
	return func(b []byte, v *view) []byte {
		s := value(v.x)
		return orDash(b, s, s != "")
	}
}
