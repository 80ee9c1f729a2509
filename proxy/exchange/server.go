package exchange

import (
	"cmp"
	"strconv"
	"time"

	"balancerd/proxy/internal/wire"
)

// Server is the facts of one virtual host (or the main server) that packages need while they serve:
// httpd's server_rec and core_server_config. Immutable once the site is built.
type Server struct {
	Name      string // ServerName without scheme and port
	Scheme    string // from ServerName's URL form; "" for the connection's
	Port      int    // ServerName's port; 0 when it names none
	Admin     string // ServerAdmin; see Address
	Main      bool   // the main server, not a virtual host
	ID        string // stable over reloads: the key of its balancers' slots, e.g. "p59bfe437"
	DefinedAt string // "file:line" of <VirtualHost>
	Token     string // the Server header: "Apache/2.4.71 (Debian)"; set by ServerTokens

	Timeout           time.Duration // Timeout
	KeepAlive         bool
	KeepAliveTimeout  time.Duration
	MaxKeepAlive      int  // MaxKeepAliveRequests; 0 unlimited
	LimitLine         int  // LimitRequestLine
	LimitFieldSize    int  // LimitRequestFieldSize
	LimitFields       int  // LimitRequestFields; 0 unlimited
	Unsafe            bool // HttpProtocolOptions Unsafe
	RegisteredMethods bool // HttpProtocolOptions RegisteredMethods
	Allow09           bool
	Trace             TraceMode
	StrictHost        bool // StrictHostCheck
	EncodedSlashes    SlashMode
	MergeSlashes      bool
	MergeTrailers     bool
	HandshakeRead     ReadLimit // RequestReadTimeout handshake=
	HeaderRead        ReadLimit // RequestReadTimeout header=
	BodyRead          ReadLimit // RequestReadTimeout body=
	DocumentRoot      string
	Protocols         []string // Protocols, in order of preference; none: http/1.1 alone
	ClientsOrder      bool     // ProtocolsHonorOrder Off: the client's order counts
	HTTP2             HTTP2

	Levels   *Levels // LogLevel at server level
	ErrorLog ErrorLog
}

// Address is ServerAdmin, or httpd's words for none.
func (s *Server) Address() string { return cmp.Or(s.Admin, "[no address given]") }

// IOTimeout is how long one read or write may take: Timeout, or a minute for a server without settings.
func (s *Server) IOTimeout() time.Duration {
	if s.Timeout > 0 {
		return s.Timeout
	}
	return time.Minute
}

// Rules are what the limits and HttpProtocolOptions say of HTTP/1 heads and chunks; secure: on a TLS connection.
func (s *Server) Rules(secure bool) wire.Rules {
	return wire.Rules{
		Line: s.LimitLine, FieldSize: s.LimitFieldSize, Fields: s.LimitFields, Unsafe: s.Unsafe,
		Allow09: s.Allow09, Registered: s.RegisteredMethods, Secure: secure,
	}
}

// TraceMode is TraceEnable.
type TraceMode uint8

// Settings of TraceEnable.
const (
	TraceOn TraceMode = iota
	TraceOff
	TraceExtended
)

// SlashMode is AllowEncodedSlashes.
type SlashMode uint8

// Settings of AllowEncodedSlashes.
const (
	SlashesOff SlashMode = iota
	SlashesOn
	SlashesNoDecode
)

// ReadLimit is one stage of RequestReadTimeout: Timeout to begin with, prolonged by one second for
// each Rate bytes received, up to Max (0: no bound). A zero Timeout is no limit.
type ReadLimit struct {
	Timeout, Max time.Duration
	Rate         int
}

