package site

import (
	"io"
	"testing"
	"time"

	"balancerd/proxy/exchange"
)

func TestRanges(t *testing.T) {
	for _, c := range []struct {
		field, ifRange string
		status         int
		body, content  string
		refused        bool
	}{
		{"bytes=1-2", "", 206, "el", "bytes 1-2/5", false},
		{"bytes=3-", "", 206, "lo", "bytes 3-4/5", false},
		{"bytes=-2", "", 206, "lo", "bytes 3-4/5", false},
		{"bytes=-99", "", 206, "hello", "bytes 0-4/5", false},
		{"bytes=2-99", "", 206, "llo", "bytes 2-4/5", false},
		{"bytes=9-12", "", 200, "hello", "", true},
		{"bytes=2-1", "", 200, "hello", "", false},
		{"bytes=0-0,2-2", "", 200, "hello", "", false},
		{"bytes=1-2,", "", 206, "el", "bytes 1-2/5", false},
		{"bytes=1-2,,3-3", "", 206, "ell", "bytes 1-3/5", false},
		{"lines=1-2", "", 200, "hello", "", false},
		{"bytes=1-2", `"tag"`, 206, "el", "bytes 1-2/5", false},
		{"bytes=1-2", `"other"`, 200, "hello", "", false},
		{"bytes=1-2", "Tue, 14 Nov 2023 22:13:20 GMT", 206, "el", "bytes 1-2/5", false},
		{"bytes=1-2", "Tue, 14 Nov 2023 22:13:21 GMT", 200, "hello", "", false},
		{"bytes=1-2", "yesterday", 200, "hello", "", false},
		{"bytes= 1-2", "", 200, "hello", "", false},
	} {
		x := &exchange.Exchange{}
		x.Req.Method = "GET"
		x.Req.Header.Add("Range", c.field)
		if c.ifRange != "" {
			x.Req.Header.Add("If-Range", c.ifRange)
		}
		x.Res.Status, x.Res.Proxied = 200, true
		x.Res.Header.Add("ETag", `"tag"`)
		x.Res.Header.Add("Last-Modified", "Tue, 14 Nov 2023 22:13:20 GMT")
		x.Start = time.Unix(1700000060, 0)
		x.Res.Text("hello")
		refused := cut(x) != nil
		b, err := io.ReadAll(x.Res.Body)
		if refused != c.refused || x.Res.Status != c.status || string(b) != c.body || err != nil || x.Res.Header.Get("Content-Range") != c.content {
			t.Errorf("%s %s: %v %d %q %v %q", c.field, c.ifRange, refused, x.Res.Status, b, err, x.Res.Header.Get("Content-Range"))
		}
	}
}

// TestRangeOfAYoungAnswer: what was changed a moment ago may have changed twice since.
func TestRangeOfAYoungAnswer(t *testing.T) {
	x := &exchange.Exchange{Start: time.Unix(1700000059, 0)}
	x.Req.Method, x.Res.Status, x.Res.Proxied = "GET", 200, true
	x.Req.Header.Add("Range", "bytes=1-2")
	x.Req.Header.Add("If-Range", "Tue, 14 Nov 2023 22:13:20 GMT")
	x.Res.Header.Add("Last-Modified", "Tue, 14 Nov 2023 22:13:20 GMT")
	x.Res.Text("hello")
	if cut(x); x.Res.Status != 200 {
		t.Error(x.Res.Status)
	}
}
