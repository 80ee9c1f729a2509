package cgi

import (
	"testing"

	"balancerd/proxy/backend/membertest"
)

// Recorded from httpd 2.4.71, over SCGI.
func TestStatusLines(t *testing.T) {
	for _, c := range []struct {
		head   string
		status int
		reason string
	}{
		{"Status:404", 404, "Not Found"},
		{"Status: 404 Up", 404, "Up"},
		{"Status: 404  Two", 404, " Two"},
		{"Status: 404Nope", 404, "Not Found"},
		{"Status: 404 ", 404, ""},
		{"Status: +404 Plus", 404, "Not Found"},
		{"Status: -404", 500, "Internal Server Error"},
		{"Status: 1000 High", 500, "Internal Server Error"},
		{"Status: 404 Not\x01Found", 404, "Not Found"},
		{"Status: 404 A\r\nStatus: 403 B", 403, "B"},
	} {
		x := membertest.Request("POST", "/x", "", 0)
		var a Answer
		if err := a.Read(x, "m", c.head+"\r\n\r\n"); err != nil || x.Res.Status != c.status || x.Res.Reason != c.reason {
			t.Errorf("%q: %d %q %v, want %d %q", c.head, x.Res.Status, x.Res.Reason, err, c.status, c.reason)
		}
	}
}

// Recorded from httpd 2.4.71, over SCGI and FastCGI. A line of which nothing is left is no end of the head.
func TestStrayBytesOfLines(t *testing.T) {
	for head, want := range map[string]string{
		"X-A: 1\r\r\n\r\n":    "1",
		"X-A: a\rb\r\n\r\n":   "ab",
		"X-A: a\x00b\r\n\r\n": "a",
		"\r\rX-A: \r1\n\n":    "1",
	} {
		x := membertest.Request("POST", "/x", "", 0)
		var a Answer
		if err := a.Read(x, "m", head); err != nil || x.Res.Always.Get("X-A") != want {
			t.Errorf("%q: %q %v, want %q", head, x.Res.Always.Get("X-A"), err, want)
		}
	}
	for _, head := range []string{"X-A: 1\r\n\r\r\nX-B: 2\r\n\r\n", "X-A\x00: 1\r\n\r\n", "\x00\r\n\r\n"} {
		x := membertest.Request("POST", "/x", "", 0)
		var a Answer
		if err := a.Read(x, "m", head); err != errLine {
			t.Errorf("%q: %v %v", head, err, x.Res.Always)
		}
	}
}
