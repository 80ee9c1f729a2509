package expr

import (
	"net/netip"
	"strings"
	"testing"
)

func TestSubnet(t *testing.T) {
	for _, c := range []struct{ net, in, out string }{
		{"10.1.2.3", "10.1.2.3 ::ffff:10.1.2.3", "10.1.2.4 ::1"},
		{"10", "10.0.0.0 10.255.255.255", "11.0.0.0 ::a00:0"},
		{"10.1.", "10.1.9.9", "10.2.0.0"},
		{"0.0", "0.0.5.5", "0.1.0.0"},
		{"10.1.2.3/8", "10.9.9.9", "11.0.0.0"},
		{"10.1.2.3/255.255.0.0", "10.1.9.9", "10.2.0.0"},
		{"10.1.2.128/25", "10.1.2.200", "10.1.2.127"},
		{"10.1.2.3/32", "10.1.2.3", "10.1.2.2"},
		{"::1", "::1", "::2 0.0.0.1"},
		{"2001:db8::/33", "2001:db8:7fff::", "2001:db8:8000::"},
		{"fe80::/10", "fe80::1%eth0", "fec0::1"},
	} {
		n, ok := ParseSubnet(c.net)
		if !ok {
			t.Errorf("%s refused", c.net)
			continue
		}
		for _, a := range strings.Fields(c.in) {
			if !n.Holds(netip.MustParseAddr(a)) {
				t.Errorf("%s does not hold %s", c.net, a)
			}
		}
		for _, a := range strings.Fields(c.out) {
			if n.Holds(netip.MustParseAddr(a)) {
				t.Errorf("%s holds %s", c.net, a)
			}
		}
	}
	for _, s := range []string{"", "x", "10.256", "10..1", ".", "1.2.3.4.5", "10/8", "10.0.0.0/0", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x",
		"::1/255.0.0.0", "::/129", "::ffff:1.2.3.4", "fe80::1%eth0", "1000000000000000", "+1.2"} {
		if _, ok := ParseSubnet(s); ok {
			t.Errorf("%q taken", s)
		}
	}
}
