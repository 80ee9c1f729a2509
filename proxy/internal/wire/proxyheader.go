package wire

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// ProxyHeader is the header of the PROXY protocol, by which a proxy in front says whose connection it passes on
// (https://www.haproxy.org/download/2.8/doc/proxy-protocol.txt).
type ProxyHeader struct {
	Client netip.AddrPort // invalid: the proxy speaks for itself, or does not know
	IP     string         // Client's address as version 1 has it, else as it is printed
}

// ProxyHeaderError is why bytes are no such header, in httpd's words; "" when it says nothing.
type ProxyHeaderError struct{ Message string }

func (e *ProxyHeaderError) Error() string { return e.Message }

func noProxyHeader(format string, args ...any) error {
	return &ProxyHeaderError{fmt.Sprintf(format, args...)}
}

// LongestProxyHeader is the most bytes of a header of version 1, with its line's end, and of one that we write.
const LongestProxyHeader = 107

const (
	proxySignature = "\r\n\r\n\x00\r\nQUIT\n"
	proxyPrefix    = "PROXY "
	proxyShortest  = len("PROXY UNKNOWN\r\n")
	proxyLine      = LongestProxyHeader
	proxyFixed     = 16  // bytes of version 2 in front of addresses
	proxyAddresses = 216 // bytes of addresses and what follows them
)

// ParseProxyHeader reads the header at the beginning of b: n bytes. ErrIncomplete: more are needed; else the error is
// a *ProxyHeaderError. It is stricter than httpd, which passes over what it does not use (httpd: mod_remoteip.c
// remoteip_process_v1_header, remoteip_process_v2_header).
func ParseProxyHeader(b []byte) (h ProxyHeader, n int, err error) {
	switch {
	case begins(b, proxySignature):
		return parseProxy2(b)
	case begins(b, proxyPrefix):
		return parseProxy1(b)
	}
	return h, 0, noProxyHeader("")
}

// begins reports whether b may begin with a text, as far as it goes.
func begins(b []byte, text string) bool {
	n := min(len(b), len(text))
	return string(b[:n]) == text[:n]
}

// ProxyHeaderWants is how many bytes more may be read at once, so that nothing behind the header is: at least one while
// it is incomplete.
func ProxyHeaderWants(b []byte) int {
	switch {
	case len(b) < proxyShortest:
		return proxyShortest - len(b)
	case b[0] != proxyPrefix[0]:
		if len(b) < proxyFixed {
			return proxyFixed - len(b)
		}
		return proxyFixed + int(binary.BigEndian.Uint16(b[14:])) - len(b)
	case b[len(b)-1] == '\r':
		return 1
	case bytes.HasPrefix(b, []byte("PROXY UNKNOWN")):
		return len("\r\n")
	}
	return len("\r\n") + 2*max(0, proxyWords-1-bytes.Count(b, []byte{' '}))
}

// proxyFields are the words of version 1 behind "PROXY".
var proxyFields = [...]string{"family", "client-address", "destination-address", "client-port", "destination-port"}

const proxyWords = 1 + len(proxyFields)

func parseProxy1(b []byte) (h ProxyHeader, n int, err error) {
	end := bytes.IndexByte(b, '\n')
	switch {
	case end < 0 && len(b) <= proxyLine:
		return h, 0, ErrIncomplete
	case end < 0 || end >= proxyLine:
		if end < 0 {
			end = len(b) - 1
		}
		return h, 0, noProxyHeader("AH10185: RemoteIPProxyProtocol header too long, got %d expected %d", end+1-proxyShortest, proxyLine+1-proxyShortest)
	case end == 0 || b[end-1] != '\r':
		return h, 0, noProxyHeader("")
	}
	if h, err = proxyOf(string(b[:end-1])); err != nil {
		return h, 0, err
	}
	return h, end + 1, nil
}

// proxyOf reads a line of version 1.
func proxyOf(line string) (h ProxyHeader, err error) {
	words := strings.Split(line, " ")[1:]
	for i, field := range proxyFields {
		if i >= len(words) || words[i] == "" {
			return h, noProxyHeader("AH03497: RemoteIPProxyProtocol: no %s found in header '%s'", field, line)
		}
		if i == 0 && words[0] == "UNKNOWN" {
			return h, nil
		}
		if i == 0 && words[0] != "TCP4" && words[0] != "TCP6" {
			return h, noProxyHeader("AH03499: RemoteIPProxyProtocol: unknown family '%s' in header '%s'", words[0], line)
		}
	}
	if len(words) > len(proxyFields) {
		return h, noProxyHeader("RemoteIPProxyProtocol: more than a destination-port found in header '%s'", line)
	}
	v6 := words[0] == "TCP6"
	if !addressChars(words[1], v6) {
		return h, noProxyHeader("AH03500: RemoteIPProxyProtocol: invalid client-address '%s' found in header '%s'", words[1], line)
	}
	var ports [2]uint16
	for i := range ports {
		var ok bool
		if ports[i], ok = proxyPort(words[3+i]); !ok {
			return h, noProxyHeader("AH03501: RemoteIPProxyProtocol: error parsing port '%s' in header '%s'", words[3+i], line)
		}
	}
	for i, word := range words[1:3] {
		a, err := netip.ParseAddr(word)
		if err != nil || a.Is6() != v6 || a.Zone() != "" {
			family := map[bool]int{false: 2, true: 10}[v6]
			return h, noProxyHeader("AH03502: RemoteIPProxyProtocol: error converting family '%d', host '%s', and port '%d' to sockaddr; header was '%s'",
				family, word, ports[0], line)
		}
		if i == 0 {
			h = ProxyHeader{netip.AddrPortFrom(a.Unmap(), ports[0]), word}
		}
	}
	return h, nil
}

