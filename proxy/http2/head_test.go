package http2

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"balancerd/proxy/exchange"
)

// THE table of heads that are unusual (values of httpd with nghttp2; RFC 9113 section 8.2, 8.3).
func TestUnusualHeads(t *testing.T) {
	f := newFront(t, &app{serve: func(_ context.Context, x *exchange.Exchange) {
		x.Res.Status, x.Res.Local = 200, true
		var b strings.Builder
		for _, h := range x.Req.Header.F {
			fmt.Fprintf(&b, "%s: %s|", h.Name, h.Value)
		}
		x.Res.Text(b.String())
	}, srv: &exchange.Server{LimitLine: 8190, LimitFieldSize: 8190, LimitFields: 4}})
	repeated := func(name string, n int) []string { return slices.Repeat([]string{name, "1"}, n) }
	for _, c := range []struct {
		scheme string
		fields []string
		want   string
	}{
		{"http", []string{"x", " a\t"}, "200 Host: h.test|X: a|"},
		{"http", []string{"cookie", " a", "cookie", "b "}, "200 Host: h.test|Cookie: a; b|"},
		{"http", []string{"x", " "}, "200 Host: h.test|X: |"},
		{"http", []string{"http2-settings", "x"}, "200 Host: h.test|"},
		{"http", []string{"te", " trailers"}, "200 Host: h.test|TE: trailers|"},
		{"HTTP", nil, "200 Host: h.test|"},
		{"ftp", nil, "RST PROTOCOL_ERROR"},
		{"http", []string{"host", "H.Test"}, "200 Host: h.test|"},
		{"http", []string{"host", "h.test:80"}, "200 Host: h.test|"},
		{"https", []string{"host", "h.test:443"}, "200 Host: h.test|"},
		{"http", []string{"host", "h.test:443"}, "RST PROTOCOL_ERROR"},
		{"http", []string{"host", "h.test."}, "RST PROTOCOL_ERROR"},
		{"http", repeated("x", 4), "200 Host: h.test|X: 1, 1, 1, 1|"},
		{"http", repeated("x", 5), "431 refused"},
		{"http", repeated("cookie", 9), "200 Host: h.test|Cookie: 1; 1; 1; 1; 1; 1; 1; 1; 1|"},
	} {
		k := f.dial(t)
		k.ask(1, true, append([]string{":method", "GET", ":scheme", c.scheme, ":authority", "h.test", ":path", "/"}, c.fields...)...)
		what, data := k.outcome(1)
		if got := strings.TrimSpace(what + " " + data); got != c.want {
			t.Errorf("%s %q: %q, want %q", c.scheme, c.fields, got, c.want)
		}
	}
}
