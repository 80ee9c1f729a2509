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
	Expires
	LastModified
	IDs // how many there are
)

var names = [IDs]string{
	Host: "Host", Connection: "Connection", ContentLength: "Content-Length", TransferEncoding: "Transfer-Encoding",
	KeepAlive: "Keep-Alive", TE: "TE", Trailer: "Trailer", Upgrade: "Upgrade", Expect: "Expect",
	ProxyConnection: "Proxy-Connection", ProxyAuthorization: "Proxy-Authorization", ProxyAuthenticate: "Proxy-Authenticate",
	XForwardedFor: "X-Forwarded-For", XForwardedHost: "X-Forwarded-Host", XForwardedServer: "X-Forwarded-Server",
	Via: "Via", Cookie: "Cookie", SetCookie: "Set-Cookie", Date: "Date", Server: "Server", ContentType: "Content-Type",
	Location: "Location", MaxForwards: "Max-Forwards", Range: "Range", Vary: "Vary", Authorization: "Authorization",
	Warning: "Warning", Expires: "Expires", LastModified: "Last-Modified",
}

// ConnectionField marks the fields that concern one HTTP/1 connection: no other connection gets them, and HTTP/2
// has none of them (RFC 9110 section 7.6.1, RFC 9113 section 8.2.2). Never written to.
var ConnectionField = [256]bool{Connection: true, ProxyConnection: true, KeepAlive: true, TransferEncoding: true, Upgrade: true, TE: true, Trailer: true}

// String is the usual spelling of the field's name.
func (id ID) String() string { return names[id] }

// byLetter is the one well-known name of a length and first letter. Never written to.
var byLetter = letterTable()

const longestName = len("Proxy-Authorization")

func letterTable() (t [longestName + 1][32]ID) {
	for id := Other + 1; id < IDs; id++ {
		t[len(names[id])][names[id][0]&31] = id
	}
	return t
}

// IDOf finds the number of a field's name; Other when it has none.
func IDOf(name string) ID {
	if name == "" || len(name) > longestName {
		return Other
	}
	id := byLetter[len(name)][name[0]&31]
	if id == Other || name != names[id] && !EqualFold(name, names[id]) {
		return Other
	}
	return id
}

// Set is some of the well-known names.
type Set uint64

// Has reports whether one of two names is there.
func (s Set) Has(a, b ID) bool { return s&(1<<a|1<<b) != 0 }

// with is s and a name.
func (s Set) with(id ID) Set { return s | 1<<id }
