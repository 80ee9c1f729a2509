package site

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"balancerd/apacheconf/pattern"
	"balancerd/testdata/linear"
)

// plainFind is names.find as a walk over all hosts in file order.
func plainFind(hosts []*Host, local netip.AddrPort, name string) (*Host, bool) {
	any := netip.Addr{}
	for _, at := range []Address{{local.Addr(), int(local.Port())}, {local.Addr(), 0}, {any, int(local.Port())}, {any, 0}} {
		var group []*Host
		for _, h := range hosts[1:] {
			if slices.Contains(h.Addresses, at) {
				group = append(group, h)
			}
		}
		if group == nil {
			continue
		}
		for _, h := range group {
			if name != "" && plainAnswers(h, name) {
				return h, true
			}
		}
		return group[0], false
	}
	return hosts[0], plainAnswers(hosts[0], name)
}

func plainAnswers(h *Host, name string) bool {
	return slices.ContainsFunc(h.Names, func(n string) bool {
		return n == name || strings.ContainsAny(n, "*?") && pattern.Shell(n, name, 0)
	})
}

// pick is one of a list.
func pick[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

// hostName is a name of few labels, with wildcards now and then.
func hostName(r *rand.Rand, wild bool) string {
	labels := []string{"a", "b", "www", "x.y", ""}
	if wild {
		labels = append(labels, "*", "*a", "w*", "w?w", "[ab]*", "*b*", "?", "**", `\**`, "*[", "a[*]", "*-]")
	}
	var out []string
	for range 1 + r.IntN(3) {
		out = append(out, pick(r, labels...))
	}
	return strings.Join(out, ".")
}

func randomHosts(r *rand.Rand) []*Host {
	var hosts []*Host
	for range 1 + r.IntN(12) {
		h := &Host{}
		for range r.IntN(4) {
			h.Names = append(h.Names, hostName(r, true))
		}
		for range 1 + r.IntN(2) {
			h.Addresses = append(h.Addresses, Address{pick(r, netip.Addr{}, netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("::1")), pick(r, 0, 80, 81)})
		}
		hosts = append(hosts, h)
	}
	return hosts
}

// The tables find the host that a walk over all of them finds.
func TestFindIsAWalkInFileOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 3000 {
		hosts := randomHosts(r)
		n := newNames(hosts)
		for range 30 {
			local := netip.AddrPortFrom(pick(r, netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("::1")), pick[uint16](r, 80, 81))
			name := hostName(r, false)
			got, known := n.find(local, name)
			if want, wantKnown := plainFind(hosts, local, name); got != want || known != wantKnown {
				t.Fatalf("%q at %v: host %d %v, want %d %v of %s", name, local, slices.Index(hosts, got), known, slices.Index(hosts, want), wantKnown, printed(hosts))
			}
		}
	}
}

func printed(hosts []*Host) (out string) {
	for _, h := range hosts {
		out += fmt.Sprintf("\n%v %q", h.Addresses, h.Names)
	}
	return out
}

// 0.0.0.0 and [::] are "*" (httpd: vhost.c ap_fini_vhost_config).
func TestHostsOfUnspecifiedAddresses(t *testing.T) {
	var hosts []*Host
	for _, ip := range []netip.Addr{{}, netip.IPv4Unspecified(), {}, netip.IPv6Unspecified()} {
		hosts = append(hosts, &Host{Addresses: []Address{{ip, 80}}, Names: []string{fmt.Sprint("h", len(hosts))}})
	}
	n := newNames(hosts)
	for _, local := range []string{"10.0.0.1:80", "[::1]:80"} {
		for i, want := range []*Host{hosts[1], hosts[1], hosts[2], hosts[3]} {
			if got, _ := n.find(netip.MustParseAddrPort(local), fmt.Sprint("h", i)); got != want {
				t.Errorf("h%d at %s: host %d", i, local, slices.Index(hosts, got))
			}
		}
	}
	if list := (&Site{Hosts: hosts, names: n}).Groups(); len(list) != 1 || len(list[0].Hosts) != 3 {
		t.Errorf("groups %v", list)
	}
}

// aliased are hosts with an exact name and two wildcards each, all at one address.
func aliased(size int) []*Host {
	hosts := []*Host{{}}
	for i := range size {
		hosts = append(hosts, &Host{Addresses: []Address{{Port: 80}},
			Names: []string{fmt.Sprintf("h%d.test", i), fmt.Sprintf("*.w%d.test", i), fmt.Sprintf("x%d-*.test", i)}})
	}
	return hosts
}

// A name is found as fast among 10,000 hosts with wildcards as among 1,000, and nothing is allocated for it.
func TestWildcardsAreNotWalked(t *testing.T) {
	local := netip.MustParseAddrPort("10.0.0.1:80")
	cost := func(size int, name string) time.Duration {
		hosts := aliased(size)
		n := newNames(hosts)
		find := func() {
			if h, known := n.find(local, strings.ReplaceAll(name, "N", fmt.Sprint(size-1))); known != (h == hosts[size]) {
				t.Fatalf("%s: %v", name, h.Names)
			}
		}
		return linear.Best(func() {
			for range 2000 {
				find()
			}
		})
	}
	for _, name := range []string{"hN.test", "www.wN.test", "xN-1.test", "nobody.test"} {
		few, many := cost(1000, name), cost(10000, name)
		if many > 5*few {
			t.Errorf("%s: %v among 1,000 hosts, %v among 10,000", name, few, many)
		}
	}
	n := newNames(aliased(100))
	if a := testing.AllocsPerRun(100, func() { n.find(local, "www.w99.test") }); a != 0 {
		t.Errorf("%v allocations", a)
	}
}
