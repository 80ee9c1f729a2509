package remoteip

import (
	"errors"
	"net/netip"
	"strings"

	"balancerd/proxy/expr"
)

// proxy is an address or a subnet that may say whom it speaks for.
type proxy struct {
	net      expr.Subnet
	internal bool
}

// proxiesOf takes an address, a subnet, or a name, all of whose addresses count (httpd: mod_remoteip.c proxies_set).
func proxiesOf(word string, internal bool, directive string) ([]proxy, error) {
	bad := func(why string) error {
		return errors.New("RemoteIP: Error parsing IP " + word + " (" + why + " error) for " + directive)
	}
	host, mask, masked := strings.Cut(word, "/")
	if looksLikeIP(host) {
		n, ok := expr.ParseSubnet(word)
		if !ok {
			return nil, bad(whyNot(host, masked))
		}
		return []proxy{{n, internal}}, nil
	}
	if masked {
		return nil, errors.New("RemoteIP: Error parsing IP " + word + " the subnet /" + mask + " is invalid for " + directive)
	}
	list, err := lookUp(host)
	if err != nil {
		return nil, bad(unknown(err))
	}
	var out []proxy
	for _, a := range list {
		if n, ok := expr.ParseSubnet(a.Unmap().WithZone("").String()); ok {
			out = append(out, proxy{n, internal})
		}
	}
	return out, nil
}

// looksLikeIP: anything with a colon, or of digits and dots alone (httpd: mod_remoteip.c looks_like_ip).
func looksLikeIP(host string) bool {
	return strings.Contains(host, ":") || strings.Trim(host, ".0123456789") == ""
}

// whyNot is APR's words for a subnet that is none.
func whyNot(host string, masked bool) string {
	a, err := netip.ParseAddr(host)
	switch {
	case host == "":
		return "Invalid argument"
	case err == nil && masked && !a.Is4In6():
		return "The specified network mask is invalid."
	}
	return "The specified IP address is invalid."
}