// Local is what the sections in force say about the core's own matters: httpd's core_dir_config.
// Immutable; shared by all exchanges with the same plan.
type Local struct {
	Levels           *Levels
	CanonicalName    Canonical
	LocalName        func(*Exchange) string // of CanonicalDNS: the name of this end's address, "" for none
	CanonicalPort    bool                   // UseCanonicalPhysicalPort
	Signature        Signature
	ErrorDocuments   []ErrorDocument
	LimitRequestBody int64
	HostnameLookups  bool
	DecodedSlashes   bool // a section is in force: with it the server's AllowEncodedSlashes is out of it
	PassAuth         bool // CGIPassAuth
	CurrentURI       bool // CGIVar REQUEST_URI current-uri
	QualifyRedirect  bool // QualifyRedirectURL
}

// Canonical is UseCanonicalName.
type Canonical uint8

// Settings of UseCanonicalName.
const (
	CanonicalOff Canonical = iota
	CanonicalOn
	CanonicalDNS
)

// Signature is ServerSignature.
type Signature uint8

// Settings of ServerSignature.
const (
	SignatureOff Signature = iota
	SignatureOn
	SignatureEMail
)

// ErrorDocument is what replaces a status's own page: exactly one of the kinds.
type ErrorDocument struct {
	Status int
	Text   func(*Exchange) string // the page's text
	Path   func(*Exchange) string // a local path
	URL    func(*Exchange) string // another site: 302
	Own    bool                   // "default": back to the own page
}

// ServerName is the name for URLs that we make ourselves (httpd: core.c ap_get_server_name).
func (x *Exchange) ServerName() string {
	if x.Local != nil && x.Local.CanonicalName == CanonicalDNS {
		if x.Local.LocalName != nil && x.Conn != nil {
			if name := x.Local.LocalName(x); name != "" {
				return name
			}
		}
		return x.Server.Name
	}
	if x.Local != nil && x.Local.CanonicalName == CanonicalOn || x.Req.Host == "" {
		return x.Server.Name
	}
	return x.Req.Host
}

// DefaultPort is the port that the connection's scheme implies.
func (x *Exchange) DefaultPort() int {
	if x.Scheme() == "https" {
		return 443
	}
	return 80
}

// Scheme is "https" on a TLS connection or when ServerName says so, else "http".
func (x *Exchange) Scheme() string {
	if x.Conn != nil && x.Conn.Secure {
		return "https"
	}
	if x.Server != nil && x.Server.Scheme != "" {
		return x.Server.Scheme
	}
	return "http"
}

// ServerPort is the port for self-made URLs (httpd: core.c ap_get_server_port).
func (x *Exchange) ServerPort() int {
	physical := 0
	if x.Local != nil && x.Local.CanonicalPort && x.Conn != nil {
		physical = int(x.Conn.Local.Port())
	}
	if x.Local != nil && x.Local.CanonicalName == CanonicalOn {
		return firstPort(x.Server.Port, physical, x.DefaultPort())
	}
	return firstPort(x.Req.Port, physical, x.Server.Port, x.DefaultPort())
}

func firstPort(ports ...int) int {
	for _, p := range ports {
		if p != 0 {
			return p
		}
	}
	return 0
}

// ConstructURL makes a local path absolute (httpd: core.c ap_construct_url).
func (x *Exchange) ConstructURL(path string) string {
	name, port := x.ServerName(), x.ServerPort()
	if port == x.DefaultPort() {
		return x.Arena.Join(x.Scheme(), "://", name, path)
	}
	return x.Arena.Join(x.Scheme(), "://", name, ":", strconv.Itoa(port), path)
}

// UnknownMethod logs that httpd has no number for the method, and is 501; nil for a method that it knows (httpd:
// core.c default_handler).
func (x *Exchange) UnknownMethod() error {
	if wire.Registered(x.Req.Method) {
		return nil
	}
	x.Log("core", Error, nil, x.Arena.Join("AH00135: Invalid method in request ", x.Req.Line))
	return Status(501)
}

// AllowText is the Allow field of an own 405 or OPTIONS answer when the handler named no methods
// (httpd: http_protocol.c make_allow).
func (x *Exchange) AllowText() string {
	if x.Server != nil && x.Server.Trace == TraceOff {
		return ""
	}
	return "TRACE"
}
