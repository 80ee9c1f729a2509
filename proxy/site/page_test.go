package site

import (
	"strings"
	"testing"

	"balancerd/proxy/exchange"
)

// TestSignature: an administrator's URL stands as it is, anything else is an address of mail; nobody has httpd's words.
func TestSignature(t *testing.T) {
	for admin, want := range map[string]string{
		"": "mailto:[no address given]", "a@b": "mailto:a@b", "http://x/y": "http://x/y", "x+y-1.z:": "x+y-1.z:", ":x": "mailto::x", "a b:c": "mailto:a b:c", "\"": "mailto:&#34;",
	} {
		x := &exchange.Exchange{Server: &exchange.Server{Name: "s", Admin: admin}, Conn: &exchange.Conn{}}
		x.Local = &exchange.Local{Signature: exchange.SignatureEMail}
		if got := Signature(x, ""); !strings.Contains(got, `<a href="`+want+`">s</a>`) {
			t.Errorf("%s: %s", admin, got)
		}
	}
}
