package proxy

import (
	"context"
	"net/netip"
	"strings"
	"testing"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/mod/core"
	"balancerd/proxy/site"
	"balancerd/proxy/site/sitetest"
	"balancerd/proxy/upstream"
)

// remotesOf is what lines say of other proxies on the way.
func remotesOf(t *testing.T, conf string) *serverSettings {
	t.Helper()
	c, err := sitetest.Bind("proxy", conf, core.Module(), site.Module{Name: "proxy", Table: Module(nil, nil).Table})
	if err != nil {
		t.Fatal(err)
	}
	s := servers.Merged(c.Main)
	return &s
}

func TestRemoteWords(t *testing.T) {
	for conf, want := range map[string]string{
		"ProxyRemote * http://p:8080":       "",
		"ProxyRemote * p:8080":              "ProxyRemote: Bad syntax for a remote proxy server",
		"ProxyRemote * http://":             "ProxyRemote: Bad syntax for a remote proxy server",
		"ProxyRemote * http://p:x":          "ProxyRemote: Bad syntax for a remote proxy server (bad port number)",
		"ProxyRemote * http://p:":           "ProxyRemote: Bad syntax for a remote proxy server (bad port number)",
		"ProxyRemote * http://u:w@p:80":     "ProxyRemote: Bad syntax for a remote proxy server (bad port number)",
		"ProxyRemote * http://p:99999":      "ProxyRemote: Bad syntax for a remote proxy server (bad port number)",
		"ProxyRemoteMatch ( http://p":       "Regular expression for ProxyRemoteMatch could not be compiled.",
		"ProxyRemoteMatch x p":              "ProxyRemoteMatch: Bad syntax for a remote proxy server",
		"ProxyRemote * https://p":           "ProxyRemote: a remote proxy is spoken to in clear text; https:// would promise more",
		"ProxyDomain example.com":           "ProxyDomain: domain name must start with a dot.",
		"NoProxy":                           "NoProxy requires at least one argument, A list of domains, hosts, or subnets to which the proxy will connect directly",
		"ProxyRemote * http://[::1]:8080 u": "",
	} {
		if got := sitetest.Refused("proxy", conf+"\n", core.Module(), site.Module{Name: "proxy", Table: Module(nil, nil).Table}); got != want {
			t.Errorf("%s:\n got %s\nwant %s", conf, got, want)
		}
	}
}

func TestWhoGoesByARemote(t *testing.T) {
	ways := remotesOf(t, "ProxyRemote http://10.0.0.1/far http://far:1\nProxyRemoteMatch \\.gif$ http://gif:2\nProxyRemote HTTPS http://tls:3 u:p\nProxyRemote ftp http://ftp:4\nNoProxy 192.168 .direct.test intra 10.9.8.7\n").ways()
	for _, c := range []struct{ scheme, url, want string }{
		{"http", "http://10.0.0.1/far/x", "far:1"},
		{"http", "HTTP://10.0.0.1/FAR", "far:1"},
		{"http", "http://10.0.0.1/near", ""},
		{"balancer", "http://10.0.0.1/far/x", "far:1"},
		{"http", "http://x/a.gif", "gif:2"},
		{"https", "https://x/", "tls:3"},
		{"balancer", "https://x/", ""},
	} {
		got := ""
		if r := ways.Find(&exchange.Exchange{}, c.scheme, c.url); r != nil {
			got = r.Authority()
		}
		if got != c.want {
			t.Errorf("%s %s: %q, want %q", c.scheme, c.url, got, c.want)
		}
	}
	for host, want := range map[string]bool{"192.168.3.4": true, "192.169.0.1": false, "a.direct.test": true, "direct.test": false, "my-intranet": true, "10.9.8.7": true, "10.9.8.8": false, "far.test.": false} {
		if got := ways.GoesDirect(host, func() []netip.Addr { return upstream.AddressesOf(context.Background(), host) }); got != want {
			t.Errorf("%s: %v", host, got)
		}
	}
	named := remotesOf(t, "ProxyRemote * http://far:1\nNoProxy LOCALHOST\n").ways()
	for host, want := range map[string]bool{"localhost": true, "LocalHost.": true, "127.0.0.1": false, "my.localhost": false, "localhost.test": false} { // httpd 2.4.71: a host that there is, is that host
		if got := named.GoesDirect(host, func() []netip.Addr { return nil }); got != want {
			t.Errorf("%s: %v", host, got)
		}
	}
	dots := remotesOf(t, "ProxyRemote * http://far:1\nNoProxy .direct.test.\n").ways()
	for host, want := range map[string]bool{"a.direct.test": true, "a.DIRECT.test.": true, "direct.test": false, ".": false} {
		if got := dots.GoesDirect(host, nil); got != want {
			t.Errorf("%s: %v", host, got)
		}
	}
	for _, word := range []string{".", ".."} { // httpd 2.4.71: every host is below nothing
		if all := remotesOf(t, "ProxyRemote * http://far:1\nNoProxy "+word+"\n").ways(); !all.GoesDirect("localhost", nil) || all.GoesDirect(".", nil) {
			t.Error(word)
		}
	}
	if a := ways.List[2].Remote.Authorization; a != "Basic dTpw" {
		t.Error(a)
	}
	if remotesOf(t, "NoProxy *\n").ways() != nil {
		t.Error("without a remote there is nothing to look at")
	}
}

// What httpd warns of, and makes of, addresses without a net.
func TestAddressWords(t *testing.T) {
	for word, want := range map[string]string{
		"10.1": "10.1.0.0/16", "10.1.": "10.1.0.0/16", "10.1.2.3": "10.1.2.3/32", "10.0.0.0": "10.0.0.0/8", "10.1.2.3/8": "10.0.0.0/8", "0.0.0.0": "", "256.1": "", "10.1/33": "", "10.1.2.3.4": "", "10.1.2.3.": "", "10.1.2.": "10.1.2.0/24", "10./8": "10.0.0.0/8", "a.b": "", "": "", "0x0a.1": "10.1.0.0/16",
	} {
		c := &directive.Config{}
		s := &directive.Scope{Config: c}
		got := ""
		if net, ok := addressWord(s, directive.Args{}, word); ok {
			got = net.String()
		}
		if got != want {
			t.Errorf("%s: %q, want %q", word, got, want)
		}
		var text strings.Builder
		for _, w := range c.Warnings {
			text.WriteString(w.Msg + "\n")
		}
		if word == "10.1.2.3/8" && text.String() != "AH00901: Warning: NetMask and IP-Addr disagree in 10.1.2.3/8\nAH00902:          Set to 10.0.0.0/8\n" {
			t.Error(text.String())
		}
	}
}
