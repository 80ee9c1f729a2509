package heartbeat

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// The ways in which an address may be wrong.
var (
	errAddress = errors.New("not an address")
	errNoHost  = errors.New("no host")
	errNoPort  = errors.New("no port")
	errNoName  = errors.New("no such host")
)

// lookUpWithin is how long a name in a directive may take.
const lookUpWithin = 10 * time.Second

// addressOf reads host:port; the host is one of IPv4, or a name that has one (APR: apr_parse_addr_port, apr_sockaddr_info_get).
func addressOf(word string) (netip.AddrPort, error) {
	none := netip.AddrPort{}
	if word != "" && strings.Trim(word, "0123456789") == "" {
		if n, err := strconv.Atoi(word); err != nil || n < 1 || n > 65535 {
			return none, errAddress
		}
		return none, errNoHost
	}
	host, text, given := word, "", false
	if i := strings.LastIndexByte(word, ':'); i >= 0 && strings.Trim(word[i+1:], "0123456789") == "" {
		host, text, given = word[:i], word[i+1:], true
	}
	port := 0
	if given {
		var err error
		if port, err = strconv.Atoi(text); err != nil || port < 1 || port > 65535 {
			return none, errAddress
		}
	}
	switch {
	case host == "":
		return none, errAddress
	case !given:
		return none, errNoPort
	}
	a, err := ipv4Of(strings.Trim(host, "[]"))
	return netip.AddrPortFrom(a, uint16(port)), err
}

func ipv4Of(host string) (netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		if !a.Unmap().Is4() {
			return a, errNoName
		}
		return a.Unmap(), nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookUpWithin)
	defer cancel()
	list, err := net.DefaultResolver.LookupNetIP(ctx, "ip4", host)
	if err != nil || len(list) == 0 {
		return netip.Addr{}, errNoName
	}
	return list[0].Unmap(), nil
}
