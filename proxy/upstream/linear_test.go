package upstream

import (
	"fmt"
	"strings"
	"testing"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/wire"
	"balancerd/testdata/linear"
)

// long makes inputs of a piece, whose %d is a running number.
func long(piece string) func(size int) string {
	return func(size int) string {
		var b strings.Builder
		for i := 0; b.Len() < size; i++ {
			b.WriteString(strings.ReplaceAll(piece, "%d", fmt.Sprint(i)))
		}
		return b.String()
	}
}

// TestForwardingIsLinear: fields that Connection names, and those that this server adds to.
func TestForwardingIsLinear(t *testing.T) {
	for name, piece := range map[string]string{"names": "x%d,", "blanks": " \t", "quotes": `"`, "close": "close, "} {
		t.Run(name, func(t *testing.T) {
			input := func(size int) *exchange.Exchange {
				x := &exchange.Exchange{Server: &exchange.Server{Name: "s"}, ClientIP: "192.0.2.1"}
				h := &x.Req.Header
				h.Add("Connection", long(piece)(size/2))
				for _, name := range []string{"X-Forwarded-For", "X-Forwarded-Host", "Via", "Forwarded", "Cookie", "Upgrade"} {
					h.Add(name, long("192.0.2.1, ")(size/16))
				}
				for i := range size / 64 {
					h.Add(fmt.Sprint("field-", i), "value")
				}
				return x
			}
			w := &forwarder{via: ViaOn, addHeaders: true}
			linear.Check(t, 8<<10, input, func(x *exchange.Exchange) {
				x.Arena.Reset()
				x.Out.Header.Reset()
				w.copyHeader(&proxyState{x: x, forwards: -1})
				x.Req.Upgrade, x.Req.Major, x.Req.Minor = true, 1, 1
				upgradeFor(x, "ws", "websocket, x")
			})
		})
	}
}

// TestConnectionNamesManyFields: few or many names, the same fields stay.
func TestConnectionNamesManyFields(t *testing.T) {
	for _, n := range []int{1, 3, 200} {
		x := &exchange.Exchange{Server: &exchange.Server{Name: "s"}}
		names := []string{}
		for i := range n {
			names = append(names, fmt.Sprint("Gone-", i))
			x.Req.Header.Add(fmt.Sprint("gone-", i), "x")
		}
		x.Req.Header.Add("Kept", "x")
		x.Req.Header.Add("Connection", strings.Join(names, " ;,\t\""))
		(&forwarder{}).copyHeader(&proxyState{x: x, forwards: -1})
		if h := &x.Out.Header; h.Len() != 1 || !h.Has("Kept") {
			t.Errorf("%d names: %v", n, h.F)
		}
	}
}

// TestReversalIsLinear: Location, Set-Cookie and their kin.
func TestReversalIsLinear(t *testing.T) {
	r := &reverser{rules: [][]reverseRule{{{Rewrite: Rewrite{From: "http://a/", To: "/x/"}}, {Rewrite: Rewrite{From: "/p", To: "/q"}}}},
		paths: [][]Rewrite{{{From: "/", To: "/x"}}}, domains: [][]Rewrite{{{From: "a", To: "b"}}}}
	for name, piece := range map[string]string{"paths": "path=/a;", "domains": "Domain=a;", "semicolons": ";", "blanks": " \t", "text": "a", "slashes": "http://a/", "colons": ":/", "fields": "\n"} {
		t.Run(name, func(t *testing.T) {
			input := func(size int) string { return long(piece)(size) }
			linear.Check(t, 8<<10, input, func(s string) {
				x := &exchange.Exchange{Server: &exchange.Server{Name: "s"}}
				h := &x.Res.Header
				h.F = append(h.F, exchange.Field{Name: "Location", Value: s, ID: wire.Location}, exchange.Field{Name: "Set-Cookie", Value: s, ID: wire.SetCookie})
				if piece == "\n" {
					for range len(s) / 64 {
						h.F = append(h.F, exchange.Field{Name: "Set-Cookie", Value: "a=b; path=/", ID: wire.SetCookie})
					}
				}
				r.rewrite(x)
			})
		})
	}
}

func TestEncodingIsLinear(t *testing.T) {
	for name, piece := range map[string]string{"letters": "a", "umlauts": "\xc3\xa4", "percent": "%", "slashes": "%2f", "twice": "%252f", "twenty-fives": "25", "blanks": " "} {
		t.Run(name, func(t *testing.T) {
			input := func(size int) string { return "%" + long(piece)(size) }
			linear.Check(t, 8<<10, input, func(s string) {
				var a exchange.Arena
				encodePath(&a, s, true)
				encodePath(&a, s, false)
				if visible(s) && exchange.HasScheme(s) {
					t.Fatalf("%q is taken for a URL", s[:20])
				}
			})
		})
	}
}
