package wire

// ID numbers the header fields that the data plane itself looks at, so that a loop over a header
// compares small integers. Other is every other name.
type ID uint8

// The well-known fields.
const (
	Other ID = iota
	Host
	Connection
	ContentLength
	TransferEncoding
	KeepAlive
	TE
	Trailer
	Upgrade
	Expect
	ProxyConnection
	ProxyAuthorization
	ProxyAuthenticate
	XForwardedFor
	XForwardedHost
	XForwardedServer
	Via
	Cookie
	SetCookie
	Date
	Server
	ContentType
	Location
	MaxForwards
	Range
	Vary
	Authorization
	Warning
	ids // how many there are
)

var names = [ids]string{
	Host: "Host", Connection: "Connection", ContentLength: "Content-Length", TransferEncoding: "Transfer-Encoding",
	KeepAlive: "Keep-Alive", TE: "TE", Trailer: "Trailer", Upgrade: "Upgrade", Expect: "Expect",
	ProxyConnection: "Proxy-Connection", ProxyAuthorization: "Proxy-Authorization", ProxyAuthenticate: "Proxy-Authenticate",
	XForwardedFor: "X-Forwarded-For", XForwardedHost: "X-Forwarded-Host", XForwardedServer: "X-Forwarded-Server",
	Via: "Via", Cookie: "Cookie", SetCookie: "Set-Cookie", Date: "Date", Server: "Server", ContentType: "Content-Type",
	Location: "Location", MaxForwards: "Max-Forwards", Range: "Range", Vary: "Vary", Authorization: "Authorization",
	Warning: "Warning",
}

// String is the usual spelling of the field's name.
func (id ID) String() string { return names[id] }

// IDOf finds the number of a field's name; Other when it has none.
func IDOf(name string) ID {
	switch len(name) {
	case 2:
		return match(name, TE)
	case 3:
		return match(name, Via)
	case 4:
		return match2(name, Host, Date, Vary)
	case 5:
		return match(name, Range)
	case 6:
		return match2(name, Cookie, Expect, Server)
	case 7:
		return match2(name, Upgrade, Trailer, Warning)
	case 8:
		return match(name, Location)
	case 10:
		return match2(name, Connection, KeepAlive, SetCookie)
	case 12:
		return match2(name, ContentType, MaxForwards, Other)
	case 13:
		return match(name, Authorization)
	case 14:
		return match(name, ContentLength)
	case 15:
		return match(name, XForwardedFor)
	case 16:
		return match2(name, XForwardedHost, ProxyConnection, Other)
	case 17:
		return match(name, TransferEncoding)
	case 18:
		return match2(name, XForwardedServer, ProxyAuthenticate, Other)
	case 19:
		return match(name, ProxyAuthorization)
	}
	return Other
}

func match(name string, id ID) ID {
	if EqualFold(name, names[id]) {
		return id
	}
	return Other
}

func match2(name string, a, b, c ID) ID {
	for _, id := range [...]ID{a, b, c} {
		if id != Other && EqualFold(name, names[id]) {
			return id
		}
	}
	return Other
}
