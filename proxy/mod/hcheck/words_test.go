package hcheck_test

import (
	"os"
	"strings"
	"testing"

	"balancerd/apacheconf/directive"
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

// A folder has no checks of its own: its .htaccess file may neither define conditions nor templates, and changes nothing.
func TestAccessFileDefinesNothing(t *testing.T) {
	farm := balancer.NewFarm(method.Builtin(nil), nil)
	table := backend.Table{}
	c, err := proxytest.Bind("ProxyHCExpr known {true}\n", core.Module(), proxy.Module(farm, table), hcheck.Module(farm, table, proxy.CallsOf(nil)))
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"ProxyHCExpr a {true}": "ProxyHCExpr", "ProxyHCExpr": "ProxyHCExpr", "ProxyHCTemplate a hcmethod=TCP": "ProxyHCTemplate", "<Files x>\nProxyHCTemplate a b\n</Files>": "ProxyHCTemplate",
	} {
		_, err := c.ReadAccess("/d/.htaccess", text+"\n", "/d", directive.Override{Classes: directive.ClassAll})
		if want += " cannot occur within htaccess files"; err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	if e := hcheck.Env(c.Main); len(e.Exprs) != 1 || len(e.Templates) != 0 {
		t.Errorf("the server has %v and %v", e.Exprs, e.Templates)
	}
}
