package uwsgi

import (
	"encoding/binary"
	"net/url"
	"strings"

	"balancerd/proxy/backend"
	"balancerd/proxy/cgi"
	"balancerd/proxy/exchange"
)

// mostVariables is how many bytes of variables a request may have: two bytes tell it.
const mostVariables = 1<<16 - 1

// AppendHead is Codec's (httpd: mod_proxy_uwsgi.c uwsgi_send_headers).
func (c *codec) AppendHead(b []byte) ([]byte, error) {
	x := c.x
	path, _ := decoded(x.Out.Target) // RoundTrip has seen that it can be
	r := cgi.Request{Filename: x.Arena.Join("proxy:", x.Out.URL), PathInfo: x.PathInfo, Length: -1}
	if !x.Out.Balanced { // httpd decodes the URL in place
		r.Filename = x.Arena.Join("proxy:", strings.TrimSuffix(x.Out.URL, x.Out.Target), path)
	}
	if !c.s.Body.None() {
		r.Length = c.s.Body.Length()
	}
	c.env.Environment(x, &r)
	place(x, oneSlash(path))
	if v, ok := x.Req.Header.Lookup("Authorization"); ok {
		x.Env.Set("HTTP_AUTHORIZATION", v)
	}
	size := 0
	for i := range x.Env.Len() {
		name, value := x.Env.At(i)
		size += 4 + len(name) + len(value)
	}
	if size > mostVariables {
		a := c.s.Worker.Address()
		c.log("AH10259: can't send headers to ", a.Host, ":", x.Arena.Int(int64(a.Port)), ": packet size too large (", x.Arena.Int(int64(size)), ")")
		return b, exchange.Status(500)
	}
	b = append(b, 0, byte(size), byte(size>>8), 0)
	for i := range x.Env.Len() {
		name, value := x.Env.At(i)
		b = appendText(appendText(b, name), value)
	}
	return b, nil
}

// decoded is a path decoded. One with an encoded slash or zero byte is none (httpd: util.c ap_unescape_url).
func decoded(path string) (plain string, ok bool) {
	for _, s := range [...]string{"%2f", "%2F", "%00"} {
		if strings.Contains(path, s) {
			return "", false
		}
	}
	plain, err := url.PathUnescape(path)
	return plain, err == nil
}

// place tells which part of the client's path the application is at, SCRIPT_NAME, and which is for it to make sense of.
func place(x *exchange.Exchange, path string) {
	name, info := x.Env.Value("SCRIPT_NAME"), x.PathInfo
	if info == "" {
		info = path
		x.Env.Set("PATH_INFO", info)
	}
	switch {
	case info != "/":
		name = strings.TrimSuffix(name, info)
	case name == "/":
		name = ""
	}
	x.Env.Set("SCRIPT_NAME", name)
}

// oneSlash is a path with one slash at its beginning.
func oneSlash(path string) string {
	for strings.HasPrefix(path, "//") {
		path = path[1:]
	}
	return path
}

func appendText(b []byte, s string) []byte {
	return append(binary.LittleEndian.AppendUint16(b, uint16(len(s))), s...)
}

// Unasked is Codec's: the body follows.
func (c *codec) Unasked() backend.Credit { return backend.All }

// PieceSize is Codec's.
func (c *codec) PieceSize() int { return 0 }

// AppendPiece is Codec's.
func (c *codec) AppendPiece(b []byte, _ int) []byte { return b }

// AppendPieceEnd is Codec's.
func (c *codec) AppendPieceEnd(b []byte) []byte { return b }

// AppendEnd is Codec's.
func (c *codec) AppendEnd(b []byte) []byte { return b }
