package wire

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/http/httputil"
	"regexp"
	"strings"
	"testing"
)

// The oracles of these targets are net/http's parsers and the grammar of RFC 9112 as expressions: what
// we let pass must mean the same to them once it is written out as we would write it.

var (
	strictLine  = regexp.MustCompile(`\A[!#$%&'*+\-.^_` + "`" + `|~0-9A-Za-z]+ [^\x00-\x20\x7f]+ HTTP/[1-9]\.[0-9]\z`)
	strictName  = regexp.MustCompile(`\A[!#$%&'*+\-.^_` + "`" + `|~0-9A-Za-z]+\z`)
	strictValue = regexp.MustCompile(`\A[^\x00-\x08\x0a-\x1f\x7f]*\z`)
)

// written is a head as bytes again.
func written(line string, h *Header) []byte {
	b := []byte(line + "\r\n")
	for i := range h.F {
		b = AppendField(b, h.F[i].Name, h.F[i].Value)
	}
	return append(b, "\r\n"...)
}

// same tells whether two lists say the same. Merging an empty value leaves a blank at the end, as in
// httpd, which does not outlive the wire.
func same(a, b *Header) bool {
	if len(a.F) != len(b.F) {
		return false
	}
	for i := range a.F {
		if a.F[i].Name != b.F[i].Name || strings.Trim(a.F[i].Value, " \t") != b.F[i].Value {
			return false
		}
	}
	return true
}

// prefixesWantMore checks that nothing is decided before the end of a head that is accepted.
func prefixesWantMore(t *testing.T, head []byte, parse func([]byte) error) {
	t.Helper()
	step := 1 + len(head)/64
	for n := 0; n < len(head); n += step {
		if err := parse(head[:n]); err != ErrIncomplete {
			t.Fatalf("%q is a whole head, but its prefix %q gives %v", head, head[:n], err)
		}
	}
}

func FuzzRequest(f *testing.F) {
	for _, s := range []string{
		"GET / HTTP/1.1\r\nHost: h\r\n\r\n", "POST /a?b HTTP/1.1\r\nHost: h:80\r\nContent-Length: 5\r\n\r\nhello", "\r\nGET /x HTTP/1.0\r\n\r\n",
		"PUT http://u/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nA: 1\r\n 2\r\na: 3\r\n\r\n", "GET /x\r\n", "GET  / HTTP/1.1\n\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		orig := bytes.Clone(b)
		var r Request
		var h Header
		n, err := ParseRequest(b, &usual, &r, &h)
		if !bytes.Equal(b, orig) {
			t.Fatal("the input was changed")
		}
		if err != nil || r.Major == 0 {
			return
		}
		prefixesWantMore(t, b[:n], func(p []byte) error {
			var r Request
			var h Header
			_, err := ParseRequest(p, &usual, &r, &h)
			return err
		})
		if !strictLine.MatchString(r.Line) {
			t.Fatalf("line %q", r.Line)
		}
		for _, g := range h.F {
			if !strictName.MatchString(g.Name) || !strictValue.MatchString(g.Value) {
				t.Fatalf("field %q: %q", g.Name, g.Value)
			}
		}
		again := written(r.Line, &h)
		var r2 Request
		var h2 Header
		if _, err := ParseRequest(again, &usual, &r2, &h2); err != nil || !same(&h, &h2) || r2.Length != r.Length || r2.Host != r.Host {
			t.Fatalf("%q parses, but not written again: %q %v", b[:n], again, err)
		}
		agree(t, &r, again)
	})
}

// agree checks that net/http sees the same end of the body, where it does not refuse the request.
func agree(t *testing.T, r *Request, head []byte) {
	q, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(head)))
	if err != nil {
		return
	}
	want := r.Length
	if q.ContentLength != want {
		t.Fatalf("%q: net/http reads a body of %d, we %d", head, q.ContentLength, want)
	}
	if chunked := len(q.TransferEncoding) > 0; chunked != (r.Length < 0) {
		t.Fatalf("%q: chunked to net/http: %v", head, chunked)
	}
}

