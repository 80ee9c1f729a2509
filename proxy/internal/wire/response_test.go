package wire

import (
	"strings"
	"testing"
)

func TestStatusLines(t *testing.T) {
	for _, c := range []struct {
		line, reason string
		status       int
		err          error
	}{
		{"HTTP/1.1 200 OK", "OK", 200, nil},
		{"HTTP/1.0 404 Not  Found ", "Not  Found ", 404, nil},
		{"HTTP/1.1 200", "", 200, nil},
		{"HTTP/1.1 200 ", "", 200, nil},
		{"HTTP/1.1 799 Odd", "Odd", 799, nil},
		{"\r\nHTTP/1.1 201 Later", "Later", 201, nil},
		{"HTTP/1.1 200 \xe9", "\xe9", 200, nil},
		{"HTTP/2.0 200 OK", "", 0, ErrVersion},
		{"HTTP/1.1 2000 OK", "", 0, ErrStatusLine},
		{"HTTP/1.1 20 OK", "", 0, ErrStatusLine},
		{"HTTP/1.1 099 OK", "", 0, ErrStatusLine},
		{"HTTP/1.1\t200 OK", "", 0, ErrStatusLine},
		{"HTTP/1.1 200\tOK", "", 0, ErrStatusLine},
		{"HTTP/1.1  200 OK", "", 0, ErrStatusLine},
		{"http/1.1 200 OK", "", 0, ErrStatusLine},
		{" HTTP/1.1 200 OK", "", 0, ErrStatusLine},
		{"HTTP/1.1 200 a\x01b", "", 0, ErrStatusLine},
		{"HTTP/1.1 200 a\rb", "", 0, ErrStatusLine},
		{"HTTP/1.1 200 a\x00b", "", 0, ErrStatusLine},
		{"\r\n\r\nHTTP/1.1 200 OK", "", 0, ErrStatusLine},
		{"<html>", "", 0, ErrStatusLine},
		{"HTTP/1.1 200 " + strings.Repeat("r", 8200), "", 0, ErrStatusLine},
	} {
		var r Response
		var h Header
		_, err := ParseResponse([]byte(c.line+"\r\nA: 1\r\n\r\n"), &ResponseRules{FieldSize: 8192}, &r, &h)
		if err != c.err || err == nil && (r.Status != c.status || r.Reason != c.reason) {
			t.Errorf("%.40q: %v %d %q", c.line, err, r.Status, r.Reason)
		}
	}
}

// What cannot become a status line is told before the line's end.
func TestGarbageIsToldAtOnce(t *testing.T) {
	for begin, want := range map[string]error{
		"": ErrIncomplete, "H": ErrIncomplete, "HTTP/1.1 20": ErrIncomplete, "\r": ErrIncomplete, "\r\nHTT": ErrIncomplete,
		"SSH-2.0": ErrStatusLine, "\x15\x03\x01": ErrStatusLine, "\r\nX": ErrStatusLine, "HTTP/1.1 200 " + strings.Repeat("r", 9000): ErrStatusLine,
	} {
		var r Response
		var h Header
		if _, err := ParseResponse([]byte(begin), &ResponseRules{FieldSize: 8192}, &r, &h); err != want {
			t.Errorf("%.30q: %v, want %v", begin, err, want)
		}
	}
}

func TestAnswerFields(t *testing.T) {
	for _, c := range []struct {
		fields string
		on     BadLine
		want   string
		err    error
	}{
		{"A: 1\r\nB:2\r\n", BadIsError, "A=1 B=2", nil},
		{"A: 1\nB: 2\n", BadIsError, "A=1 B=2", nil},
		{"A: one\r\n   two \r\nB: 1\r\n", BadIsError, "A=one   two B=1", nil},
		{"A:\r\n   two \r\n", BadIsError, "A=two", nil},
		{"Set-Cookie: a\r\nset-cookie: b\r\n", BadIsError, "Set-Cookie=a set-cookie=b", nil},
		{"X-Sp : v\r\n", BadIsError, "X-Sp =v", nil},
		{"no colon\r\nB: 1\r\n", BadIsError, "", ErrFieldLine},
		{"no colon\r\nB: 1\r\n", BadIsIgnored, "B=1", nil},
		{"A: 1\r\nno colon\r\nB: 1\r\n", BadIsBody, "A=1", nil},
		{"HTTP/1.1 404 Stray\r\nB: 1\r\n", BadIsError, "B=1", nil},
		{"X: " + strings.Repeat("v", 9000) + "\r\n", BadIsError, "", ErrTooLong},
		{"X: v\r\n " + strings.Repeat("v", 5000) + "\r\n " + strings.Repeat("v", 5000) + "\r\n", BadIsError, "", ErrTooLong},
		{strings.Repeat("X-Many: "+strings.Repeat("v", 100)+"\r\n", 1000), BadIsError, "", ErrHeadSize},
	} {
		var r Response
		var h Header
		rules := ResponseRules{FieldSize: 8192, OnBad: c.on}
		n, err := ParseResponse([]byte("HTTP/1.1 200 OK\r\n"+c.fields+"\r\nbody"), &rules, &r, &h)
		if err != c.err || err == nil && list(&h) != c.want {
			t.Errorf("%.40q: %v %q after %d", c.fields, err, list(&h), n)
		}
	}
	var r Response
	var h Header
	head := "HTTP/1.1 200 OK\r\nA: 1\r\nno colon\r\nX-Rest: 1\r\n\r\nbody"
	n, err := ParseResponse([]byte(head), &ResponseRules{FieldSize: 8192, OnBad: BadIsBody}, &r, &h)
	if err != nil || !r.InBody || !strings.HasPrefix(head[n:], "X-Rest") {
		t.Errorf("the body begins with %q, %v", head[n:], err)
	}
}

func TestEveryPrefixOfAnAnswerWantsMore(t *testing.T) {
	head := "\r\nHTTP/1.1 200 OK\r\nA: 1\r\n 2\r\nB: 3\r\n\r\n"
	for n := range len(head) {
		var r Response
		var h Header
		if _, err := ParseResponse([]byte(head[:n]), &ResponseRules{FieldSize: 8192}, &r, &h); err != ErrIncomplete {
			t.Fatalf("%q: %v", head[:n], err)
		}
	}
}
