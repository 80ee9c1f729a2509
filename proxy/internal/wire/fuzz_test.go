package wire

import (
	"bufio"
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/http/httputil"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The oracles of these targets are net/http's parsers and the grammar of RFC 9112 as expressions: what
// we let pass must mean the same to them once it is written out as we would write it.

var (
	strictLine  = regexp.MustCompile(`\A[!#$%&'*+\-.^_` + "`" + `|~0-9A-Za-z]+ [^\x00-\x20\x7f]+ HTTP/[1-9]\.[0-9]\z`)
	strictName  = regexp.MustCompile(`\A[!#$%&'*+\-.^_` + "`" + `|~0-9A-Za-z]+\z`)
	unusualSize = regexp.MustCompile(`[ \t];|0{16}`)
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

// same reports whether two lists say the same. Merging an empty value leaves a blank at the end, as in
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
		agree(t, &r, &h, again)
	})
}

// agree checks that net/http sees the same request, and the same end of its body, where it does not
// refuse it.
func agree(t *testing.T, r *Request, h *Header, head []byte) {
	q, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(head)))
	if err != nil {
		return
	}
	if q.Method != r.Method || q.RequestURI != r.Target || q.ProtoMajor != r.Major || q.ProtoMinor != r.Minor {
		t.Fatalf("%q: net/http reads %s %s %s, we %+v", head, q.Method, q.RequestURI, q.Proto, r)
	}
	if strings.HasPrefix(r.Target, "/") {
		path, _ := url.PathUnescape(r.RawPath)
		if q.Host != r.Authority || q.URL.RawQuery != r.Query || strings.TrimLeft(q.URL.Path, "/") != strings.TrimLeft(path, "/") {
			t.Fatalf("%q: net/http reads %q at %q, we %+v", head, q.URL, q.Host, r)
		}
	}
	agreeFields(t, h, q.Header, head)
	want := r.Length
	if q.ContentLength != want {
		t.Fatalf("%q: net/http reads a body of %d, we %d", head, q.ContentLength, want)
	}
	if chunked := len(q.TransferEncoding) > 0; chunked != (r.Length < 0) {
		t.Fatalf("%q: chunked to net/http: %v", head, chunked)
	}
}

// agreeFields checks that net/http has the same values of each field, in the same order. What it takes
// away itself, or adds, is left out.
func agreeFields(t *testing.T, h *Header, theirs http.Header, head []byte) {
	ours := http.Header{}
	for i := range h.F {
		ours.Add(h.F[i].Name, strings.Trim(h.F[i].Value, " \t"))
	}
	for _, name := range []string{"Host", "Transfer-Encoding", "Trailer", "Content-Length", "Cache-Control"} {
		ours.Del(name)
		theirs.Del(name)
	}
	if !maps.EqualFunc(ours, theirs, slices.Equal) {
		t.Fatalf("%q: net/http reads %q, we %q", head, theirs, ours)
	}
}

// FuzzFraming holds the decision where a request's body ends against the words of RFC 9112 section 6:
// what could be read in two ways is refused, what can be read in one is not. Fields are separated by
// line feeds.
func FuzzFraming(f *testing.F) {
	for _, s := range [][2]string{{"", ""}, {"", "5"}, {"chunked", ""}, {"chunked", "5"}, {"identity", "5"}, {"gzip, chunked", ""}, {"chunked\nchunked", ""}, {"", "5\n5"},
		{"", "5, 5"}, {"", "+5"}, {"", "9223372036854775808"}, {"chunked,", ""}, {"\vchunked", "3"}, {"", " 7\t"}, {"chunked", "x"}} {
		f.Add(s[0], s[1], true)
		f.Add(s[0], s[1], false)
	}
	f.Fuzz(func(t *testing.T, codings, lengths string, old bool) {
		if strings.ContainsRune(codings+lengths, '\r') || len(codings)+len(lengths) > 4000 {
			return
		}
		version, head := "1.1", ""
		if old {
			version = "1.0"
		}
		list := func(name, text string) (values []string) {
			if text == "" {
				return nil
			}
			for v := range strings.SplitSeq(text, "\n") {
				v = strings.Trim(v, " \t")
				values = append(values, v)
				head += name + ": " + v + "\r\n"
			}
			return values
		}
		tes, cls := list("Transfer-Encoding", codings), list("Content-Length", lengths)
		var r Request
		var h Header
		_, err := ParseRequest([]byte("POST / HTTP/"+version+"\r\nHost: h\r\n"+head+"\r\n"), &usual, &r, &h)
		want, ok := framingByTheBook(tes, cls, old)
		if ok != (err == nil) {
			t.Fatalf("codings %q, lengths %q, old %v: %v, want ok %v", tes, cls, old, err, ok)
		}
		if !ok {
			return
		}
		if r.Length != want || r.Both != (len(tes) > 0 && len(cls) > 0) || r.HasLength != (len(cls) > 0 && len(tes) == 0) || (h.IndexID(ContentLength) >= 0) != r.HasLength {
			t.Fatalf("codings %q, lengths %q, old %v: %+v, want %d", tes, cls, old, r, want)
		}
	})
}

// framingByTheBook is the length of a body, -1 for chunks; false: nobody can tell.
func framingByTheBook(tes, cls []string, old bool) (int64, bool) {
	length, digits := int64(0), regexp.MustCompile(`\A[0-9]+\z`)
	if len(cls) > 0 {
		n, err := strconv.ParseInt(cls[0], 10, 64)
		if len(cls) > 1 || err != nil || !digits.MatchString(cls[0]) {
			return 0, false
		}
		length = n
	}
	switch {
	case len(tes) == 0:
		return length, true
	case len(tes) > 1 || old || !strings.EqualFold(tes[0], "chunked"):
		return 0, false
	}
	return -1, true
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
	if !p.ProtoAtLeast(1, 1) && h.Has("Transfer-Encoding") {
		return // net/http takes no notice; we do, as httpd, and end the connection (RFC 9112 section 6.1)
	}
	if p.StatusCode != r.Status {
		t.Fatalf("%q: %d to net/http, %d to us", text, p.StatusCode, r.Status)
	}
	agreeFields(t, h, p.Header, text)
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
		if oerr != nil && unusualSize.Match(b) {
			return // blanks in front of an extension and many zeros are RFC 9112's, but not net/http's
		}
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
