package proxy_test

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"balancerd/proxy/internal/poison"
	"balancerd/proxy/mod/proxy/proxytest"
	"balancerd/testdata/linear"
)

// lines repeats lines, with the number of the repetition in the place of %d.
func lines(n int, text string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.ReplaceAll(text, "%d", fmt.Sprint(i)))
	}
	return b.String()
}

// large are configurations of a kind, by their size.
var large = []struct {
	name string
	conf func(n int) string
}{
	{"mappings to one host", func(n int) string { return lines(n, "ProxyPass /app%d/ http://gateway/w%d/\n") }},
	{"patterns to one host", func(n int) string { return lines(n, "ProxyPassMatch ^/app%d/(.*) http://gateway/w%d/$1\n") }},
	{"mappings to a host each", func(n int) string { return lines(n, "ProxyPass /app%d/ http://h%d/\n") }},
	{"<Location>s to one host", func(n int) string {
		return lines(n, "<Location /app%d/>\nProxyPass http://gateway/w%d/\nProxyPassReverse http://gateway/w%d/\n</Location>\n")
	}},
	{"<Location>s beside ProxyPassReverse lines", func(n int) string {
		return lines(n, "ProxyPassReverse /r%d http://h%d/\n<Location /app%d/>\nProxyPassReverse http://gateway/w%d/\n</Location>\n")
	}},
	{"balancers with <Proxy>", func(n int) string {
		return lines(n, "<Proxy balancer://b%d>\nBalancerMember http://b%d/\nBalancerMember http://c%d/\n</Proxy>\nProxyPass /app%d/ balancer://b%d/\n")
	}},
	{"balancers without", func(n int) string {
		return lines(n, "BalancerMember balancer://b%d http://b%d/\nProxyPass /app%d/ balancer://b%d/\n")
	}},
	{"members of a balancer", func(n int) string {
		return lines(n, "BalancerMember balancer://b http://b%d/\n") + "ProxyPass / balancer://b/\n"
	}},
	{"virtual hosts with inherited balancers", func(n int) string {
		return lines(20, "<Proxy balancer://b%d>\nBalancerMember http://b%d/\n</Proxy>\nProxyPass /app%d/ balancer://b%d/\n") +
			lines(n/10, "<VirtualHost *:80>\nServerName h%d\nProxyPass / balancer://b0/\n</VirtualHost>\n")
	}},
	{"virtual hosts below many lines", func(n int) string {
		return lines(n/4, "ProxyPass /app%d/ http://gateway/w%d/\n") + lines(n/4, "<VirtualHost *:80>\nServerName h%d\nProxyPass / http://gateway/h%d/\n</VirtualHost>\n")
	}},
}

// TestLoadsGrowWithTheWork: ten times the lines cost ten times the memory and time, not a hundred times.
func TestLoadsGrowWithTheWork(t *testing.T) {
	if poison.On {
		t.Skip("what is given back is written over: figures say nothing")
	}
	const small = 100
	for _, c := range large {
		t.Run(c.name, func(t *testing.T) {
			once, ten := c.conf(small), c.conf(10*small)
			load := func(conf string) func() *proxytest.Rig {
				return func() *proxytest.Rig { return proxytest.New(t, conf, proxytest.OK) }
			}
			load(once)() // what is made once is there then
			linear.Tenfold(t, "bytes allocated", linear.Allocated(func() { load(once)() }), linear.Allocated(func() { load(ten)() }))
			linear.Tenfold(t, "bytes kept", linear.Kept(load(once)), linear.Kept(load(ten)))
			quick, slow := timeOf(load(once)), timeOf(load(ten))
			for round := 0; round < 5 && slow > mostTimes*quick; round++ {
				quick, slow = min(quick, timeOf(load(once))), min(slow, timeOf(load(ten)))
			}
			if slow > mostTimes*quick {
				t.Errorf("%v for the work once, %v for ten times as much", quick, slow)
			}
		})
	}
}

// mostTimes is how many times as long ten times the work may take: more than fifteen, since the smaller load has
// its memory in the processor's caches.
const mostTimes = 30

// Reloads of a large configuration leave nothing behind.
func TestReloadsKeepNothing(t *testing.T) {
	conf := large[5].conf(300)
	r := proxytest.New(t, conf, proxytest.OK)
	r.Load(conf)
	grown := linear.Kept(func() int {
		for range 5 {
			r.Load(conf)
		}
		return 0
	})
	if whole := linear.Kept(func() *proxytest.Rig { return proxytest.New(t, conf, proxytest.OK) }); grown > whole/4 {
		t.Errorf("five reloads keep %d bytes more, a load %d", grown, whole)
	}
}

// timeOf is how long a load takes, without the collector of garbage, whose rounds few small loads see.
func timeOf(load func() *proxytest.Rig) time.Duration {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	best := time.Hour
	for range 5 {
		runtime.GC()
		start := time.Now()
		load()
		best = min(best, time.Since(start))
	}
	return best
}
