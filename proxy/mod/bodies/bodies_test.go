package bodies

import (
	"context"
	"io"
	"strings"
	"testing"

	"balancerd/proxy/mod/core"
	"balancerd/proxy/mod/filter"
	"balancerd/proxy/mod/setenvif"
	"balancerd/proxy/site"
	"balancerd/proxy/site/sitetest"
)

const preload = "ratelimit buffer request env"

func modules(answer func(string) sitetest.Answer) []site.Module {
	mods := append([]site.Module{core.Module(), filter.Core()}, Modules()...)
	mods = append(mods, sitetest.Answering(answer))
	return append(mods, setenvif.Modules()...)
}

var text = strings.Repeat("0123456789", 1000)

// TestPace: at first there is a fifth of the rate and the burst, then a fifth at a time.
func TestPace(t *testing.T) {
	r := sitetest.New(t, preload, `
SetOutputFilter RATE_LIMIT
SetEnv rate-limit 20
<Location /burst>
SetEnv rate-initial-burst 2
</Location>
<Location /none>
SetEnv rate-limit none
</Location>
<Location /odd>
SetEnv rate-initial-burst x
</Location>
`, modules(func(string) sitetest.Answer { return sitetest.Answer{Body: text} })...)
	for path, want := range map[string]struct {
		first int
		log   string
	}{
		"/": {4096, ""}, "/burst": {4096 + 2048, ""}, "/none": {10000, "[ratelimit:info] AH03488: rl: disabling: rate-limit = none (too high?)"},
		"/odd": {4096, "[ratelimit:info] AH03489: rl: disabling burst: rate-initial-burst = x (too high?)"},
	} {
		x := r.Get("GET " + path + " HTTP/1.1")
		body := x.Res.Body
		if first := len(body.Buffered()); first != want.first {
			t.Errorf("%s: %d bytes at once", path, first)
		}
		if log := r.Log.Take(); log != want.log {
			t.Error(path, log)
		}
		body.Discard(len(body.Buffered()))
		if path == "/burst" {
			b := make([]byte, 10000)
			if n, err := body.Read(b); n != 10000-4096-2048 || err != nil {
				t.Error("the next interval:", n, err)
			}
			if _, err := body.Read(b); err != io.EOF {
				t.Error("the end:", err)
			}
		}
		body.Close()
	}
}

// TestBuffer: nothing is lost in a buffer, whatever its size.
func TestBuffer(t *testing.T) {
	for _, size := range []string{"1", "100", "100x", "1000000"} {
		r := sitetest.New(t, preload, "SetOutputFilter BUFFER\nSetInputFilter BUFFER\n<Location />\nBufferSize "+size+"\n</Location>\n", modules(func(string) sitetest.Answer { return sitetest.Answer{Body: text, Piece: 333} })...)
		x := sitetest.Request("POST / HTTP/1.1")
		sitetest.PostBody(x, text)
		r.Site.Serve(context.Background(), x)
		if got := x.Res.Header.Get("X-Got"); got != text {
			t.Error(size, len(got), "bytes of the request")
		}
		if got := sitetest.Body(x); got != text {
			t.Error(size, len(got), "bytes of the answer")
		}
	}
}

// TestKept: longer bodies are refused.
func TestKept(t *testing.T) {
	r := sitetest.New(t, preload, "<Location /kept>\nKeptBodySize 10\n</Location>\n<Location /kept/not>\nKeptBodySize 0\n</Location>\n", modules(func(string) sitetest.Answer { return sitetest.Answer{} })...)
	for _, c := range []struct {
		path, body string
		told       bool
		want       int
		log        string
	}{
		{"/kept", "ten bytes!", true, 200, ""},
		{"/kept", "eleven byte", true, 413, "[request:error] AH01412: Requested content-length of 11 is larger than the configured limit of 10"},
		{"/kept", "ten bytes!", false, 200, ""},
		{"/kept", "eleven byte", false, 413, "[request:error] AH01413: Requested content-length of 11 is larger than the configured limit of 10"},
		{"/kept/not", "eleven byte", true, 200, ""},
		{"/", text, true, 200, ""},
	} {
		x := sitetest.Request("POST " + c.path + " HTTP/1.1")
		sitetest.PostBody(x, c.body)
		if !c.told {
			x.Req.Length = -1
		}
		r.Site.Serve(context.Background(), x)
		if log := r.Log.Take(); x.Res.Status != c.want || log != c.log {
			t.Errorf("%s %q: %d %s", c.path, c.body, x.Res.Status, log)
		}
		x.Res.Clear()
	}
}

// TestWords: httpd's own words.
func TestWords(t *testing.T) {
	for conf, want := range map[string]string{
		"<Location />\nBufferSize 0\n</Location>":  "BufferSize must be a size in bytes, and greater than zero",
		"<Location />\nBufferSize x\n</Location>":  "BufferSize must be a size in bytes, and greater than zero",
		"<Location />\nBufferSize 1x\n</Location>": "",
		"BufferSize 10":   "BufferSize not allowed here",
		"KeptBodySize 10": "KeptBodySize not allowed here",
		"<Location />\nKeptBodySize +\n</Location>":      "KeptBodySize must be a valid size in bytes, or zero.",
		"<Location />\nKeptBodySize \" \"\n</Location>":  "KeptBodySize must be a valid size in bytes, or zero.",
		"<Location />\nKeptBodySize \" 5\"\n</Location>": "",
		"<Location />\nKeptBodySize x\n</Location>":      "KeptBodySize must be a valid size in bytes, or zero.",
		"<Location />\nKeptBodySize 1k\n</Location>":     "KeptBodySize must be a valid size in bytes, or zero.",
	} {
		if got := sitetest.Refused(preload, conf, modules(nil)...); got != want {
			t.Errorf("%s:\n got %s\nwant %s", conf, got, want)
		}
	}
}
