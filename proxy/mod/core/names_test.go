package core

import "testing"

// What getaddrinfo takes for an address in figures (recorded from httpd -S).
func TestLiteral(t *testing.T) {
	for host, want := range map[string]string{
		"127.0.0.1": "127.0.0.1", "127.1": "127.0.0.1", "0x7f.1": "127.0.0.1", "2130706433": "127.0.0.1", "010.0.0.1": "8.0.0.1", "1.2.3": "1.2.0.3",
		"[::1]": "::1", "127.0.0.1.": "", "1.2.3.4.5": "", "256.1": "", "1.2.3.256": "", "0b1": "", "0o1": "", "1_0": "", "bad": "", "a.b": "", "": "", "-1": "",
	} {
		got, ok := literal(host)
		if ok != (want != "") || ok && got.String() != want {
			t.Errorf("%q is %v, %v; want %q", host, got, ok, want)
		}
	}
}
