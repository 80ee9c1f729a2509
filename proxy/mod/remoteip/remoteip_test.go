package remoteip

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"balancerd/proxy/mod/core"
	"balancerd/proxy/site"
	"balancerd/proxy/site/sitetest"
)

func modules() []site.Module { return []site.Module{core.Module(), sitetest.Member(), Module()} }

func rig(t testing.TB, conf string) *sitetest.Rig {
	t.Helper()
	return sitetest.New(t, "remoteip", conf, modules()...)
}

const lists = "RemoteIPHeader X-C\nRemoteIPProxiesHeader X-By\n" +
	"RemoteIPInternalProxy 127.0.0.0/8 1.2 10. ::1 2001:db8::/33 9.9.0.0/255.255.0.0 8.0.8.0/255.0.255.0 7.7.7.7\nRemoteIPTrustedProxy 20.0.0.0/8 10.5.0.0/16\n"

// Who the client is, what is left of the field, and whom it passed: as httpd 2.4.71 has it.
func TestJourneys(t *testing.T) {
	for _, c := range []struct{ conf, field, want string }{
		{lists, "4.4.4.4", "4.4.4.4||"},
		{lists, "4.4.4.4, 1.2.3.4", "4.4.4.4||"},
		{lists, "4.4.4.4, 1.3.3.4", "1.3.3.4|4.4.4.4|"},
		{lists, "4.4.4.4,10.5.6.7", "4.4.4.4||"},
		{lists, "4.4.4.4, 2001:db8:7fff::1", "4.4.4.4||"},
		{lists, "4.4.4.4, 2001:db8:8000::1", "2001:db8:8000::1|4.4.4.4|"},
		{lists, "4.4.4.4, 8.1.8.1", "4.4.4.4||"},
		{lists, "4.4.4.4, 8.1.7.1", "8.1.7.1|4.4.4.4|"},
		{lists, "4.4.4.4, ::ffff:7.7.7.7", "4.4.4.4||"},
		{lists, "4.4.4.4, 20.1.1.1", "4.4.4.4||20.1.1.1"},
		{lists, "10.0.0.1, 20.1.1.1", "20.1.1.1|10.0.0.1|"},
		{lists, "4.4.4.4, 20.1.1.1, 20.1.1.2, 20.1.1.3", "4.4.4.4||20.1.1.3, 20.1.1.2, 20.1.1.1"},
		{lists, "fc00::1, 20.1.1.1", "20.1.1.1|fc00::1|"},
		{lists, "3fff::1, 20.1.1.1", "3fff::1||20.1.1.1"},
		{lists, "x, 1.2.3.4", "1.2.3.4|x|"},
		{lists, "4.4.4.4, x , 1.2.3.4", "1.2.3.4|4.4.4.4, x|"},
		{lists, "4.4.4.4,, 1.2.3.4", "1.2.3.4|4.4.4.4,|"},
		{lists, ",4.4.4.4", "4.4.4.4||"},
		{lists, "4.4.4.4,", "127.0.0.1|4.4.4.4,|"},
		{lists, "", "127.0.0.1||"},
		{lists, "2001:DB8:8000:0::A", "2001:db8:8000::a||"},
		{lists, "fe80::1%lo", "127.0.0.1|fe80::1%lo|"},
		{lists, "4.4.4", "127.0.0.1|4.4.4|"},
		{lists, "04.4.4.4", "127.0.0.1|04.4.4.4|"},
		{lists, "4.4.4.4:80", "127.0.0.1|4.4.4.4:80|"},
		{"RemoteIPHeader X-C", "9.9.9.9", "9.9.9.9||127.0.0.1"},
		{"RemoteIPHeader X-C", "9.9.9.9, 8.8.8.8", "9.9.9.9||127.0.0.1, 8.8.8.8"},
		{"RemoteIPHeader X-C", "9.9.9.9, 10.1.1.1", "127.0.0.1|9.9.9.9, 10.1.1.1|"},
		{"RemoteIPHeader X-C", "172.32.0.1", "172.32.0.1||127.0.0.1"},
		{"RemoteIPHeader X-C", "172.31.0.1", "127.0.0.1|172.31.0.1|"},
		{"RemoteIPHeader X-C", "100.64.0.1", "100.64.0.1||127.0.0.1"},
		{"RemoteIPHeader X-C", "169.254.9.9", "127.0.0.1|169.254.9.9|"},
		{"", "9.9.9.9", "127.0.0.1|9.9.9.9|"},
		{"RemoteIPHeader X-C\nRemoteIPInternalProxy 10.0.0.0/8", "9.9.9.9", "127.0.0.1|9.9.9.9|"},
	} {
		x := rig(t, c.conf+"\n").Get("GET /proxied HTTP/1.1\nX-C: " + c.field + "\n")
		if got := x.ClientIP + "|" + x.Req.Header.Get("X-C") + "|" + x.Notes.Value(note); got != c.want {
			t.Errorf("%s %q: %s, want %s", c.conf, c.field, got, c.want)
		}
		if x.Conn.RemoteIP != "127.0.0.1" {
			t.Error("the connection's peer has changed")
		}
		if moved := x.ClientIP != "127.0.0.1"; moved != (x.ClientPort() == 0) || moved && x.Conn.LastClient() != x.ClientIP {
			t.Errorf("%q: port %d, shown %s", c.field, x.ClientPort(), x.Conn.LastClient())
		}
		if strings.HasPrefix(c.conf, lists) && x.Req.Header.Get("X-By") != x.Notes.Value(note) {
			t.Errorf("%q: X-By %s", c.field, x.Req.Header.Get("X-By"))
		}
	}
}

