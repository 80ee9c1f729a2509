package wire

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

// version2 is a header with a command, a family and what follows.
func version2(command, family byte, rest string) string {
	return proxySignature + string([]byte{command, family, byte(len(rest) >> 8), byte(len(rest))}) + rest
}

const tcp4 = "\xc0\x00\x02\x07\xc6\x33\x64\x01\x10\xe1\x01\xbb"

// What is taken, and httpd 2.4.71's words for the rest; where we are stricter there is none of httpd's.
func TestProxyHeaders(t *testing.T) {
	tcp6 := "\x20\x01\x0d\xb8" + strings.Repeat("\x00", 11) + "\x06" + strings.Repeat("\x00", 16) + "\x10\xe1\x01\xbb"
	for head, want := range map[string]string{
		"PROXY TCP4 192.0.2.7 198.51.100.1 4321 443\r\n":                                               "192.0.2.7:4321 192.0.2.7",
		"PROXY TCP6 2001:db8::5 2001:db8::1 4321 443\r\n":                                              "[2001:db8::5]:4321 2001:db8::5",
		"PROXY TCP6 2001:DB8::21f:5bff:febf:ce22:8a2e 2001:DB8::12f:8baa:eafc:ce29:6b2e 3333 4444\r\n": "[2001:db8:0:21f:5bff:febf:ce22:8a2e]:3333 2001:DB8::21f:5bff:febf:ce22:8a2e",
		"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n":                                   "255.255.255.255:65535 255.255.255.255",
		"PROXY TCP6 ::ffff:192.0.2.7 ::ffff:192.0.2.1 4321 443\r\n":                                    "192.0.2.7:4321 ::ffff:192.0.2.7",
		"PROXY TCP6 ::ffff:c000:207 ::1 4321 443\r\n":                                                  "192.0.2.7:4321 ::ffff:c000:207",
		"PROXY TCP4 ::ffff:192.0.2.7 192.0.2.1 4321 443\r\n":                                           "error AH03500: RemoteIPProxyProtocol: invalid client-address '::ffff:192.0.2.7' found in header 'PROXY TCP4 ::ffff:192.0.2.7 192.0.2.1 4321 443'",
		"PROXY TCP6 192.0.2.7 192.0.2.1 4321 443\r\n":                                                  "error AH03502: RemoteIPProxyProtocol: error converting family '10', host '192.0.2.7', and port '4321' to sockaddr; header was 'PROXY TCP6 192.0.2.7 192.0.2.1 4321 443'",
		"PROXY UNKNOWN\r\n": "peer",
		"PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n":      "peer",
		version2(0x21, 0x11, tcp4):                                           "192.0.2.7:4321 192.0.2.7",
		version2(0x21, 0x11, tcp4+"\x03\x00\x04abcd\x04\x00\x01x"):           "192.0.2.7:4321 192.0.2.7",
		version2(0x21, 0x21, tcp6):                                           "[2001:db8::6]:4321 2001:db8::6",
		version2(0x20, 0x00, ""):                                             "peer",
		version2(0x20, 0x11, tcp4):                                           "peer",
		version2(0x21, 0x11, tcp4+strings.Repeat("x", 204)):                  "192.0.2.7:4321 192.0.2.7",
		"GET / HTTP/1.1\r\n":                                                 "error ",
		"proxy TCP4 1.2.3.4 5.6.7.8 1 2\r\n":                                 "error ",
		"PROXY TCP5 1.2.3.4 5.6.7.8 1 2\r\n":                                 "error AH03499: RemoteIPProxyProtocol: unknown family 'TCP5' in header 'PROXY TCP5 1.2.3.4 5.6.7.8 1 2'",
		"PROXY TCP4 www.example 5.6.7.8 1 2\r\n":                             "error AH03500: RemoteIPProxyProtocol: invalid client-address 'www.example' found in header 'PROXY TCP4 www.example 5.6.7.8 1 2'",
		"PROXY TCP4 1.2.3.999 5.6.7.8 1 2\r\n":                               "error AH03502: RemoteIPProxyProtocol: error converting family '2', host '1.2.3.999', and port '1' to sockaddr; header was 'PROXY TCP4 1.2.3.999 5.6.7.8 1 2'",
		"PROXY TCP6 :::: ::1 1 2\r\n":                                        "error AH03502: RemoteIPProxyProtocol: error converting family '10', host '::::', and port '1' to sockaddr; header was 'PROXY TCP6 :::: ::1 1 2'",
		"PROXY TCP4 1.2.3.4 5.6.7.8\r\n":                                     "error AH03497: RemoteIPProxyProtocol: no client-port found in header 'PROXY TCP4 1.2.3.4 5.6.7.8'",
		"PROXY TCP4 1.2.3.4\r\n":                                             "error AH03497: RemoteIPProxyProtocol: no destination-address found in header 'PROXY TCP4 1.2.3.4'",
		"PROXY TCP4 \r\n":                                                    "error AH03497: RemoteIPProxyProtocol: no client-address found in header 'PROXY TCP4 '",
		"PROXY \r\n       ":                                                  "error AH03497: RemoteIPProxyProtocol: no family found in header 'PROXY '",
		"PROXY TCP4 1.2.3.4 5.6.7.8 http 80\r\n":                             "error AH03501: RemoteIPProxyProtocol: error parsing port 'http' in header 'PROXY TCP4 1.2.3.4 5.6.7.8 http 80'",
		"PROXY TCP4 1.2.3.4 5.6.7.8 1 2" + strings.Repeat(" ", 100) + "\r\n": "error AH10185: RemoteIPProxyProtocol header too long, got 117 expected 93",
		"PROXY TCP4 1.2.3.4 5.6.7.8 65536 2\r\n":                             "error AH03501: RemoteIPProxyProtocol: error parsing port '65536' in header 'PROXY TCP4 1.2.3.4 5.6.7.8 65536 2'",
		"PROXY TCP4 1.2.3.4 5.6.7.8 1 2x\r\n":                                "error AH03501: RemoteIPProxyProtocol: error parsing port '2x' in header 'PROXY TCP4 1.2.3.4 5.6.7.8 1 2x'",
		"PROXY TCP4 1.2.3.4 here 1 2\r\n":                                    "error AH03502: RemoteIPProxyProtocol: error converting family '2', host 'here', and port '1' to sockaddr; header was 'PROXY TCP4 1.2.3.4 here 1 2'",
		"PROXY TCP4  1.2.3.4 5.6.7.8 1 2\r\n":                                "error AH03497: RemoteIPProxyProtocol: no client-address found in header 'PROXY TCP4  1.2.3.4 5.6.7.8 1 2'",
		"PROXY TCP4 1.2.3.4 5.6.7.8 1 2 3\r\n":                               "error RemoteIPProxyProtocol: more than a destination-port found in header 'PROXY TCP4 1.2.3.4 5.6.7.8 1 2 3'",
		"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n":                                   "error ",
		version2(0x11, 0x11, tcp4):                                           "error ",
		version2(0x2f, 0x11, tcp4):                                           "error AH03507: RemoteIPProxyProtocol: unsupported command 2f",
		version2(0x21, 0x12, tcp4):                                           "error AH10183: RemoteIPProxyProtocol: unsupported protocol 12",
		version2(0x21, 0x31, strings.Repeat("\x00", 216)):                    "error AH10183: RemoteIPProxyProtocol: unsupported protocol 31",
		version2(0x21, 0x00, ""):                                             "error AH10183: RemoteIPProxyProtocol: unsupported protocol 00",
		version2(0x21, 0x11, tcp4[:4]):                                       "error AH10597: RemoteIPProxyProtocol: address length 4 too short for TCPv4",
		version2(0x21, 0x21, tcp6[:35]):                                      "error AH10598: RemoteIPProxyProtocol: address length 35 too short for TCPv6",
		version2(0x21, 0x11, tcp4+strings.Repeat("x", 205)):                  "error AH10186: RemoteIPProxyProtocol protocol header length too long",
	} {
		h, n, err := ParseProxyHeader([]byte(head + "GET"))
		if got := told(h, err); got != want {
			t.Errorf("%q: %s, want %s", head, got, want)
		}
		if err == nil && n != len(head) {
			t.Errorf("%q: %d bytes", head, n)
		}
	}
}

