package cgi

import (
	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/wire"
)

// header adds the request's fields. Those that a body's framing is made of say what is sent of it. Passwords stay here
// unless CGIPassAuth lets them pass, and so does Proxy, which as HTTP_PROXY would make programs use another proxy.
func (b *Builder) header(x *exchange.Exchange, length int64) {
	for i := range x.Req.Header.F {
		f := &x.Req.Header.F[i]
		switch f.ID {
		case wire.ContentType:
			b.add("CONTENT_TYPE", f.Value)
			continue
		case wire.ContentLength, wire.TransferEncoding:
			continue
		case wire.Authorization, wire.ProxyAuthorization:
			if x.Local == nil || !x.Local.PassAuth {
				continue
			}
		case wire.Other:
			if f.Is("Proxy") {
				continue
			}
		}
		if name := variable(x, f.Name); name != "" {
			b.add(name, f.Value)
		}
	}
	if length >= 0 {
		b.add("CONTENT_LENGTH", x.Arena.Int(length))
	}
}

// variable is the name of a field's variable: HTTP_ and its letters in upper case. "" for a name that would be taken for
// another one's: it has a character that is no letter, digit or hyphen (httpd: util_script.c http2env).
func variable(x *exchange.Exchange, name string) string {
	out := append(x.Arena.Scratch(len("HTTP_")+len(name)), "HTTP_"...)
	for i := range len(name) {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z':
			out = append(out, c-'a'+'A')
		case 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
			out = append(out, c)
		case c == '-':
			out = append(out, '_')
		default:
			return ""
		}
	}
	return x.Arena.Keep(out)
}
