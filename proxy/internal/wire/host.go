package wire

import (
	"net/netip"
	"strings"
)

// findHost finds the host that is asked for: an absolute target's, else the Host field's. A Host
// field that says something else than the target is replaced, so that all who read it agree
// (RFC 9112 section 3.2.2; httpd: vhost.c ap_update_vhost_from_headers_ex, protocol.c
// ap_check_request_header).
func (r *Request) findHost(h *Header, rules *Rules) error {
	at := h.IndexID(Host)
	if !r.fromTarget && at >= 0 {
		r.Authority = h.F[at].Value
		if err := r.hostField(rules); err != nil {
			return err
		}
	} else if r.fromTarget && r.Host != "" {
		if err := r.checkHost(rules); err != nil {
			return err
		}
	}
	if r.Host == "" && !r.fromTarget && r.AtLeast11() || r.Major == 1 && r.Minor == 1 && at < 0 {
		return refuse(400, Debug, "AH00569: client sent HTTP/1.1 request without hostname (see RFC2616 section 14.23): ", r.RawPath)
	}
	if r.fromTarget && at >= 0 && !rules.Unsafe {
		h.F[at].Value = r.canonical()
	}
	return nil
}

// canonical is the authority of the target as a Host field's value: the name in lower case, the port as it
// was written.
func (r *Request) canonical() string {
	host := r.Host
	if strings.IndexByte(host, ':') >= 0 {
		host = "[" + host + "]"
	}
	if i := strings.LastIndexByte(r.Authority, ':'); i >= 0 && digits(r.Authority[i+1:]) && r.Authority != host {
		host += r.Authority[i:]
	}
	return host
}

// hostField splits the Host field's value. Only the digits at the end can be a port
// (apr: sockaddr.c apr_parse_addr_port).
func (r *Request) hostField(rules *Rules) error {
	s := r.Authority
	end := len(s)
	for end > 0 && s[end-1] >= '0' && s[end-1] <= '9' {
		end--
	}
	switch {
	case s == "":
		return nil
	case end == 0 && !rules.Unsafe:
		return refuse(400, Debug, "AH02416: [strict] purely numeric host names not allowed: ", clip(s))
	case end == 0:
		r.Host = s
		return nil
	}
	r.Host = s
	if s[end-1] == ':' && end < len(s) {
		port, ok := parsePort(s[end:])
		if !ok || port == 0 || end == 1 {
			return badHost(s)
		}
		r.Host, r.Port = s[:end-1], port
	}
	return r.checkHost(rules)
}

// checkHost makes r.Host what other packages may rely on: an address without brackets, or a name in lower
// case without a final dot.
func (r *Request) checkHost(rules *Rules) error {
	host := r.Host
	if host[0] == '[' {
		if len(host) < 3 || host[len(host)-1] != ']' {
			return badHost(r.Authority)
		}
		a, err := netip.ParseAddr(host[1 : len(host)-1])
		if err != nil || !a.Is6() || a.Zone() != "" {
			return badHost(r.Authority)
		}
		r.Host = lowered(host[1 : len(host)-1])
		return nil
	}
	if hasSlashOrDots(host) {
		return badHost(r.Authority)
	}
	if host = lowered(strings.TrimSuffix(host, ".")); host == "" {
		host = r.Host
	}
	if !rules.Unsafe {
		if near, ok := strictHost(host); !ok {
			return strictlyBad(host, near)
		}
	}
	r.Host = host
	return nil
}

// hasSlashOrDots reports whether a host's name would lead out of the directory that is named after it.
func hasSlashOrDots(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] == '/' || s[i] == '\\' || s[i] == '.' && i+1 < len(s) && s[i+1] == '.' {
			return true
		}
	}
	return false
}

func badHost(s string) error {
	return refuse(400, Debug, "AH00550: Client sent malformed Host header: ", clip(s))
}

func strictlyBad(host, near string) error {
	if near == "" {
		return refuse(400, Debug, "AH02415: [strict] Invalid host name '", clip(host), "'")
	}
	return refuse(400, Debug, "AH02415: [strict] Invalid host name '", clip(host), "', problem near: ", near[:min(len(near), 6)])
}

// strictHost reports whether a name is made of letters, digits, hyphens, underscores and dots, is no odd
// spelling of an IPv4 address, and ends in a label that begins with a letter
// (httpd: vhost.c strict_hostname_check).
func strictHost(host string) (near string, ok bool) {
	dotted, zeroes, dots := true, false, 0
	for i := 0; i < len(host); i++ {
		c := lower(host[i])
		switch {
		case c >= 'a' && c <= 'z', c == '-', c == '_':
			dotted = false
		case c == '.':
			dots++
			zeroes = zeroes || leadingZero(host[i+1:])
		case c < '0' || c > '9':
			return host[i:], false
		}
	}
	if dotted {
		return "", host != "" && host[0] != '.' && !zeroes && !leadingZero(host) && dots == 3
	}
	last := strings.LastIndexByte(host, '.') + 1
	if last > 0 && last < len(host) && (host[last] < 'a' || host[last] > 'z') {
		return host[last-1:], false
	}
	return "", true
}

// leadingZero reports whether a number begins with a 0 that it does not need.
func leadingZero(s string) bool {
	return len(s) > 1 && s[0] == '0' && s[1] >= '0' && s[1] <= '9'
}

// lowered is s in lower case; a text that is so already is not copied.
func lowered(s string) string {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c >= 'A' && c <= 'Z' {
			b := []byte(s)
			for ; i < len(b); i++ {
				b[i] = lower(b[i])
			}
			return view(b)
		}
	}
	return s
}
