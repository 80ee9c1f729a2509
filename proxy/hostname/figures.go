package hostname

import (
	"net/netip"
	"strconv"
	"strings"
)

// InFigures is the IPv4 address that a host name is itself, as C's inet_aton reads it: one to four numbers, the last of
// which fills what is left, in base 10, 8 or 16.
func InFigures(host string) (a netip.Addr, ok bool) {
	parts := strings.Split(host, ".")
	if len(parts) > 4 {
		return a, false
	}
	var n uint64
	for i, part := range parts {
		width := 8
		if i == len(parts)-1 {
			width = 8 * (5 - len(parts))
		}
		v, err := strconv.ParseUint(part, 0, width)
		if err != nil || strings.Contains(part, "_") || len(part) > 1 && strings.IndexByte("oObB", part[1]) >= 0 { // Go's own forms
			return a, false
		}
		n = n<<width | v
	}
	return netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}), true
}