func told(h ProxyHeader, err error) string {
	switch {
	case err != nil:
		return "error " + err.Error()
	case !h.Client.IsValid():
		return "peer"
	}
	return fmt.Sprint(h.Client, " ", h.IP)
}

// FuzzProxyHeader: a header that comes in pieces is the same; whoever reads as much as is wanted reads nothing behind
// it; it is found within its longest length; what is taken says who the client is as it was written.
func FuzzProxyHeader(f *testing.F) {
	for _, s := range []string{"PROXY TCP4 192.0.2.7 198.51.100.1 4321 443\r\nGET /", "PROXY UNKNOWN\r\n", "PROXY TCP6 ::1 ::2 1 2\r\n", "PROXY TCP4 1.2.3.4\r\r\n", version2(0x21, 0x11, tcp4), version2(0x20, 0, ""), "GET / HTTP/1.1\r\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h, n, err := ParseProxyHeader(b)
		if err == ErrIncomplete && len(b) > proxyFixed+proxyAddresses {
			t.Fatalf("%q is not enough", b)
		}
		for i := range b[:min(len(b), proxyFixed+proxyAddresses)] {
			early, _, e := ParseProxyHeader(b[:i])
			if e == ErrIncomplete && err == nil && i < n && i+ProxyHeaderWants(b[:i]) > n {
				t.Fatalf("%q: after %d bytes %d are wanted of %d", b, i, ProxyHeaderWants(b[:i]), n)
			}
			if e == ErrIncomplete && ProxyHeaderWants(b[:i]) < 1 {
				t.Fatalf("%q: after %d bytes none is wanted", b, i)
			}
			if err == nil && (e == nil) != (i >= n) || e == nil && early != h {
				t.Fatalf("%q: %d bytes of %d: %v %v", b, i, n, early, e)
			}
		}
		if err == nil && b[0] == 'P' && h.Client.IsValid() && !bytes.Contains(b[:n], []byte(" "+h.IP+" ")) {
			t.Fatalf("%q: %v", b, h)
		}
	})
}

