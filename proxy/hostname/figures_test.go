package hostname

import "testing"

// What glibc's getaddrinfo makes of hosts that are numbers (recorded from httpd -S as well).
func TestInFigures(t *testing.T) {
	for host, want := range map[string]string{
		"127.1": "127.0.0.1", "0x7f.1": "127.0.0.1", "2130706433": "127.0.0.1", "127.0.0.01": "127.0.0.1", "0177.0.0.1": "127.0.0.1", "0xb.0xB": "11.0.0.11", "1.2.65535": "1.2.255.255",
		"010.0.0.1": "8.0.0.1", "1.2.3": "1.2.0.3",
		"256.1": "", "1.2.65536": "", "1.2.3.256": "", "1.2.3.4.5": "", "1..2": "", "": "", "08.1": "", "0b1.1": "", "0b1": "", "0o7.1": "", "0o1": "", "1_0.1": "", "1_0": "", "-1.1": "", "-1": "",
		"x.1": "", "127.1.": "", "127.0.0.1.": "", "bad": "", "a.b": "",
	} {
		got, ok := InFigures(host)
		if ok != (want != "") || ok && got.String() != want {
			t.Errorf("%q is %v, %v; want %q", host, got, ok, want)
		}
	}
}
