package wire

import "testing"

// THE table of where messages end (RFC 9112 section 6.3).
func TestRequestFraming(t *testing.T) {
	for _, c := range []struct {
		fields string
		minor  int
		want   string
		length int64
		both   bool
	}{
		{"", 1, "ok", 0, false},
		{"Content-Length: 0\r\n", 1, "ok", 0, false},
		{"Content-Length: 5\r\n", 1, "ok", 5, false},
		{"Content-Length: 05 \r\n", 1, "ok", 5, false},
		{"Content-Length: 9223372036854775807\r\n", 1, "ok", 1<<63 - 1, false},
		{"Content-Length: 9223372036854775808\r\n", 1, "400 AH10242", 0, false},
		{"Content-Length: 5\r\nContent-Length: 5\r\n", 1, "400 AH10242", 0, false},
		{"Content-Length: 5, 5\r\n", 1, "400 AH10242", 0, false},
		{"Content-Length: +5\r\n", 1, "400 AH10242", 0, false},
		{"Content-Length: -5\r\n", 1, "400 AH10242", 0, false},
		{"Content-Length: 0x5\r\n", 1, "400 AH10242", 0, false},
		{"Content-Length: \r\n", 1, "400 AH10242", 0, false},
		{"Content-Length: 5 5\r\n", 1, "400 AH10242", 0, false},
		{"Transfer-Encoding: chunked\r\n", 1, "ok", -1, false},
		{"Transfer-Encoding: Chunked\r\n", 1, "ok", -1, false},
		{"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", 1, "ok", -1, true},
		{"Transfer-Encoding: chunked\r\nContent-Length: x\r\n", 1, "400 AH10242", 0, false},
		{"Transfer-Encoding: \r\n", 1, "400 AH02539", 0, false},
		{"Transfer-Encoding: identity\r\n", 1, "400 AH02539", 0, false},
		{"Transfer-Encoding: xchunked\r\n", 1, "400 AH02539", 0, false},
		{"Transfer-Encoding: \"chunked\"\r\n", 1, "400 AH02539", 0, false},
		{"Transfer-Encoding: chunked, identity\r\n", 1, "400 AH02539", 0, false},
		{"Transfer-Encoding: chunked;a=b\r\n", 1, "400 AH02539", 0, false},
		{"Transfer-Encoding: chunked,\r\n", 1, "400 AH02539", 0, false},
		{"Transfer-Encoding: gzip, chunked\r\n", 1, "500 AH01093", 0, false},
		{"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 1, "500 AH01093", 0, false},
		{"Transfer-Encoding: chunked\r\n", 0, "400 AH02539", 0, false},
	} {
		var r Request
		var h Header
		version := "1." + decimal(int64(c.minor))
		_, err := ParseRequest([]byte("POST / HTTP/"+version+"\r\nHost: h\r\n"+c.fields+"\r\n"), &usual, &r, &h)
		if code(err) != c.want || err == nil && (r.Length != c.length || r.Both != c.both || r.Both && h.Has("Content-Length")) {
			t.Errorf("HTTP/%s %q: %s length %d both %v", version, c.fields, code(err), r.Length, r.Both)
		}
	}
}

func TestResponseFraming(t *testing.T) {
	for _, c := range []struct {
		fields string
		status int
		head   bool
		want   Framing
	}{
		{"", 200, false, Framing{Body: UntilClose, Length: -1}},
		{"Content-Length: 5\r\n", 200, false, Framing{Body: Counted, Length: 5}},
		{"Content-Length: 5\r\nContent-Length: 5\r\n", 200, false, Framing{Body: Counted, Length: 5}},
		{"Content-Length: 5\r\nContent-Length: 6\r\n", 200, false, Framing{Body: Unclear, Why: "several Content-Length"}},
		{"Content-Length: 5,5\r\n", 200, false, Framing{Body: Unclear, Why: "invalid Content-Length"}},
		{"Content-Length: -5\r\n", 200, false, Framing{Body: Unclear, Why: "invalid Content-Length"}},
		{"Content-Length: \r\n", 200, true, Framing{Body: Unclear, Why: "invalid Content-Length"}},
		{"Content-Length: 5\r\n", 200, true, Framing{Body: NoBody, Length: 5}},
		{"Content-Length: 5\r\n", 204, false, Framing{Body: NoBody, Length: 5}},
		{"Content-Length: 5\r\n", 304, false, Framing{Body: NoBody, Length: 5}},
		{"", 304, false, Framing{Body: NoBody, Length: -1}},
		{"Transfer-Encoding: chunked\r\n", 200, false, Framing{Body: InChunks, Length: -1}},
		{"Transfer-Encoding: CHUNKED\r\n", 200, false, Framing{Body: InChunks, Length: -1}},
		{"Transfer-Encoding: chunked\r\n", 204, false, Framing{Body: NoBody, Length: -1}},
		{"Transfer-Encoding: chunked\r\n", 200, true, Framing{Body: NoBody, Length: -1}},
		{"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", 200, false, Framing{Body: InChunks, Length: -1, Both: true}},
		{"Transfer-Encoding: gzip\r\n", 200, false, Framing{Body: UntilClose, Length: -1, Both: true}},
		{"Transfer-Encoding: gzip, chunked\r\n", 200, false, Framing{Body: Unclear, Why: "several transfer codings"}},
		{"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 200, false, Framing{Body: Unclear, Why: "several transfer codings"}},
	} {
		var r Response
		var h Header
		if _, err := ParseResponse([]byte("HTTP/1.1 200 OK\r\n"+c.fields+"\r\n"), &ResponseRules{FieldSize: 8192}, &r, &h); err != nil {
			t.Fatal(err)
		}
		if got := ResponseFraming(c.status, c.head, &h); got != c.want {
			t.Errorf("%d head=%v %q: %+v, want %+v", c.status, c.head, c.fields, got, c.want)
		}
	}
}