// A virtual host's header goes before the server's, and its proxies are looked at first.
func TestServersMerge(t *testing.T) {
	file := t.TempDir() + "/proxies"
	os.WriteFile(file, []byte("# ours\n10.0.0.0/8 30.0.0.1 # and others\n\n127.0.0.1\n"), 0o600)
	r := rig(t, "RemoteIPHeader X-C\nRemoteIPInternalProxyList "+file+"\n<VirtualHost *:80>\nServerName a\n</VirtualHost>\n"+
		"<VirtualHost *:80>\nServerName b\nRemoteIPHeader X-B\nRemoteIPTrustedProxy 30.0.0.1\n</VirtualHost>\n")
	for request, want := range map[string]string{
		"Host: a\nX-C: 10.1.1.1, 30.0.0.1": "10.1.1.1|",
		"Host: b\nX-C: 10.1.1.1, 30.0.0.1": "127.0.0.1|",
		"Host: b\nX-B: 9.9.9.9, 30.0.0.1":  "9.9.9.9|30.0.0.1",
		"Host: b\nX-B: 10.1.1.1, 30.0.0.1": "30.0.0.1|",
	} {
		x := r.Get("GET /proxied HTTP/1.1\n" + request + "\n")
		if got := x.ClientIP + "|" + x.Notes.Value(note); got != want {
			t.Errorf("%s: %s, want %s", request, got, want)
		}
	}
	var told []string
	for _, n := range r.Site.Notices() {
		told = append(told, n.Message)
	}
	if want := "[AH10633: RemoteIP proxy entries are configured in both the main server and the virtual host defined at test.conf:10, they are merged]"; fmt.Sprint(told) != want {
		t.Errorf("%v", told)
	}
}

// What httpd 2.4.71 made of an address that is in two lists: the one that is written first counts, in a file or not, a
// virtual host's before the server's.
func TestListsInOrder(t *testing.T) {
	file := t.TempDir() + "/proxies"
	os.WriteFile(file, []byte("127.0.0.1\n"), 0o600)
	const here = "RemoteIPInternalProxy 127.0.0.1\n"
	for conf, passed := range map[string]string{
		here + "RemoteIPTrustedProxyList " + file + "\n":                                          "",
		here + "RemoteIPTrustedProxy 127.0.0.1\n":                                                 "",
		"RemoteIPTrustedProxyList " + file + "\n" + here:                                          "127.0.0.1",
		"RemoteIPTrustedProxy 127.0.0.1\n" + here:                                                 "127.0.0.1",
		here + "<VirtualHost *:80>\nRemoteIPTrustedProxyList " + file + "\n</VirtualHost>\n":      "127.0.0.1",
		"RemoteIPTrustedProxyList " + file + "\n<VirtualHost *:80>\n" + here + "</VirtualHost>\n": "",
	} {
		x := rig(t, "RemoteIPHeader X-C\n"+conf).Get("GET /proxied HTTP/1.1\nHost: a\nX-C: 8.8.8.8\n")
		if got := x.Notes.Value(note); got != passed || x.ClientIP != "8.8.8.8" {
			t.Errorf("%s: %q of %s, want %q", conf, got, x.ClientIP, passed)
		}
	}
}

