package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
	"balancerd/proxy/site"
	"balancerd/proxy/site/sitetest"
	"balancerd/testdata/linear"
)

// farms are configurations of a size, as they grow where there are many hosts, mappings, sections or balancers.
var farms = []struct {
	name string
	size int // the smaller one; the larger is ten times as large
	conf func(size int) string
	path string // of what comes last: @ is size-1
}{
	{"virtual hosts", 100, func(size int) string {
		return times(size, "<VirtualHost *:80>\nServerName h@\nServerAlias www.h@ *.w@\n<Directory /srv/h@>\nRequire all granted\n</Directory>\n<Location /admin>\nRequire ip 10.0.0.0/8\n</Location>\n"+
			"Header always set X-Frame-Options DENY\nProxyPass /static !\nProxyPass / http://m1:80/@/\nProxyPassReverse / http://m1:80/@/\n</VirtualHost>\n")
	}, "/x\nHost: h@"},
	{"sections of the main server behind virtual hosts", 100, func(size int) string {
		return times(50, "<LocationMatch \"^/sec@/(a|b)\">\nRequire all granted\n</LocationMatch>\n<Location /loc@/>\nHeader set X @\n</Location>\n") + times(size, "<VirtualHost *:80>\nServerName h@\nProxyPass / http://m1:80/\n</VirtualHost>\n")
	}, "/sec9/a\nHost: h@"},
	{"balancers that virtual hosts inherit", 40, func(size int) string {
		return times(20, "<Proxy balancer://b@>\nBalancerMember http://m1:80/b@\n</Proxy>\n") + times(size, "<VirtualHost *:80>\nServerName h@\nProxyPass / balancer://b0/\n</VirtualHost>\n")
	}, "/x\nHost: h@"},
	{"mappings in sections", 100, func(size int) string {
		return times(size, "<Location /app@/>\nProxyPass http://m1:80/w@/\nProxyPassReverse http://m1:80/w@/\n</Location>\n")
	}, "/app@/x"},
	{"balancers with sections", 100, func(size int) string {
		return times(size, "<Proxy balancer://b@>\nBalancerMember http://m1:80/b@\nProxySet stickysession=S\n</Proxy>\nProxyPass /app@/ balancer://b@/\n")
	}, "/app@/x"},
}

// times repeats a text with the numbers from 0 in the place of @.
func times(n int, text string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.ReplaceAll(text, "@", fmt.Sprint(i)))
	}
	return b.String()
}

// begin loads a configuration as a start does.
func begin(t *testing.T, conf string) *sitetest.Rig {
	return sitetest.New(t, everything, "ErrorLog /dev/null\n"+conf, modulesOver(t, true)...)
}

// TestLoadsAreLinear: a configuration ten times as large takes ten times as long to load, and holds ten times the
// memory.
func TestLoadsAreLinear(t *testing.T) {
	for _, f := range farms {
		t.Run(f.name, func(t *testing.T) {
			cost := func(size int) (allocated, kept uint64) {
				conf := f.conf(size)
				allocated = linear.Allocated(func() { begin(t, conf) })
				return allocated, linear.Kept(func() *sitetest.Rig { return begin(t, conf) })
			}
			begin(t, f.conf(10)) // what is made once is there then
			a1, k1 := cost(f.size)
			a10, k10 := cost(10 * f.size)
			linear.Tenfold(t, "bytes allocated", a1, a10)
			linear.Tenfold(t, "bytes kept", k1, k10)
			linear.CheckWithin(t, 120, f.size, f.conf, func(conf string) { begin(t, conf) }) // 16 times the size; a square is 256 times the time
			t.Logf("%d KiB kept a piece", k10/1024/uint64(10*f.size))
		})
	}
}

// TestTheLastIsFoundLikeTheFirst: a request costs as much with ten times as many hosts, sections and balancers.
func TestTheLastIsFoundLikeTheFirst(t *testing.T) {
	for _, f := range farms {
		t.Run(f.name, func(t *testing.T) {
			cost := func(size int) time.Duration {
				r := begin(t, f.conf(size))
				text := "GET " + strings.ReplaceAll(f.path, "@", fmt.Sprint(size-1))
				text = strings.Replace(text, "\n", " HTTP/1.1\n", 1)
				if !strings.Contains(text, "HTTP") {
					text += " HTTP/1.1\n"
				}
				one := func() {
					x := r.Get(text)
					if x.Res.Status != 200 {
						t.Fatal(text, x.Res.Status)
					}
					r.Site.Done(context.Background(), x)
				}
				return linear.Best(func() {
					for range 300 {
						one()
					}
				})
			}
			if few, many := cost(f.size), cost(10*f.size); many > 4*few {
				t.Errorf("300 requests take %v, among ten times as many %v", few, many)
			}
		})
	}
}

