package ajp

import (
	"strings"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/expr"
)

// The numbers of attributes.
const (
	attributeUser    = 3
	attributeAuth    = 4
	attributeQuery   = 5
	attributeRoute   = 6
	attributeCert    = 7
	attributeCipher  = 8
	attributeSession = 9
	attributeNamed   = 10
	attributeKeySize = 11
	attributeSecret  = 12
	attributeMethod  = 13
	attributesEnd    = 0xFF
)

// appendAttributes appends what is told of a request beside its fields, in httpd's order.
func (c *codec) appendAttributes(b []byte, method bool) (_ []byte, full string) {
	x := c.x
	a := attributes{b: b, size: c.size}
	a.add(attributeSecret, c.s.Worker.Settings().Secret, "AH03228: ajp_marshal_into_msgb: Error appending secret")
	a.add(attributeUser, x.User, "AH00972: ajp_marshal_into_msgb: Error appending the remote user")
	a.add(attributeAuth, x.AuthType, "AH00973: ajp_marshal_into_msgb: Error appending the auth type")
	if x.Req.HasQuery {
		a.put(attributeQuery, x.Req.Query, "AH00974: ajp_marshal_into_msgb: Error appending the query string")
	}
	if route, ok := x.Env.Get("BALANCER_SESSION_ROUTE"); ok && x.Out.Balanced {
		a.put(attributeRoute, route, "AH00975: ajp_marshal_into_msgb: Error appending the jvm route")
	}
	protocol := a.secure(x)
	if !method {
		a.put(attributeMethod, x.Req.Method, "AH02438: ajp_marshal_into_msgb: Error appending the method as request attribute")
	}
	if protocol != "" {
		a.named("AJP_SSL_PROTOCOL", protocol)
	}
	a.named("AJP_REMOTE_PORT", x.Arena.Int(int64(x.Conn.Remote.Port())))
	a.named("AJP_LOCAL_ADDR", x.Arena.Keep(x.Conn.Local.Addr().AppendTo(x.Arena.Scratch(64))))
	for i := range x.Env.Len() {
		name, value := x.Env.At(i)
		if name, ok := strings.CutPrefix(name, "AJP_"); ok {
			a.named(name, value)
		}
	}
	return a.b, a.full
}

// attributes appends attributes until the packet is full.
type attributes struct {
	b    []byte
	size int
	full string
}

func (a *attributes) add(code byte, value, full string) {
	if value != "" {
		a.put(code, value, full)
	}
}

func (a *attributes) put(code byte, value, full string) {
	if a.full == "" {
		a.b = appendText(append(a.b, code), value)
		if len(a.b) > a.size {
			a.full = full
		}
	}
}

func (a *attributes) named(name, value string) {
	if a.full == "" {
		a.b = appendText(appendText(append(a.b, attributeNamed), name), value)
		if len(a.b) > a.size {
			a.full = "AH00981: ajp_marshal_into_msgb: Error appending attribute " + name + "=" + value
		}
	}
}

// The variables of TLS that are told.
var certificate, cipher, session, keySize, protocolName = variable("SSL_CLIENT_CERT"), variable("SSL_CIPHER"), variable("SSL_SESSION_ID"), variable("SSL_CIPHER_USEKEYSIZE"), variable("SSL_PROTOCOL")

func variable(name string) func(*exchange.Exchange) string {
	of, _ := expr.Variable(name)
	return of
}

// secure appends what is told of TLS, and returns its version.
func (a *attributes) secure(x *exchange.Exchange) (protocol string) {
	if !x.Conn.Secure {
		return ""
	}
	a.add(attributeCert, certificate(x), "AH00976: ajp_marshal_into_msgb: Error appending the SSL certificates")
	a.add(attributeCipher, cipher(x), "AH00977: ajp_marshal_into_msgb: Error appending the SSL ciphers")
	a.add(attributeSession, session(x), "AH00978: ajp_marshal_into_msgb: Error appending the SSL session")
	if bits := keySize(x); bits != "" && a.full == "" {
		a.b = appendInt(append(a.b, attributeKeySize), directive.Atoi(bits))
	}
	return protocolName(x)
}
