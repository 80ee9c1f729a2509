package rewrite

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/poison"
	"balancerd/proxy/site"
	"balancerd/proxy/site/sitetest"
	"balancerd/testdata/linear"
)

// manyRules are rules with a literal beginning each, none of which matches /app/x.
func manyRules(n int) string {
	var b strings.Builder
	b.WriteString("RewriteEngine On\n")
	for i := range n {
		fmt.Fprintf(&b, "RewriteRule ^/old/page%d/(.*)$ /new/%d/$1 [L]\n", i, i)
	}
	return b.String()
}

// translated is the pass of the server's rules over a request, again and again.
func translated(t testing.TB, conf, request string) func() {
	r := newRig(t, conf)
	x := sitetest.Request(request)
	r.Site.Serve(context.Background(), x)
	step := site.PlanOf(x).Steps(site.Translate)[0].Do
	x.Req.Path = x.Req.RawPath
	return func() {
		x.Arena.Reset()
		x.Filename = ""
		if err := step(context.Background(), x); err != nil && err != exchange.Stop {
			t.Fatal(err)
		}
	}
}

func TestNoMatchAllocatesNothing(t *testing.T) {
	if poison.On || linear.Race {
		t.Skip("pools keep nothing")
	}
	for _, n := range []int{1, 10, 1000} {
		pass := translated(t, manyRules(n), "GET /app/x")
		pass()
		if got := testing.AllocsPerRun(200, pass); got > 0.5 {
			t.Errorf("%d rules: %v allocations", n, got)
		}
	}
}

func BenchmarkRules(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			pass := translated(b, manyRules(n), "GET /app/some/path/of/usual/length.html?x=1")
			b.ReportAllocs()
			for b.Loop() {
				pass()
			}
		})
	}
}

// BenchmarkLastRule is a pass whose last rule matches.
func BenchmarkLastRule(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			pass := translated(b, manyRules(n), fmt.Sprintf("GET /old/page%d/x", n-1))
			b.ReportAllocs()
			for b.Loop() {
				pass()
			}
		})
	}
}