// What is written, as HAProxy 2.6 does by send-proxy and send-proxy-v2 for the same addresses, but for the dots in the address
// of IPv4 among those of IPv6 (::ffff:192.0.2.7): the protocol's own text has hexadecimal digits and colons there.
func TestProxyHeadersWritten(t *testing.T) {
	for _, c := range []struct{ client, local, one, two string }{
		{"192.0.2.7:4321", "198.51.100.1:443", "TCP4 192.0.2.7 198.51.100.1 4321 443", "\x21\x11\x00\x0c" + tcp4},
		{"[::ffff:192.0.2.7]:4321", "198.51.100.1:443", "TCP4 192.0.2.7 198.51.100.1 4321 443", "\x21\x11\x00\x0c" + tcp4},
		{"[2001:db8::6]:4321", "[::]:443", "TCP6 2001:db8::6 :: 4321 443",
			"\x21\x21\x00\x24\x20\x01\x0d\xb8" + strings.Repeat("\x00", 11) + "\x06" + strings.Repeat("\x00", 16) + "\x10\xe1\x01\xbb"},
		{"[fe80::6%eth0]:1", "[fe80::1%eth0]:2", "TCP6 fe80::6 fe80::1 1 2",
			"\x21\x21\x00\x24\xfe\x80" + strings.Repeat("\x00", 13) + "\x06\xfe\x80" + strings.Repeat("\x00", 13) + "\x01\x00\x01\x00\x02"},
		{"192.0.2.7:0", "[::1]:80", "TCP6 ::ffff:c000:207 ::1 0 80",
			"\x21\x21\x00\x24" + strings.Repeat("\x00", 10) + "\xff\xff\xc0\x00\x02\x07" + strings.Repeat("\x00", 15) + "\x01\x00\x00\x00\x50"},
		{"", "198.51.100.1:443", "UNKNOWN", "\x20\x00\x00\x00"},
		{"192.0.2.7:4321", "", "UNKNOWN", "\x20\x00\x00\x00"},
	} {
		client, _ := netip.ParseAddrPort(c.client)
		local, _ := netip.ParseAddrPort(c.local)
		if got, want := string(AppendProxyHeader([]byte("x"), 1, client, local)), "xPROXY "+c.one+"\r\n"; got != want {
			t.Errorf("%q, want %q", got, want)
		}
		if got, want := string(AppendProxyHeader(nil, 2, client, local)), proxySignature+c.two; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	longest := netip.MustParseAddrPort("[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535")
	for version := range 2 {
		if n := len(AppendProxyHeader(nil, version+1, longest, longest)); n > LongestProxyHeader {
			t.Errorf("%d bytes in version %d", n, version+1)
		}
	}
}

// FuzzProxyHeaderWritten: what is written is read as it was meant.
func FuzzProxyHeaderWritten(f *testing.F) {
	f.Add([]byte{192, 0, 2, 7}, []byte{10, 0, 0, 1}, uint16(1), uint16(2))
	f.Add(make([]byte, 16), []byte{10, 0, 0, 1}, uint16(0), uint16(65535))
	f.Add([]byte{}, make([]byte, 16), uint16(1), uint16(2))
	f.Fuzz(func(t *testing.T, client, local []byte, from, to uint16) {
		a, _ := netip.AddrFromSlice(client)
		b, _ := netip.AddrFromSlice(local)
		p, q := netip.AddrPortFrom(a, from), netip.AddrPortFrom(b, to)
		want := "peer"
		if a.IsValid() && b.IsValid() {
			want = netip.AddrPortFrom(a.Unmap(), from).String()
		}
		for version := range 2 {
			text := AppendProxyHeader(nil, version+1, p, q)
			h, n, err := ParseProxyHeader(append(text, "GET"...))
			if err == nil && h.Client.IsValid() {
				h.Client = netip.AddrPortFrom(h.Client.Addr().Unmap(), h.Client.Port())
			}
			if got, _, _ := strings.Cut(told(h, err), " "); got != want || n != len(text) {
				t.Errorf("version %d of %v: %q is read as %s, %d bytes", version+1, p, text, got, n)
			}
		}
	})
}
