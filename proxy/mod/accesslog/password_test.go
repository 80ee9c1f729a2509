package accesslog

import "testing"

// A password in a target is for no log (what httpd 2.4.71 wrote).
func TestPasswordsAreMasked(t *testing.T) {
	for line, want := range map[string]string{
		"GET http://user:pw@h:80/x HTTP/1.1": "pw",
		"GET http://user@h:80/x HTTP/1.1":    "",
		"GET http://h:80/x@y HTTP/1.1":       "",
		"GET /http://user:pw@h/ HTTP/1.1":    "",
		"GET /x?u=http://h/a:b@c HTTP/1.1":   "",
		"GET http://u:p@ss@h HTTP/1.1":       "p@ss",
		"CONNECT user:pw@h:443 HTTP/1.1":     "",
		"GET ://:@ HTTP/1.1":                 "",
	} {
		if from, to := passwordIn(line); line[from:to] != want {
			t.Errorf("%s: %q, want %q", line, line[from:to], want)
		}
	}
}
