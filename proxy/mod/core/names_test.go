package core

import "testing"

// What getaddrinfo takes for an address in figures (recorded from httpd -S; all forms of IPv4: package hostname).
func TestLiteral(t *testing.T) {
	for host, want := range map[string]string{"127.0.0.1": "127.0.0.1", "127.1": "127.0.0.1", "[::1]": "::1", "::1": "::1", "1.2.3.4.5": "", "a.b": "", "": ""} {
		got, ok := literal(host)
		if ok != (want != "") || ok && got.String() != want {
			t.Errorf("%q is %v, %v; want %q", host, got, ok, want)
		}
	}
}
