package compress

import (
	"bytes"
	"compress/gzip"
	"io"
	"strings"
	"testing"

	"balancerd/proxy/exchange"
	"balancerd/proxy/site/sitetest"
)

// FuzzPack: what is packed, in pieces of any size, the standard library unpacks to what it was; and so does INFLATE.
func FuzzPack(f *testing.F) {
	for _, s := range []string{"", "a", strings.Repeat("abc", 500), text, "\x00\xff\x80"} {
		f.Add([]byte(s), 7)
	}
	body, piece := "", 1
	there := sitetest.New(f, preload, "SetOutputFilter DEFLATE\n", modules(func(string) sitetest.Answer { return sitetest.Answer{Body: body, Piece: piece} })...)
	back := sitetest.New(f, preload, "SetOutputFilter INFLATE\n", modules(func(string) sitetest.Answer {
		return sitetest.Answer{Fields: "Content-Encoding: gzip", Body: body, Piece: piece}
	})...)
	f.Fuzz(func(t *testing.T, b []byte, n int) {
		if len(b) > 1<<14 {
			return
		}
		body, piece = string(b), max(1, n%1000)
		x := there.Get("GET / HTTP/1.1\nAccept-Encoding: gzip")
		if x.Res.Header.Get("Content-Encoding") != "gzip" {
			return // too short
		}
		gz := sitetest.Body(x)
		z, err := gzip.NewReader(strings.NewReader(gz))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(z); !bytes.Equal(got, b) || err != nil {
			t.Fatalf("%d bytes became %d, %v", len(b), len(got), err)
		}
		body = gz
		if got := sitetest.Body(back.Get("GET / HTTP/1.1")); got != string(b) {
			t.Fatalf("INFLATE: %d bytes became %d", len(b), len(got))
		}
	})
}

// FuzzGunzip: what the standard library takes for one gzip member is taken, with the same result, and what it does not
// take is not; nothing grows beyond the limits.
func FuzzGunzip(f *testing.F) {
	gz := packed(text[:300])
	for _, s := range []string{gz, gz[:20], gz + "x", gz[:len(gz)-4] + "abcd", "\x1f\x8b\x08\x1e" + gz[4:10] + "\x03\x00xyzn\x00c\x00\x12\x34" + gz[10:], packed(strings.Repeat("\x00", 1<<16))} {
		f.Add([]byte(s), 100)
	}
	f.Fuzz(func(t *testing.T, b []byte, n int) {
		if len(b) > 1<<14 {
			return
		}
		g := &gunzip{from: &stutter{bytes.NewReader(b), max(1, n%500)}, rules: &unpacking{step: 8096, ratio: 200, burst: 3}, words: ofRequests, limit: 1 << 20}
		got, err := io.ReadAll(g)
		g.Close()
		if len(got) > 1<<20 {
			t.Fatal(len(got), "bytes")
		}
		as := bytes.Clone(b)
		if len(as) > 2 {
			as[2] = 8 // the method is not looked at, as in httpd
		}
		z, zerr := gzip.NewReader(bytes.NewReader(as))
		var want []byte
		if zerr == nil {
			z.Multistream(false)
			want, zerr = io.ReadAll(io.LimitReader(z, 1<<20+1))
		}
		switch {
		case len(b) > 3 && err == nil && (zerr != nil && b[3]&hasSum == 0 || zerr == nil && !bytes.Equal(got, want)):
			t.Fatalf("%q: %d bytes, the library %d, %v", b, len(got), len(want), zerr)
		case err != nil && zerr == nil && err != ofRequests.more && !limited(err) && len(b) > 3 && b[3]&reserved == 0:
			t.Fatalf("%q: %v", b, err)
		}
	})
}

// limited reports whether a limit was met.
func limited(err error) bool {
	f, ok := err.(*fault)
	return ok && (strings.HasPrefix(f.message, "AH02648") || strings.HasPrefix(f.message, "AH02649"))
}

// stutter gives a few bytes a read.
type stutter struct {
	io.Reader
	n int
}

func (s *stutter) Read(p []byte) (int, error) { return s.Reader.Read(p[:min(len(p), s.n)]) }

// FuzzAccept: the lists of codings are walked to their end, whatever they are.
func FuzzAccept(f *testing.F) {
	for _, s := range []string{"gzip", "br;q=0, gzip", "\"", "gzip;q=\"", ";;,,"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if acceptable(s, "gzip") && !strings.Contains(strings.ToLower(s), "gzip") {
			t.Fatal(s)
		}
		coded(s)
		var h exchange.Header
		h.Set("Content-Encoding", s)
		if takeGzip(&h) && !strings.Contains(strings.ToLower(s), "gzip") {
			t.Fatal(s)
		}
	})
}
