package expr

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"balancerd/proxy/exchange"
)

// Subnet is a set of addresses as -R, -ipmatch and Require ip write them. Immutable.
type Subnet struct {
	net  netip.Addr
	mask [16]byte
}

// ParseSubnet reads an address, a network of whole octets ("10.1"), "address/bits" or
// "address/netmask" (APR: sockaddr.c apr_ipsubnet_create).
func ParseSubnet(s string) (n Subnet, ok bool) {
	addr, mask, masked := strings.Cut(s, "/")
	for i := range n.mask {
		n.mask[i] = 0xff
	}
	a, err := netip.ParseAddr(addr)
	switch {
	case err != nil && masked, err == nil && (a.Is4In6() || a.Zone() != ""):
		return n, false
	case err != nil:
		return octets(addr)
	}
	n.net = a
	if masked && !n.setMask(mask) {
		return n, false
	}
	return n.cut(), true
}

// setMask takes a number of bits, or a netmask for an IPv4 address. 0 bits are refused.
func (n *Subnet) setMask(s string) bool {
	if bits, err := strconv.Atoi(s); err == nil {
		if bits <= 0 || bits > n.net.BitLen() {
			return false
		}
		for i := range n.mask {
			n.mask[i] = byte(0xff << max(0, min(8, 8*(i+1)-bits)))
		}
		return true
	}
	m, err := netip.ParseAddr(s)
	if err != nil || !m.Is4() || !n.net.Is4() {
		return false
	}
	b := m.As4()
	copy(n.mask[:], b[:])
	return true
}

// octets reads "10", "10.1." and the like.
func octets(s string) (n Subnet, ok bool) {
	var a [4]byte
	list := strings.Split(strings.TrimSuffix(s, "."), ".")
	if s == "" || len(list) > 4 || len(s) > 15 {
		return n, false
	}
	for i, o := range list {
		v, err := strconv.ParseUint(o, 10, 8)
		if err != nil {
			return n, false
		}
		a[i], n.mask[i] = byte(v), 0xff
	}
	n.net = netip.AddrFrom4(a)
	return n, true
}

// cut clears the bits behind the mask.
func (n Subnet) cut() Subnet {
	b := n.net.AsSlice()
	for i := range b {
		b[i] &= n.mask[i]
	}
	n.net, _ = netip.AddrFromSlice(b)
	return n
}

// Holds reports whether an address is in the set. An IPv4-mapped IPv6 address is IPv4.
func (n *Subnet) Holds(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if a.BitLen() != n.net.BitLen() {
		return false
	}
	x, y := a.As16(), n.net.As16()
	from := 16 - a.BitLen()/8
	for i := from; i < 16; i++ {
		if x[i]&n.mask[i-from] != y[i] {
			return false
		}
	}
	return true
}

// lookupTime bounds a question to DNS.
const lookupTime = 5 * time.Second

// holdsText is Holds for a text: an address, or a host name to be resolved where names is set.
func (n *Subnet) holdsText(x *exchange.Exchange, s string, names bool) bool {
	a, err := netip.ParseAddr(s)
	if err == nil {
		return n.Holds(a)
	}
	if !names || s == "" {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookupTime)
	defer cancel()
	x.Block()
	list, err := net.DefaultResolver.LookupNetIP(ctx, "ip", strings.Clone(s))
	return err == nil && len(list) > 0 && n.Holds(list[0])
}

// RemoteHost is the client's host name if it is known, or where HostnameLookups asks for it and DNS has one; else its
// address (httpd: core.c ap_get_useragent_host with REMOTE_NAME).
func RemoteHost(x *exchange.Exchange) string {
	if name := x.ClientHost(); name != "" {
		return name
	}
	if x.Local == nil || !x.Local.HostnameLookups {
		return x.ClientIP
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookupTime)
	defer cancel()
	x.Block()
	names, err := net.DefaultResolver.LookupAddr(ctx, strings.Clone(x.ClientIP))
	if err != nil || len(names) == 0 {
		return x.ClientIP
	}
	return strings.ToLower(strings.TrimSuffix(names[0], "."))
}