// TestCombinationsAreBounded: which of 20 sections hold is the client's choice. What is kept of the combinations
// does not grow with the lines of the configuration, and stays within its bound.
func TestCombinationsAreBounded(t *testing.T) {
	const combinations = 800
	sections := times(20, "<LocationMatch \"a@-\">\nHeader set X-@ 1\nSetEnv e@ 1\n</LocationMatch>\n")
	kept := func(lines int) uint64 {
		r := begin(t, sections+times(lines, "ProxyPass /app@/ http://m1:80/\nHeader set X-M @\n")+"ProxyPass / http://m1:80/\n")
		w := rand.New(rand.NewPCG(11, 12))
		return linear.Kept(func() *sitetest.Rig {
			for range combinations {
				path := ""
				for i := range 20 {
					if w.IntN(2) == 0 {
						path += fmt.Sprintf("a%d-", i)
					}
				}
				x := r.Get("GET /" + path + " HTTP/1.1\n")
				r.Site.Done(context.Background(), x)
			}
			return r
		})
	}
	for _, lines := range []int{10, 1000} {
		if k := kept(lines); k > 24<<20 {
			t.Errorf("%d combinations beside %d lines keep %d KiB", combinations, lines, k>>10)
		}
	}
}

// TestAReloadKeepsNothingOfBefore: what a configuration has taken is free when the next one is in force and it is
// closed.
func TestAReloadKeepsNothingOfBefore(t *testing.T) {
	conf := farms[0].conf(500)
	mods := modulesOver(t, true)
	load := func(before *sitetest.Rig) *sitetest.Rig {
		r := sitetest.New(t, everything, "ErrorLog /dev/null\n"+conf, mods...)
		if before != nil {
			before.Site.Close()
		}
		return r
	}
	load(nil)
	var last *sitetest.Rig
	once := linear.Kept(func() *sitetest.Rig { last = load(nil); return last })
	more := linear.Kept(func() *sitetest.Rig {
		for range 5 {
			last = load(last)
		}
		return last
	})
	if more > once/4 {
		t.Errorf("a load keeps %d KiB, and five more add %d", once>>10, more>>10)
	}
}

// loadDecoded puts a configuration in force as the serving process does: its tree comes from another process.
func loadDecoded(t *testing.T, mods []site.Module, conf string) *site.Site {
	t.Helper()
	head := ""
	for _, m := range strings.Fields(everything) {
		head += "LoadModule " + m + "_module x\n"
	}
	read, err := apacheconf.ParseText("test.conf", "ServerName localhost\nListen 127.0.0.1:80\nErrorLog /dev/null\n"+head+conf, apacheconf.Options{ServerRoot: "/", Modules: directive.Catalog{}})
	if err != nil {
		t.Fatal(err)
	}
	text, _ := read.AppendBinary(nil)
	tree, err := apacheconf.DecodeTree(text)
	if err != nil {
		t.Fatal(err)
	}
	c, err := directive.Bind(tree, directive.Options{}, site.Tables(mods)...)
	if err != nil {
		t.Fatal(err)
	}
	s, err := site.Build(c, mods, site.Options{})
	if err != nil {
		t.Fatal(err)
	}
	tree.Nodes = nil
	s.Commit()
	return s
}

// TestAReloadKeepsNothingOfTheText: balancers and workers outlive the configuration that named them first, and hold
// nothing of its text.
func TestAReloadKeepsNothingOfTheText(t *testing.T) {
	workers := "ProxyPass /plain/ http://m1:80/w/\nProxyPass /unix/ unix:/run/m.sock|http://m2/\n<Proxy balancer://b>\nBalancerMember http://m3:80/m route=r redirect=q\nProxySet stickysession=S\n</Proxy>\nProxyPass / balancer://b/\n"
	long := workers + times(2000, "SetEnv v@ "+strings.Repeat("x", 1000)+"\n")
	mods := testModules(t)
	var last *site.Site
	kept := linear.Kept(func() *site.Site {
		first := loadDecoded(t, mods, long)
		last = loadDecoded(t, mods, workers)
		first.Close()
		return last
	})
	last.Close()
	runtime.KeepAlive(long)
	if kept > 1<<20 {
		t.Errorf("%d KiB are kept of a configuration that was replaced", kept>>10)
	}
}

// TestUsualHostsTakeLittle: what a usual virtual host takes of the heap, with what lies waste between, at the start and
// after reloads, each of which fills the holes that the one before has left.
func TestUsualHostsTakeLittle(t *testing.T) {
	const hosts = 1000
	conf := times(hosts, "<VirtualHost *:80>\nServerName h@\nServerAlias www.h@\nDocumentRoot /srv\n<Directory /srv/h@>\nRequire all granted\n</Directory>\n<Location /admin>\nRequire ip 10.0.0.0/8\n</Location>\n"+
		"Header always set X-Frame-Options DENY\nProxyPass /static !\nProxyPass / http://m1:80/@/\nProxyPassReverse / http://m1:80/@/\n</VirtualHost>\n")
	mods := modulesOver(t, true)
	inUse := func() uint64 {
		debug.FreeOSMemory()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapInuse
	}
	before := inUse()
	last := loadDecoded(t, mods, conf)
	first := inUse()
	for range 4 {
		next := loadDecoded(t, mods, conf)
		last.Close()
		last = next
	}
	later := inUse()
	runtime.KeepAlive(last)
	t.Logf("a host takes %d bytes, after reloads %d", (first-before)/hosts, (later-before)/hosts)
	if first-before > hosts*18<<10 || later-before > hosts*25<<10 { // 10,000 of them stay below 250 MiB
		t.Errorf("a host takes %d bytes, after reloads %d", (first-before)/hosts, (later-before)/hosts)
	}
	last.Close()
}
