package remoteip

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"balancerd/proxy/exchange"
	"balancerd/proxy/site/sitetest"
)

// Where the PROXY protocol is spoken goes by addresses, the later of two virtual hosts on one counts: as httpd 2.4.71
// has it, with its words.
func TestWhereTheProtocolIsSpoken(t *testing.T) {
	host := func(address, name, word string) string {
		return "<VirtualHost " + address + ">\nServerName " + name + "\nRemoteIPProxyProtocol " + word + "\n</VirtualHost>\n"
	}
	for _, c := range []struct{ conf, want, told string }{
		{"", "", ""},
		{"RemoteIPProxyProtocol On\n", "127.0.0.1:80 127.0.0.1:81 [::1]:80", "AH03492: RemoteIPProxyProtocol: enabled on 0.0.0.0:0"},
		{"RemoteIPProxyProtocol Off\n", "", "AH03494: RemoteIPProxyProtocol: disabled on 0.0.0.0:0"},
		{host("*:80", "a", "On"), "127.0.0.1:80 [::1]:80", "AH03492: RemoteIPProxyProtocol: enabled on 0.0.0.0:80"},
		{host("127.0.0.1:81", "a", "On"), "127.0.0.1:81", "AH03492: RemoteIPProxyProtocol: enabled on 127.0.0.1:81"},
		{"RemoteIPProxyProtocol On\n" + host("*:80", "a", "Off"), "127.0.0.1:81",
			"AH03492: RemoteIPProxyProtocol: enabled on 0.0.0.0:0\nAH03494: RemoteIPProxyProtocol: disabled on 0.0.0.0:80"},
		{host("*:80", "a", "Off") + host("*:80", "b", "On"), "127.0.0.1:80 [::1]:80",
			"AH03491: RemoteIPProxyProtocol: previous setting for 0.0.0.0:80 from virtual host {a:80 in test.conf} is being overridden by virtual host {b:80 in test.conf}; new setting is 'On'\n" +
				"AH03492: RemoteIPProxyProtocol: enabled on 0.0.0.0:80"},
		{"RemoteIPProxyProtocol On\nRemoteIPProxyProtocolExceptions 10.0.0.0/8 66.6.6.6\n", "", "AH03492: RemoteIPProxyProtocol: enabled on 0.0.0.0:0"},
	} {
		r := rig(t, c.conf)
		var spoken, told []string
		for _, local := range []string{"127.0.0.1:80", "127.0.0.1:81", "[::1]:80"} {
			if f := r.Site.ProxyProtocol; f != nil && f(netip.MustParseAddrPort(local), netip.MustParseAddrPort("66.6.6.6:1")) {
				spoken = append(spoken, local)
			}
		}
		for _, n := range r.Site.Notices() {
			told = append(told, n.Message)
		}
		if got := strings.Join(spoken, " "); got != c.want {
			t.Errorf("%s\n%s, want %s", c.conf, got, c.want)
		}
		if got := strings.Join(told, "\n"); got != c.told {
			t.Errorf("%s\n%s\nwant %s", c.conf, got, c.told)
		}
	}
}

func TestWrongExceptions(t *testing.T) {
	for words, want := range map[string]string{
		"":                 "RemoteIPProxyProtocolExceptions requires an argument",
		" ''":              "RemoteIPProxyProtocolExceptions requires an argument",
		" foo":             "ip address 'foo' appears to be invalid",
		" 10.0.0.0/99":     "ip address '10.0.0.0' appears to be invalid: The specified network mask is invalid.",
		" 10.0.0.0/8 1.2.": "",
		" 300.1.1.1":       "ip address '300.1.1.1' appears to be invalid: The specified IP address is invalid.",
	} {
		if got := sitetest.Refused("remoteip", "RemoteIPProxyProtocolExceptions"+words+"\n", modules()...); got != want {
			t.Errorf("%q: %q, want %q", words, got, want)
		}
	}
}

// What the connection's header says goes before the request's field, which is not read.
func TestAnnouncedClient(t *testing.T) {
	r := rig(t, "RemoteIPProxyProtocol On\nRemoteIPHeader X-C\n")
	x := sitetest.Request("GET /proxied HTTP/1.1\nX-C: 9.9.9.9\n")
	x.Conn.Announced = &exchange.Announced{IP: "192.0.2.7", Port: 4321}
	r.Site.Serve(t.Context(), x)
	if got := fmt.Sprint(x.ClientIP, " ", x.ClientPort(), " ", x.Req.Header.Get("X-C")); got != "192.0.2.7 4321 9.9.9.9" {
		t.Error(got)
	}
	y := sitetest.Request("GET /proxied HTTP/1.1\nX-C: 9.9.9.9\n") // of an exception
	r.Site.Serve(t.Context(), y)
	if y.ClientIP != "9.9.9.9" {
		t.Error(y.ClientIP)
	}
}
