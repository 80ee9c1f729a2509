package compress

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"balancerd/proxy/site/sitetest"
	"balancerd/testdata/linear"
)

// allocated is how many bytes f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// TestLongBodies: 256 MiB pass a filter in no more memory than 16.
func TestLongBodies(t *testing.T) {
	chunk := strings.Repeat("a line that packs well, and is one of very many\n", 1000)
	repeat := 1
	gz := packed(strings.Repeat("\x00", 64<<20))
	unpacks := false
	mods := modules(func(string) sitetest.Answer {
		if unpacks {
			return sitetest.Answer{Fields: "Content-Encoding: gzip", Body: gz, Piece: 8 << 10}
		}
		return sitetest.Answer{Body: chunk, Piece: 8 << 10, Repeat: repeat}
	})
	r := sitetest.New(t, preload, "DeflateInflateRatioLimit 100000\nDeflateCompressionLevel 1\n<Location /in>\nSetOutputFilter INFLATE\n</Location>\n<Location /out>\nSetOutputFilter DEFLATE\n</Location>\n", mods...)
	pass := func(path string, n int) uint64 {
		repeat = n
		return allocated(func() {
			x := r.Get("GET " + path + " HTTP/1.1\nAccept-Encoding: gzip")
			if _, err := io.Copy(io.Discard, x.Res.Body); err != nil {
				t.Fatal(err)
			}
			x.Res.Body.Close()
		})
	}
	pass("/out", 1) // a coder is made
	long := 256 << 20
	if linear.Race {
		long = 32 << 20 // each byte costs ten times as much
	}
	if few, many := pass("/out", (long/16)/len(chunk)), pass("/out", long/len(chunk)); many > few+4<<20 {
		t.Errorf("packing a sixteenth of %d bytes allocates %d, all of them %d", long, few, many)
	}
	unpacks = true
	if n := pass("/in", 1); n > 4<<20 {
		t.Errorf("unpacking 64 MiB allocates %d bytes", n)
	}
}

// sample is a text as sites send it, always the same.
func sample(kind string) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	words := strings.Fields("the quick brown fox jumps over lazy dog balancer member request answer header cookie session route weight factor status error page image style script button table row column value price order customer address street city country number date time")
	word := func() string { return words[r.IntN(len(words))] }
	var b bytes.Buffer
	for b.Len() < 200<<10 {
		switch kind {
		case "html":
			fmt.Fprintf(&b, "<tr class=\"%s row-%d\"><td><a href=\"/%s/%s?id=%d\" title=\"%s %s\">%s %s</a></td><td class=\"num\">%d.%02d</td></tr>\n", word(), r.IntN(9), word(), word(), r.IntN(1e6), word(), word(), word(), word(), r.IntN(1000), r.IntN(100))
		case "json":
			j, _ := json.Marshal(map[string]any{"id": r.IntN(1e6), "name": word() + " " + word(), "tags": []string{word(), word(), word()}, "price": r.Float64() * 100, "active": r.IntN(2) == 0})
			b.Write(append(j, ",\n"...))
		default:
			fmt.Fprintf(&b, "function %s%d(%s, %s) {\n  var %s = %s.%s(\"%s\", %d);\n  if (%s === null) { return this.%s[%d]; }\n  return %s + %s;\n}\n", word(), r.IntN(1e4), word(), word(), word(), word(), word(), word(), r.IntN(1e5), word(), word(), r.IntN(50), word(), word())
		}
	}
	return b.Bytes()[:200<<10]
}

// zlibSizes are what zlib 1.3 makes of the samples as mod_deflate calls it (memory level 9, 8 KiB at a time), by level.
var zlibSizes = map[string]map[int]int{
	"html": {1: 46683, 2: 44866, 3: 42037, 4: 41378, 5: 39276, 6: 38049, 7: 37123, 8: 36529, 9: 36546}, "json": {1: 59887, 2: 57013, 3: 53869, 4: 53242, 5: 50489, 6: 48832, 7: 48168, 8: 47516, 9: 47516}, "js": {1: 52692, 2: 50623, 3: 47335, 4: 46226, 5: 44373, 6: 42803, 7: 42226, 8: 41888, 9: 41888},
}

// TestSizes: what is packed is at most a twentieth larger than what zlib makes of it at the same level.
func TestSizes(t *testing.T) {
	for kind, sizes := range zlibSizes {
		b := sample(kind)
		for level, want := range sizes {
			k := gzips[level].get()
			k.sink = sink{to: io.Discard}
			k.Reset(&k.sink)
			for p := b; len(p) > 0; p = p[min(len(p), 8<<10):] {
				k.Write(p[:min(len(p), 8<<10)])
			}
			k.Close()
			if got := int(k.sink.n); got > want*105/100 {
				t.Errorf("%s at level %d: %d bytes, zlib makes %d", kind, level, got, want)
			}
			gzips[level].put(k)
		}
	}
}
