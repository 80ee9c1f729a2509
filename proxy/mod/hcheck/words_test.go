package hcheck_test

import (
	"os"
	"strings"
	"testing"

	"balancerd/balancer"
	"balancerd/balancer/method"
	"balancerd/proxy/backend"
	"balancerd/proxy/mod/core"
	"balancerd/proxy/mod/hcheck"
	"balancerd/proxy/mod/proxy"
	"balancerd/proxy/mod/proxy/proxytest"
	"balancerd/proxy/site"
	"balancerd/proxy/site/sitetest"
)

// What httpd -t 2.4.71 says of a hundred configurations was recorded: testdata/words.txt has each of them, and after "=> " the
// message, if it is refused.
func TestRecordedWords(t *testing.T) {
	text, err := os.ReadFile("testdata/words.txt")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for block := range strings.SplitSeq(string(text), "\n\n") {
		conf, want, _ := strings.Cut(block, "\n=> ")
		farm := balancer.NewFarm(method.Builtin(nil), nil)
		table := backend.Table{}
		mods := []site.Module{core.Module(), proxy.Module(farm, table), hcheck.Module(farm, table, proxy.CallsOf(nil))}
		if got := sitetest.Refused(proxytest.Preload, conf+"\n", mods...); got != strings.TrimRight(want, "\n") {
			t.Errorf("%s\n got %s\nwant %s", conf, got, want)
		}
		n++
	}
	if n < 100 {
		t.Errorf("only %d configurations were read", n)
	}
}