// Wrong words, and what httpd 2.4.71 says of them.
func TestWrongWords(t *testing.T) {
	ip, mask := "(The specified IP address is invalid. error)", "(The specified network mask is invalid. error)"
	for word, want := range map[string]string{
		"10.0.0.0/8": "", "10.": "", "10.2.": "", "1.2": "", "1.2.3.4/255.0.255.0": "", "::1/128": "", "fe80::/10": "", "010.1.1.1": "", "127.1": "",
		"10.0.0.0/33": mask, "10.0.0.0/0": mask, "10.0.0.0/x": mask, "10.0.0.0/": mask, "::1/129": mask, "::1/8.8.8.8": mask, "1.2.3.4/8/9": mask,
		"256.1.1.1": ip, "1..2": ip, ".": ip, "1.2.3.4.5": ip, "1.2/16": ip, "::ffff:1.2.3.4": ip, "::ffff:1.2.3.4/96": ip, "fe80::1%lo": ip, "1.2.3.4:80": ip, "[::1]": ip, "300": ip,
		"/8": "(Invalid argument error)",
	} {
		if want != "" {
			want = "RemoteIP: Error parsing IP " + word + " " + want + " for RemoteIPInternalProxy"
		}
		if got := sitetest.Refused("remoteip", "RemoteIPInternalProxy "+word+"\n", modules()...); got != want {
			t.Errorf("%s: %q, want %q", word, got, want)
		}
	}
	file := t.TempDir() + "/proxies"
	os.WriteFile(file, []byte("10.0.0.0/8\n1.1.1.1 1.1.1.1/99\n"), 0o600)
	for conf, want := range map[string]string{
		"RemoteIPTrustedProxy host.example/8":          "RemoteIP: Error parsing IP host.example/8 the subnet /8 is invalid for RemoteIPTrustedProxy",
		"RemoteIPTrustedProxyList /no/such":            "RemoteIPTrustedProxyList: Could not open file /no/such: No such file or directory",
		"RemoteIPInternalProxyList " + file:            "RemoteIP: Error parsing IP 1.1.1.1/99 " + mask + " for RemoteIPInternalProxyList at line 2 of " + file,
		"RemoteIPHeader":                               "RemoteIPHeader takes one argument, Specifies a request header to trust as the client IP, e.g. X-Forwarded-For",
		"<Location /x>\nRemoteIPHeader X\n</Location>": "RemoteIPHeader not allowed in <Location> context",
	} {
		if got := sitetest.Refused("remoteip", conf+"\n", modules()...); got != want {
			t.Errorf("%s: %q, want %q", conf, got, want)
		}
	}
}

// The next request of a connection begins with the peer again, and costs nothing where no client is named.
func TestNextRequest(t *testing.T) {
	r := rig(t, lists)
	x := r.Get("GET /proxied HTTP/1.1\nX-C: 4.4.4.4\n")
	x.Conn.NextClient()
	x.Reset()
	if x.ClientPort() != x.Conn.Remote.Port() || x.Conn.LastClient() != "127.0.0.1" {
		t.Error(x.ClientPort(), x.Conn.LastClient())
	}
	w := walker{header: "X-C"}
	y := sitetest.Request("GET / HTTP/1.1\nX-Other: a\n")
	if n := testing.AllocsPerRun(100, func() { w.step(t.Context(), y) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzJourney: whatever a field holds, the client is an address, or the peer as before; an untrusted client's word
// counts for nothing; what is left is a beginning of the field.
func FuzzJourney(f *testing.F) {
	for _, s := range []string{"4.4.4.4", "4.4.4.4, 20.1.1.1", "10.0.0.1, 20.1.1.1", ",,", " , ", "::1,::ffff:1.2.3.4", "x, 1.2.3.4", "2001:DB8::1"} {
		f.Add(s)
	}
	r := rig(f, lists)
	f.Fuzz(func(t *testing.T, field string) {
		if strings.ContainsAny(field, "\r\n") {
			return
		}
		x := r.Get("GET /proxied HTTP/1.1\nX-C: " + field + "\n")
		field = strings.TrimSpace(field)
		a := clientOf(x)
		if x.ClientIP != a.String() {
			t.Fatalf("%q: %q is no address as it is printed", field, x.ClientIP)
		}
		if rest := x.Req.Header.Get("X-C"); !strings.HasPrefix(field, rest) && strings.TrimSpace(rest) != strings.TrimSpace(field) {
			t.Fatalf("%q: %q is left", field, rest)
		}
		if x.ClientIP != "127.0.0.1" && !strings.Contains(field, ",") && x.Notes.Value(note) != "" {
			t.Fatalf("%q: passed %q", field, x.Notes.Value(note))
		}
		far := sitetest.Request("GET /proxied HTTP/1.1\nFrom: 66.6.6.6\nX-C: " + field + "\n")
		r.Site.Serve(t.Context(), far)
		if far.ClientIP != "66.6.6.6" {
			t.Fatalf("%q: a stranger is believed to be %q", field, far.ClientIP)
		}
	})
}
