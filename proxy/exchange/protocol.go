package exchange

import (
	"slices"
	"time"
)

// The names of protocols, as Protocols and ALPN have them (RFC 9113 section 3.1).
const (
	HTTP11 = "http/1.1"
	H2     = "h2"  // HTTP/2 over TLS
	H2C    = "h2c" // HTTP/2 in clear text
)

// HTTP2 is what a virtual host says of HTTP/2 (httpd: h2_config.c). A zero number is the default.
// Immutable.
type HTTP2 struct {
	Loaded      bool          // mod_http2 is there
	Streams     int           // H2MaxSessionStreams: how many a connection may have open; 100
	Window      int           // H2WindowSize: bytes that a client may send before they are wanted; 65535
	Timeout     time.Duration // H2StreamTimeout: of one read or write of a stream; Timeout
	FrameLen    int           // H2MaxDataFrameLen: bytes of a DATA frame; as many as the client takes
	HeaderBlock int           // H2MaxHeaderBlockLen: bytes of an answer's header list; no bound
	Errors      int           // H2MaxStreamErrors: streams of a connection that the client broke off or got wrong before it must end
	Direct      Switch        // H2Direct: the preface alone begins HTTP/2; on in clear text, off over TLS
	OldTLS      bool          // H2ModernTLSOnly Off: TLS 1.1 and forbidden cipher suites are good enough
	EarlyHints  bool          // H2EarlyHints: a member's 103 is passed on
	WebSockets  bool          // H2WebSockets: a stream may become a WebSocket (RFC 8441)
	Padding     int           // H2Padding: up to 2 to the power of it, less one, bytes of padding a frame; 0 none
	MinWorkers  int           // H2MinWorkers; 0 not set. Shown alone: streams are no threads here
	MaxWorkers  int           // H2MaxWorkers; 0 not set
}

// PoolThreads is how many connections to a member httpd could use at a time, with as many threads for
// HTTP/1: each has one, and with mod_http2 one of them is left to its own workers (httpd: proxy_util.c
// ap_proxy_initialize_worker, h2_config.c h2_get_workers_config).
func (h *HTTP2) PoolThreads(threads int) int {
	if !h.Loaded {
		return threads
	}
	most := h.MaxWorkers
	if most == 0 {
		least := h.MinWorkers
		if least == 0 {
			least = threads
		}
		most = 3 * least / 2
	}
	return threads - 1 + most
}

// Switch is On, Off, or what somebody else decides.
type Switch uint8

// Settings of a Switch.
const (
	Unset Switch = iota
	On
	Off
)

// Or is whether it is on; unset is what its default is where the question is asked.
func (s Switch) Or(unset bool) bool { return s == On || s == Unset && unset }

// Speaks reports whether Protocols lets a protocol in; without Protocols that is HTTP/1.1 alone
// (httpd: protocol.c ap_is_allowed_protocol).
func (s *Server) Speaks(protocol string) bool {
	if len(s.Protocols) == 0 || protocol != HTTP11 && !s.HTTP2.Loaded {
		return protocol == HTTP11
	}
	return slices.Contains(s.Protocols, protocol)
}

// Direct reports whether a fresh connection may begin with HTTP/2's preface
// (httpd: h2_c1.c h2_c1_allows_direct).
func (s *Server) Direct(secure bool) bool {
	if secure {
		return s.Speaks(H2) && s.HTTP2.Direct.Or(false)
	}
	return s.Speaks(H2C) && s.HTTP2.Direct.Or(true)
}