func addressChars(word string, v6 bool) bool {
	if v6 {
		return strings.Trim(word, "0123456789abcdefABCDEF:.") == ""
	}
	return strings.Trim(word, "0123456789.") == ""
}

// proxyPort is a decimal of at most 65535 without zeros in front.
func proxyPort(word string) (uint16, bool) {
	n, err := strconv.ParseUint(word, 10, 16)
	return uint16(n), err == nil && strconv.FormatUint(n, 10) == word
}

// AppendProxyHeader appends the header of a version, 1 or 2, that says that a connection is client's, which has reached
// us at local. Without either, a socket of no internet among the reasons, we speak for ourselves: UNKNOWN, or LOCAL. An
// address of IPv4 beside one of IPv6 is shown as one of that (RFC 4291 section 2.5.5.2).
func AppendProxyHeader(dst []byte, version int, client, local netip.AddrPort) []byte {
	client, local = sameFamily(client, local)
	if version == 1 {
		return appendProxy1(dst, client, local)
	}
	return appendProxy2(dst, client, local)
}

// sameFamily makes both addresses of one family, without zones; both invalid: one is not known.
func sameFamily(a, b netip.AddrPort) (x, y netip.AddrPort) {
	if !a.IsValid() || !b.IsValid() {
		return x, y
	}
	p, q := a.Addr().Unmap().WithZone(""), b.Addr().Unmap().WithZone("")
	if p.Is4() != q.Is4() {
		p, q = netip.AddrFrom16(p.As16()), netip.AddrFrom16(q.As16())
	}
	return netip.AddrPortFrom(p, a.Port()), netip.AddrPortFrom(q, b.Port())
}

func appendProxy1(dst []byte, client, local netip.AddrPort) []byte {
	dst = append(dst, proxyPrefix...)
	switch {
	case !client.IsValid():
		return append(dst, "UNKNOWN\r\n"...)
	case client.Addr().Is4():
		dst = append(dst, "TCP4 "...)
	default:
		dst = append(dst, "TCP6 "...)
	}
	dst = append(appendProxyAddr(dst, client.Addr()), ' ')
	dst = append(appendProxyAddr(dst, local.Addr()), ' ')
	dst = append(strconv.AppendUint(dst, uint64(client.Port()), 10), ' ')
	return append(strconv.AppendUint(dst, uint64(local.Port()), 10), "\r\n"...)
}

// appendProxyAddr appends an address without dots in one of IPv6, which version 1 has not.
func appendProxyAddr(dst []byte, a netip.Addr) []byte {
	if !a.Is4In6() {
		return a.AppendTo(dst)
	}
	b := a.As16()
	dst = strconv.AppendUint(append(dst, "::ffff:"...), uint64(binary.BigEndian.Uint16(b[12:])), 16)
	return strconv.AppendUint(append(dst, ':'), uint64(binary.BigEndian.Uint16(b[14:])), 16)
}

func appendProxy2(dst []byte, client, local netip.AddrPort) []byte {
	dst = append(dst, proxySignature...)
	switch {
	case !client.IsValid():
		return append(dst, 0x20, 0, 0, 0)
	case client.Addr().Is4():
		dst = append(dst, 0x21, 0x11, 0, 12)
	default:
		dst = append(dst, 0x21, 0x21, 0, 36)
	}
	for _, a := range [...]netip.Addr{client.Addr(), local.Addr()} {
		if b := a.As16(); a.Is4() {
			dst = append(dst, b[12:]...)
		} else {
			dst = append(dst, b[:]...)
		}
	}
	return binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(dst, client.Port()), local.Port())
}

func parseProxy2(b []byte) (h ProxyHeader, n int, err error) {
	if len(b) > len(proxySignature) && b[12]&0xf0 != 0x20 {
		return h, 0, noProxyHeader("")
	}
	if len(b) < proxyFixed {
		return h, 0, ErrIncomplete
	}
	length := int(binary.BigEndian.Uint16(b[14:]))
	switch {
	case length > proxyAddresses:
		return h, 0, noProxyHeader("AH10186: RemoteIPProxyProtocol protocol header length too long")
	case len(b) < proxyFixed+length:
		return h, 0, ErrIncomplete
	}
	if h, err = proxyAddress(b[12], b[13], b[proxyFixed:proxyFixed+length]); err != nil {
		return h, 0, err
	}
	return h, proxyFixed + length, nil
}

// proxyAddress reads what stands behind version 2's fixed part.
func proxyAddress(command, family byte, b []byte) (h ProxyHeader, err error) {
	switch {
	case command&0xf == 0: // LOCAL
		return h, nil
	case command&0xf != 1:
		return h, noProxyHeader("AH03507: RemoteIPProxyProtocol: unsupported command %.2x", command)
	case family == 0x11 && len(b) < 12:
		return h, noProxyHeader("AH10597: RemoteIPProxyProtocol: address length %d too short for TCPv4", len(b))
	case family == 0x11:
		h.Client = netip.AddrPortFrom(netip.AddrFrom4([4]byte(b)), binary.BigEndian.Uint16(b[8:]))
	case family == 0x21 && len(b) < 36:
		return h, noProxyHeader("AH10598: RemoteIPProxyProtocol: address length %d too short for TCPv6", len(b))
	case family == 0x21:
		h.Client = netip.AddrPortFrom(netip.AddrFrom16([16]byte(b)).Unmap(), binary.BigEndian.Uint16(b[32:]))
	default:
		return h, noProxyHeader("AH10183: RemoteIPProxyProtocol: unsupported protocol %.2x", family)
	}
	h.IP = h.Client.Addr().String()
	return h, nil
}