func FuzzResponse(f *testing.F) {
	for _, s := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "HTTP/1.0 304\n\n", "\r\nHTTP/1.1 200 OK\r\nA: 1\r\n  2\r\nTransfer-Encoding: chunked\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", "HTTP/1.1 204 x\r\nHTTP/1.1 200 y\r\nno colon\r\n\r\n",
	} {
		for _, head := range []bool{false, true} {
			f.Add([]byte(s), uint8(0), head)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte, on uint8, head bool) {
		rules := &ResponseRules{FieldSize: 512, OnBad: BadLine(on % 3)}
		var r Response
		var h Header
		n, err := ParseResponse(b, rules, &r, &h)
		if err != nil || r.InBody {
			return
		}
		if r.Status < 100 || r.Status > 999 || !IsValue(r.Line) || !strings.HasPrefix(r.Line, "HTTP/1.") {
			t.Fatalf("status line %q", r.Line)
		}
		prefixesWantMore(t, b[:n], func(p []byte) error {
			var r Response
			var h Header
			_, err := ParseResponse(p, rules, &r, &h)
			return err
		})
		for _, g := range h.F {
			if strings.ContainsAny(g.Name+g.Value, "\n") {
				t.Fatalf("a line feed in %q: %q", g.Name, g.Value)
			}
			if !strictName.MatchString(g.Name) || !strictValue.MatchString(g.Value) {
				return // not to be passed on
			}
		}
		framed(t, &r, &h, head)
	})
}

// framed checks that net/http ends the body where we do.
func framed(t *testing.T, r *Response, h *Header, head bool) {
	f := ResponseFraming(r.Status, head, h)
	method := "GET"
	if head {
		method = "HEAD"
	}
	text := written(r.Line, h)
	p, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(text)), &http.Request{Method: method})
	if err != nil || f.Body == Unclear {
		return // each may be stricter
	}
	switch chunked := len(p.TransferEncoding) > 0; {
	case f.Body == NoBody:
		if n, _ := io.Copy(io.Discard, p.Body); n != 0 {
			t.Fatalf("%q has a body to net/http", text)
		}
	case chunked != (f.Body == InChunks):
		t.Fatalf("%q: chunked to net/http: %v, to us: %+v", text, chunked, f)
	case f.Body == Counted && p.ContentLength != f.Length, f.Body == UntilClose && p.ContentLength != -1:
		t.Fatalf("%q: %d to net/http, to us: %+v", text, p.ContentLength, f)
	}
}

func FuzzChunks(f *testing.F) {
	for _, s := range []string{
		"5\r\nhello\r\n0\r\n\r\nnext", "3;a=b\r\nabc\r\n0\r\nX: 1\r\n\r\n", "0\r\n\r\n", "a  \r\n0123456789\r\n00\r\n\r\n", "5\nhello\n0\n\n", "ffffffffffffffff\r\n",
	} {
		f.Add([]byte(s), uint8(3))
	}
	f.Fuzz(func(t *testing.T, b []byte, size uint8) {
		data, rest, done, _, err := decodeAll(&usual, string(b), 1<<20)
		d2, r2, done2, _, err2 := decodeAll(&usual, string(b), int(size)+1)
		if data != d2 || done != done2 || (err == nil) != (err2 == nil) || err == nil && rest != r2 {
			t.Fatalf("%q: by %d %q %v %v, at once %q %v %v", b, int(size)+1, d2, done2, err2, data, done, err)
		}
		if !done || err != nil {
			return
		}
		other, oerr := io.ReadAll(httputil.NewChunkedReader(bytes.NewReader(b)))
		if oerr != nil || string(other) != data {
			t.Fatalf("%q: net/http reads %q, %v; we %q", b, other, oerr, data)
		}
		again := AppendChunkHead(nil, max(1, len(data)))
		again = append(append(again, data...), "\r\n"+LastChunk...)
		if data != "" {
			if d3, _, done3, _, err3 := decodeAll(&usual, string(again), 1<<20); d3 != data || !done3 || err3 != nil {
				t.Fatalf("written again %q reads %q %v", again, d3, err3)
			}
		}
	})
}
