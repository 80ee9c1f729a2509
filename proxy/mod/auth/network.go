package auth

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"strconv"
	"strings"

	"balancerd/proxy/exchange"
)

// network is an address, a subnet, or, with a mask that has holes, what httpd makes of one.
type network struct {
	prefix netip.Prefix // of an IPv6 subnet and of an IPv4 one with an ordinary mask
	sub    uint32       // IPv4 with any other mask
	mask   uint32       // not 0 then
}

func (n network) contains(a netip.Addr) bool {
	if n.mask == 0 {
		return n.prefix.Contains(a)
	}
	if !a.Is4() {
		return false
	}
	b := a.As4()
	return binary.BigEndian.Uint32(b[:])&n.mask == n.sub
}

// networks is a set of them.
type networks []network

func (s networks) contains(a netip.Addr) bool {
	for i := range s {
		if s[i].contains(a) {
			return true
		}
	}
	return false
}

// Errors of parsing a network (APR_EINVAL, APR_EBADIP, APR_EBADMASK and their texts).
var (
	errNotIP   = errors.New("")
	errBadIP   = errors.New("The specified IP address is invalid.")
	errBadMask = errors.New("The specified network mask is invalid.")
)

// parseNetwork reads "10.0.0.1", "10.1" or "10.1." (a shortened IPv4 subnet), "10.0.0.0/8",
// "10.0.0.0/255.0.0.0", and IPv6 the same way. errNotIP: it does not look like an address at all
// (APR: apr_ipsubnet_create).
func parseNetwork(word string) (network, error) {
	addr, mask, masked := strings.Cut(word, "/")
	if !strings.Contains(addr, ":") && strings.Trim(addr, ".0123456789") != "" {
		return network{}, errNotIP
	}
	ip, err := netip.ParseAddr(addr)
	switch {
	case err == nil && ip.Zone() == "":
		ip = ip.Unmap()
	case masked || strings.Contains(addr, ":"):
		return network{}, errBadIP
	default:
		return shortNetwork(addr)
	}
	if !masked {
		return network{prefix: netip.PrefixFrom(ip, ip.BitLen())}, nil
	}
	return maskedNetwork(ip, mask)
}

func maskedNetwork(ip netip.Addr, mask string) (network, error) {
	if bits, err := strconv.Atoi(mask); err == nil && bits > 0 && bits <= ip.BitLen() {
		p, _ := ip.Prefix(bits)
		return network{prefix: p}, nil
	}
	m, err := netip.ParseAddr(mask)
	if err != nil || !m.Is4() || !ip.Is4() {
		return network{}, errBadMask
	}
	mb, ib := m.As4(), ip.As4()
	bits := binary.BigEndian.Uint32(mb[:])
	if ones := contiguous(bits); ones >= 0 {
		p, _ := ip.Prefix(ones)
		return network{prefix: p}, nil
	}
	return network{sub: binary.BigEndian.Uint32(ib[:]) & bits, mask: bits}, nil
}

// contiguous is the number of leading ones, or -1 when zeros stand between.
func contiguous(mask uint32) int {
	n := 0
	for mask&(1<<31) != 0 {
		mask <<= 1
		n++
	}
	if mask != 0 {
		return -1
	}
	return n
}

// shortNetwork is an IPv4 subnet of its first octets: "10", "10.1.", "192.168".
func shortNetwork(s string) (network, error) {
	octets := strings.Split(strings.TrimSuffix(s, "."), ".")
	var b [4]byte
	if s == "" {
		return network{}, errNotIP
	}
	if len(octets) > 4 {
		return network{}, errBadIP
	}
	for i, o := range octets {
		n, err := strconv.ParseUint(o, 10, 8)
		if err != nil {
			return network{}, errBadIP
		}
		b[i] = byte(n)
	}
	p, _ := netip.AddrFrom4(b).Prefix(8 * len(octets))
	return network{prefix: p}, nil
}

// clientIP is the client's address as remoteip left it.
func clientIP(x *exchange.Exchange) netip.Addr {
	if x.ClientIP == "" && x.Conn != nil {
		return x.Conn.Remote.Addr().Unmap()
	}
	a, _ := netip.ParseAddr(x.ClientIP)
	return a.Unmap().WithZone("")
}
