package compress

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/mod/core"
	"balancerd/proxy/mod/filter"
	"balancerd/proxy/mod/setenvif"
	"balancerd/proxy/site"
	"balancerd/proxy/site/sitetest"
)

const preload = "deflate brotli filter setenvif env"

var text = strings.Repeat("The quick brown fox jumps over the lazy dog. ", 80)

func modules(answer func(string) sitetest.Answer) []site.Module {
	mods := []site.Module{core.Module(), filter.Core()}
	mods = append(mods, Modules()...)
	mods = append(mods, filter.Module(), sitetest.Answering(answer))
	return append(mods, setenvif.Modules()...)
}

func packed(s string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	io.WriteString(z, s)
	z.Close()
	return b.String()
}

// unpacked is a body without its coding.
func unpacked(t *testing.T, x *exchange.Exchange) string {
	t.Helper()
	coding := x.Res.Header.Get("Content-Encoding")
	body := sitetest.Body(x)
	var r io.Reader
	switch {
	case body == "":
		return ""
	case coding == "gzip":
		z, err := gzip.NewReader(strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r = z
	case coding == "br":
		r = brotli.NewReader(strings.NewReader(body))
	default:
		return body
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestHeads: what httpd 2.4.71 made of members' answers: Content-Encoding, Vary, ETag, and whether the body is that of
// the member.
func TestHeads(t *testing.T) {
	html := "Content-Type: text/html; charset=utf-8|ETag: \"abc\""
	answers := map[string]sitetest.Answer{
		"/ok":       {Fields: html + "|Content-MD5: x", Body: text},
		"/e404":     {Status: 404, Fields: html, Body: text},
		"/c204":     {Status: 204, Fields: html},
		"/c304":     {Status: 304, Fields: html},
		"/c206":     {Status: 206, Fields: html + "|Content-Range: bytes 0-9/99", Body: text},
		"/br":       {Fields: html + "|Content-Encoding: br", Body: text},
		"/identity": {Fields: html + "|Content-Encoding: identity", Body: text},
		"/binary":   {Fields: html + "|Content-Encoding: binary", Body: text},
		"/vary":     {Fields: html + "|Vary: Cookie", Body: text},
		"/small":    {Fields: html, Body: text[:68]},
		"/enough":   {Fields: html, Body: text[:69]},
		"/pieces":   {Fields: html, Body: text[:20], Piece: 7},
		"/weak":     {Fields: `ETag: W/"weak"`, Body: text},
		"/empty":    {Fields: `ETag: ""`, Body: text},
		"/bare":     {Fields: "ETag: bare", Body: text},
		"/js":       {Fields: "Content-Type: text/javascript", Body: text},
	}
	r := sitetest.New(t, preload, `
SetOutputFilter DEFLATE
SetEnvIf X-Force . force-gzip
SetEnvIf X-No . no-gzip
SetEnvIf X-Html . gzip-only-text/html
<Location /b>
SetOutputFilter BROTLI_COMPRESS
</Location>
<Location /both>
SetOutputFilter BROTLI_COMPRESS;DEFLATE
</Location>
`, modules(func(path string) sitetest.Answer {
		for _, p := range []string{"/both", "/b"} {
			if rest, ok := strings.CutPrefix(path, p); ok && strings.HasPrefix(rest, "/") {
				path = rest
			}
		}
		return answers[path]
	})...)
	for _, c := range []struct{ request, coding, vary, tag string }{
		{"GET /ok HTTP/1.1\nAccept-Encoding: gzip", "gzip", "Accept-Encoding", `"abc-gzip"`},
		{"GET /ok HTTP/1.1", "", "Accept-Encoding", `"abc"`},
		{"GET /ok HTTP/1.1\nX-Force: 1", "gzip", "Accept-Encoding", `"abc-gzip"`},
		{"GET /ok HTTP/1.1\nAccept-Encoding: gzip\nX-No: 1", "", "", `"abc"`},
		{"GET /js HTTP/1.1\nAccept-Encoding: gzip\nX-Html: 1", "", "", ""},
		{"GET /ok HTTP/1.1\nAccept-Encoding: gzip\nX-Html: 1", "gzip", "Accept-Encoding", `"abc-gzip"`},
		{"HEAD /ok HTTP/1.1\nAccept-Encoding: gzip", "", "", `"abc"`},
		{"GET /e404 HTTP/1.1\nAccept-Encoding: gzip", "gzip", "Accept-Encoding", `"abc-gzip"`},
		{"GET /c204 HTTP/1.1\nAccept-Encoding: gzip", "", "", `"abc"`},
		{"GET /c304 HTTP/1.1\nAccept-Encoding: gzip", "", "", `"abc"`},
		{"GET /c206 HTTP/1.1\nAccept-Encoding: gzip", "", "", `"abc"`},
		{"GET /br HTTP/1.1\nAccept-Encoding: gzip", "br!", "", `"abc"`},
		{"GET /identity HTTP/1.1\nAccept-Encoding: gzip", "gzip", "Accept-Encoding", `"abc-gzip"`},
		{"GET /binary HTTP/1.1\nAccept-Encoding: gzip", "binary, gzip!", "Accept-Encoding", `"abc-gzip"`},
		{"GET /vary HTTP/1.1\nAccept-Encoding: gzip", "gzip", "Cookie, Accept-Encoding", `"abc-gzip"`},
		{"GET /small HTTP/1.1\nAccept-Encoding: gzip", "", "", `"abc"`},
		{"GET /enough HTTP/1.1\nAccept-Encoding: gzip", "gzip", "Accept-Encoding", `"abc-gzip"`},
		{"GET /pieces HTTP/1.1\nAccept-Encoding: gzip", "gzip", "Accept-Encoding", `"abc-gzip"`},
		{"GET /weak HTTP/1.1\nAccept-Encoding: gzip", "gzip", "Accept-Encoding", `W/"weak-gzip"`},
		{"GET /empty HTTP/1.1\nAccept-Encoding: gzip", "gzip", "Accept-Encoding", `""`},
		{"GET /bare HTTP/1.1\nAccept-Encoding: gzip", "gzip", "Accept-Encoding", "bare"},
		{"GET /b/ok HTTP/1.1\nAccept-Encoding: gzip, br", "br", "Accept-Encoding", `"abc-br"`},
		{"GET /b/small HTTP/1.1\nAccept-Encoding: br", "br", "Accept-Encoding", `"abc-br"`},
		{"HEAD /b/ok HTTP/1.1\nAccept-Encoding: br", "br", "Accept-Encoding", `"abc-br"`},
		{"GET /b/c304 HTTP/1.1\nAccept-Encoding: br", "br", "Accept-Encoding", `"abc-br"`},
		{"GET /both/ok HTTP/1.1\nAccept-Encoding: gzip, br", "br", "Accept-Encoding", `"abc-br"`},
		{"GET /both/ok HTTP/1.1\nAccept-Encoding: gzip", "gzip", "Accept-Encoding, Accept-Encoding", `"abc-gzip"`},
	} {
		x := r.Get(c.request)
		h := &x.Res.Header
		coding := strings.TrimSuffix(c.coding, "!")
		if h.Get("Content-Encoding") != coding || h.Joined("Vary") != c.vary || h.Get("ETag") != c.tag {
			t.Errorf("%s: %q %q %q", c.request, h.Get("Content-Encoding"), h.Joined("Vary"), h.Get("ETag"))
		}
		if coding != "" && coding == c.coding && (x.Res.Length >= 0 && x.Res.Body == nil || h.Has("Content-MD5")) {
			t.Errorf("%s: length %d, Content-MD5 %q", c.request, x.Res.Length, h.Get("Content-MD5"))
		}
		want := answers[x.Req.Path[strings.LastIndex(x.Req.Path, "/"):]].Body
		if x.HeadOnly {
			want = ""
		}
		if coding != c.coding {
			continue
		}
		if got := unpacked(t, x); got != want {
			t.Errorf("%s: %d bytes, want %d", c.request, len(got), len(want))
		}
	}
}

// What httpd 2.4.71 does with a range of what it packs: mod_deflate's is cut, mod_brotli's goes whole.
func TestRangesOfPackedAnswers(t *testing.T) {
	r := sitetest.New(t, preload, "SetOutputFilter BROTLI_COMPRESS;DEFLATE\n", modules(func(string) sitetest.Answer {
		return sitetest.Answer{Fields: "Content-Type: text/html", Body: text}
	})...)
	for coding, want := range map[string]int{"br": 200, "gzip": 206, "br, gzip": 200, "identity": 206} {
		if x := r.Get("GET /x HTTP/1.1\nRange: bytes=0-9\nAccept-Encoding: " + coding); x.Res.Status != want {
			t.Errorf("%s: %d, want %d", coding, x.Res.Status, want)
		}
	}
}

// TestNotes: what is left for the log, and settings that a virtual host replaces as a whole.
func TestNotes(t *testing.T) {
	r := sitetest.New(t, preload, `
DeflateFilterNote Input in
DeflateFilterNote Output out
DeflateFilterNote ratio
DeflateCompressionLevel 9
DeflateAlterETag Remove
SetOutputFilter DEFLATE
<VirtualHost *:80>
ServerName a
</VirtualHost>
<VirtualHost *:80>
ServerName b
DeflateMemLevel 3
</VirtualHost>
<VirtualHost *:80>
ServerName c
DeflateWindowSize 8
</VirtualHost>
`, modules(func(string) sitetest.Answer { return sitetest.Answer{Body: text, Fields: `ETag: "x"`} })...)
	x := r.Get("GET / HTTP/1.1\nHost: a\nAccept-Encoding: gzip")
	unpacked(t, x)
	if in, ratio := x.Notes.Value("in"), x.Notes.Value("ratio"); in != "3600" || ratio != "1" || x.Notes.Value("out") == "" || x.Res.Header.Has("ETag") {
		t.Errorf("in %q, ratio %q, out %q, tag %q", in, ratio, x.Notes.Value("out"), x.Res.Header.Get("ETag"))
	}
	x = r.Get("GET / HTTP/1.1\nHost: b\nAccept-Encoding: gzip")
	unpacked(t, x)
	if x.Notes.Len() > 0 || x.Res.Header.Get("ETag") != `"x-gzip"` {
		t.Error("the host inherits:", x.Notes, x.Res.Header.Get("ETag"))
	}
	x = r.Get("GET / HTTP/1.1\nHost: c\nAccept-Encoding: gzip")
	if x.Res.Header.Has("Content-Encoding") || x.Res.Header.Get("Vary") == "" || sitetest.Body(x) != text {
		t.Error("a window that zlib does not have:", x.Res.Header.F)
	}
	if log := r.Log.Take(); log != "[deflate:error] AH01383: unable to init Zlib: deflateInit2 returned -2: URL /" {
		t.Error(log)
	}
}

// TestInflate: members' packed answers are unpacked, in pieces of any size; what is wrong with them breaks them off.
func TestInflate(t *testing.T) {
	gz := packed(text)
	answers := map[string]sitetest.Answer{
		"/ok":      {Fields: `Content-Encoding: gzip|ETag: "x"`, Body: gz},
		"/pieces":  {Fields: "Content-Encoding: x-gzip", Body: gz, Piece: 3},
		"/more":    {Fields: "Content-Encoding: gzip", Body: gz + "more", Piece: 1},
		"/two":     {Fields: "Content-Encoding: br, gzip", Body: gz},
		"/plain":   {Fields: "Content-Encoding: gzip", Body: text},
		"/magic":   {Fields: "Content-Encoding: gzip", Body: "ab\x08" + text},
		"/flags":   {Fields: "Content-Encoding: gzip", Body: "\x1f\x8b\x08\xff" + gz[4:]},
		"/cut":     {Fields: "Content-Encoding: gzip", Body: gz[:len(gz)-3], Piece: 5},
		"/middle":  {Fields: "Content-Encoding: gzip", Body: gz[:len(gz)/2]},
		"/sum":     {Fields: "Content-Encoding: gzip", Body: gz[:len(gz)-8] + "abcd" + gz[len(gz)-4:]},
		"/length":  {Fields: "Content-Encoding: gzip", Body: gz[:len(gz)-4] + "abcd"},
		"/corrupt": {Fields: "Content-Encoding: gzip", Body: gz[:10] + "\xff\xff\xff\xff" + gz[14:]},
		"/named":   {Fields: "Content-Encoding: gzip", Body: "\x1f\x8b\x08\x1e" + gz[4:10] + "\x03\x00xyzname\x00comment\x00\x12\x34" + gz[10:], Piece: 2},
		"/c304":    {Status: 304, Fields: `Content-Encoding: gzip|ETag: "x"`},
		"/broken":  {Fields: "Content-Encoding: gzip", Body: gz[:20], Piece: 9, Err: io.ErrUnexpectedEOF},
	}
	r := sitetest.New(t, preload, "SetOutputFilter INFLATE\n", modules(func(path string) sitetest.Answer { return answers[path] })...)
	for path, want := range map[string]struct{ coding, body, log string }{
		"/ok": {"", text, ""}, "/pieces": {"", text, ""}, "/more": {"", text, ""}, "/two": {"br", text, ""}, "/named": {"", text, ""}, "/plain": {"", text, ""}, "/c304": {"", "", ""},
		"/magic":   {"", "", "error] AH01405: inflate: bad header"},
		"/flags":   {"", "", "error] AH02620: inflate: bad flags ff"},
		"/cut":     {"", "!", "error] AH01401: Zlib: Validation bytes not present"},
		"/middle":  {"", "!", "error] AH01401: Zlib: Validation bytes not present"},
		"/sum":     {"", "!", "error] AH01399: Zlib: Checksum of inflated stream invalid"},
		"/length":  {"", "!", "error] AH01400: Zlib: Length of inflated stream invalid"},
		"/corrupt": {"", "!", "warn] AH01409: Zlib error -3 inflating data"},
		"/broken":  {"", "!", ""},
	} {
		x := r.Get("GET " + path + " HTTP/1.1")
		if got := x.Res.Header.Get("Content-Encoding"); got != want.coding {
			t.Errorf("%s: %q", path, got)
		}
		if tag := x.Res.Header.Get("ETag"); tag != "" && tag != `"x-gunzip"` {
			t.Errorf("%s: %s", path, tag)
		}
		var body []byte
		var err error
		if x.Res.Body != nil {
			dropped := want.log != "" && !strings.HasPrefix(path, "/cut") // all of it was there
			if x.Res.Drop != dropped {
				t.Errorf("%s: dropped %v", path, x.Res.Drop)
			}
			body, err = io.ReadAll(x.Res.Body)
			x.Res.Body.Close()
		}
		broken := want.log != "" || want.body == "!"
		if broken != (err != nil) || !broken && string(body) != want.body {
			t.Errorf("%s: %d bytes, %v", path, len(body), err)
		}
		if log := r.Log.Take(); !strings.HasPrefix(log, strings.TrimSuffix("[deflate:"+want.log, "[deflate:")) || want.log == "" && log != "" {
			t.Errorf("%s: %s", path, log)
		}
	}
}

// TestBombs: little that becomes much is given up as httpd does, after 24,288 bytes of zeros; and it is never held
// whole, even where it is allowed.
func TestBombs(t *testing.T) {
	bomb := packed(strings.Repeat("\x00", 3<<20))
	r := sitetest.New(t, preload, `
SetOutputFilter INFLATE
SetInputFilter DEFLATE
<Location /open>
DeflateInflateRatioLimit 100000
</Location>
<Location /tight>
DeflateInflateRatioLimit 2
DeflateInflateRatioBurst 1
</Location>
`, modules(func(string) sitetest.Answer {
		return sitetest.Answer{Fields: "Content-Encoding: gzip", Body: bomb, Piece: 8 << 10}
	})...)
	x := r.Get("GET / HTTP/1.1")
	n, err := io.Copy(io.Discard, x.Res.Body)
	if n != 3*8096 || err == nil || x.Res.Drop || r.Log.Take() != "[deflate:warn] AH02650: Inflated content ratio is larger than the configured limit 200 by 3 time(s)" {
		t.Error("a bomb of a member:", n, err)
	}
	x.Res.Body.Close()
	x = r.Get("GET /open HTTP/1.1")
	total := 0
	for b := make([]byte, 64<<10); ; {
		n, err := x.Res.Body.Read(b)
		if total += n; err != nil {
			break
		}
		if held := len(x.Res.Body.Buffered()); held > 64<<10 {
			t.Fatal(held, "bytes are held")
		}
	}
	if x.Res.Body.Close(); total != 3<<20 {
		t.Error("a bomb that is allowed:", total)
	}
	for path, want := range map[string]int{"/": 400, "/open": 200, "/tight": 400} {
		x := sitetest.Request("POST " + path + " HTTP/1.1\nContent-Encoding: gzip")
		sitetest.PostBody(x, bomb)
		r.Site.Serve(context.Background(), x)
		if x.Res.Status != want {
			t.Error("a bomb of a client:", path, x.Res.Status)
		}
		x.Res.Clear()
		r.Site.Done(context.Background(), x)
	}
}

// TestRequests: what httpd 2.4.71 made of packed requests.
func TestRequests(t *testing.T) {
	gz := packed("hello, member")
	r := sitetest.New(t, preload, `
SetInputFilter DEFLATE
LimitRequestBody 5000
<Location /small>
DeflateInflateLimitRequestBody 12
</Location>
`, modules(func(string) sitetest.Answer { return sitetest.Answer{} })...)
	for _, c := range []struct {
		name, path, fields, body, got string
		status                        int
		log                           string
	}{
		{"plain", "/", "", "plain", "plain", 200, ""},
		{"packed", "/", "Content-Encoding: gzip", gz, "hello, member", 200, ""},
		{"outermost", "/", "Content-Encoding: aes, x-gzip", gz, "hello, member", 200, ""},
		{"other", "/", "Content-Encoding: br", "x", "x", 200, ""},
		{"part", "/", "Content-Encoding: gzip\nContent-Range: bytes 0-1/2", gz, gz, 200, ""},
		{"none", "/", "Content-Encoding: gzip", "this is no gzip at all", "", 400, "warn] AH01387: Zlib: Invalid header"},
		{"flags", "/", "Content-Encoding: gzip", "\x1f\x8b\x08\xe0" + gz[4:], "", 400, "warn] AH01388: Zlib: Invalid flags e0"},
		{"short", "/", "Content-Encoding: gzip", gz[:5], "", 400, "error] AH02619: Encountered premature end-of-stream while reading inflate header"},
		{"cut", "/", "Content-Encoding: gzip", gz[:len(gz)-3], "", 400, "error] AH02481: Encountered premature end-of-stream while inflating"},
		{"sum", "/", "Content-Encoding: gzip", gz[:len(gz)-8] + "abcdefgh", "", 400, "warn] AH01394: Zlib: CRC error inflating data"},
		{"length", "/", "Content-Encoding: gzip", gz[:len(gz)-4] + "abcd", "", 400, "warn] AH01395: Zlib: Length 13 of inflated data does not match expected value 1684234849"},
		{"more", "/", "Content-Encoding: gzip", gz + "more", "", 400, "error] AH02485: Encountered extra data after compressed data"},
		{"corrupt", "/", "Content-Encoding: gzip", gz[:10] + "\xff\xff" + gz[12:], "", 400, "warn] AH01392: Zlib error -3 inflating data"},
		{"too much", "/small", "Content-Encoding: gzip", gz, "", 413, "warn] AH02648: Inflated content length of 13 is larger than the configured limit of 12"},
		{"more than LimitRequestBody", "/", "Content-Encoding: gzip", packed(strings.Repeat("abcdefgh", 700)), "", 413, "warn] AH02648: Inflated content length of 5600 is larger than the configured limit of 5000"},
	} {
		x := sitetest.Request("POST " + c.path + " HTTP/1.1\n" + c.fields)
		sitetest.PostBody(x, c.body)
		r.Site.Serve(context.Background(), x)
		got := x.Res.Header.Get("X-Got")
		if x.Res.Status != c.status || c.status == 200 && got != c.got {
			t.Errorf("%s: %d %q", c.name, x.Res.Status, got)
		}
		if log := r.Log.Take(); !strings.HasPrefix(log, strings.TrimSuffix("[deflate:"+c.log, "[deflate:")) || c.log == "" && log != "" {
			t.Errorf("%s: %s", c.name, log)
		}
		x.Res.Clear()
		r.Site.Done(context.Background(), x)
	}
}

// TestStreams: what has come of a packed answer can be read before the rest comes.
func TestStreams(t *testing.T) {
	gone := errors.New("the member is gone")
	for _, coding := range []string{"DEFLATE", "BROTLI_COMPRESS"} {
		r := sitetest.New(t, preload, "SetOutputFilter "+coding+"\n", modules(func(string) sitetest.Answer { return sitetest.Answer{Body: text, Piece: 100, Err: gone} })...)
		x := r.Get("GET / HTTP/1.1\nAccept-Encoding: gzip, br")
		var z io.Reader
		if coding == "DEFLATE" {
			var err error
			if z, err = gzip.NewReader(x.Res.Body); err != nil {
				t.Fatal(err)
			}
		} else {
			z = brotli.NewReader(x.Res.Body)
		}
		b := make([]byte, len(text))
		if n, err := io.ReadFull(z, b); string(b[:n]) != text || err != nil {
			t.Errorf("%s: %d bytes, %v", coding, n, err)
		}
		if n, err := z.Read(b); n > 0 || !errors.Is(err, gone) {
			t.Errorf("%s: the end is %d, %v", coding, n, err)
		}
		x.Res.Body.Close()
	}
}

// TestWords: httpd's own words.
// TestNothing: BROTLI_COMPRESS makes a byte of nothing, and tells so in its notes; of a head, too. DEFLATE leaves nothing as
// it is.
func TestNothing(t *testing.T) {
	r := sitetest.New(t, preload, `
SetOutputFilter BROTLI_COMPRESS;DEFLATE
BrotliFilterNote Input in
BrotliFilterNote Output out
BrotliFilterNote ratio
DeflateFilterNote Input in
`, modules(func(string) sitetest.Answer { return sitetest.Answer{} })...)
	for _, c := range []struct {
		method, accepts string
		bytes           int
		notes           string
	}{{"GET", "br", 1, "0 1 -"}, {"HEAD", "br", 0, "0 1 -"}, {"GET", "gzip", 0, "  "}} {
		x := r.Get(c.method + " / HTTP/1.1\nAccept-Encoding: " + c.accepts)
		body := ""
		if x.Res.Body != nil {
			body = sitetest.Body(x)
		}
		if notes := x.Notes.Value("in") + " " + x.Notes.Value("out") + " " + x.Notes.Value("ratio"); len(body) != c.bytes || notes != c.notes || x.Res.Header.Has("Content-Encoding") != (c.accepts == "br") {
			t.Errorf("%s %s: %q, notes %q", c.method, c.accepts, body, notes)
		}
	}
}

func TestWords(t *testing.T) {
	for conf, want := range map[string]string{
		"DeflateWindowSize 0":                                 "DeflateWindowSize must be between 1 and 15",
		"DeflateCompressionLevel 10":                          "Compression Level must be between 1 and 9",
		"DeflateCompressionLevel 7x":                          "",
		"DeflateBufferSize 0":                                 "DeflateBufferSize should be positive",
		"DeflateBufferSize 99999999999":                       "", // cut to 1215752191
		"DeflateInflateLimitRequestBody ' +3'":                "",
		"DeflateInflateRatioLimit 99999999999999999999":       "DeflateInflateRatioLimit must be positive",
		"DeflateMemLevel 10":                                  "DeflateMemLevel must be between 1 and 9",
		"DeflateAlterETag x":                                  "DeflateAlterETAG accepts only 'NoChange', 'AddSuffix', and 'Remove'",
		"DeflateFilterNote foo bar":                           "Unknown note type foo",
		"DeflateFilterNote a b c":                             "DeflateFilterNote takes 1-2 arguments, Set a note to report on compression ratio",
		"DeflateInflateLimitRequestBody -1":                   "DeflateInflateLimitRequestBody requires a non-negative integer.",
		"DeflateInflateLimitRequestBody 1x":                   "DeflateInflateLimitRequestBody requires a non-negative integer.",
		"DeflateInflateLimitRequestBody 99999999999999999999": "DeflateInflateLimitRequestBody is not parsable.",
		"DeflateInflateRatioLimit 0":                          "DeflateInflateRatioLimit must be positive",
		"DeflateInflateRatioBurst x":                          "DeflateInflateRatioBurst must be positive",
		"BrotliCompressionQuality 12":                         "BrotliCompressionQuality must be between 0 and 11",
		"BrotliCompressionWindow 9":                           "BrotliCompressionWindow must be between 10 and 24",
		"BrotliCompressionMaxInputBlock 25":                   "BrotliCompressionMaxInputBlock must be between 16 and 24",
		"BrotliAlterETag x":                                   "BrotliAlterETag accepts only 'AddSuffix', 'NoChange' and 'Remove'",
		"BrotliFilterNote a b":                                "Unknown BrotliFilterNote type 'a'",
	} {
		if got := sitetest.Refused(preload, conf, modules(nil)...); got != want {
			t.Errorf("%s:\n got %s\nwant %s", conf, got, want)
		}
	}
}

// TestHintsOfMemory: what is checked alone is told once, as tuning; a window is told as what it is here.
func TestHintsOfMemory(t *testing.T) {
	r := sitetest.New(t, preload, "DeflateMemLevel 3\nBrotliCompressionMaxInputBlock 20\nDeflateWindowSize 12\nDeflateCompressionLevel 3\n", modules(nil)...)
	var got []string
	for _, h := range r.Site.Config.Hints {
		if h.Name == "Listen" {
			continue // the rig's
		}
		got = append(got, fmt.Sprintf("%s %t", h.Name, h.Effect == directive.Tuning))
	}
	if want := []string{"DeflateMemLevel true", "BrotliCompressionMaxInputBlock true", "DeflateWindowSize false"}; !slices.Equal(got, want) {
		t.Error(got)
	}
}

// TestManyCoders: where too many coders are in use an answer is packed without one, or passes as it is; all of them come back.
func TestManyCoders(t *testing.T) {
	r := sitetest.New(t, preload, "SetOutputFilter BROTLI_COMPRESS;DEFLATE\n", modules(func(string) sitetest.Answer { return sitetest.Answer{Body: text, Piece: 1000} })...)
	var open []*exchange.Exchange
	codings := map[string]int{}
	for range 2*mostInUse + 10 {
		x := r.Get("GET / HTTP/1.1\nAccept-Encoding: gzip, br")
		codings[x.Res.Header.Get("Content-Encoding")]++
		open = append(open, x)
	}
	if codings["br"] != mostInUse || codings["gzip"] != mostInUse+10 {
		t.Error(codings)
	}
	for _, x := range open {
		if got := unpacked(t, x); got != text {
			t.Fatal(len(got), "bytes")
		}
	}
	if n, m := gzips[6].used.Load(), brotlisInUse.Load(); n != 0 || m != 0 {
		t.Error(n, m, "coders are in use")
	}
}
