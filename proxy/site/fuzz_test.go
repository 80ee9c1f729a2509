package site

import (
	"net/url"
	"strings"
	"testing"

	"balancerd/apacheconf/pattern"
	"balancerd/proxy/exchange"
)

// reference normalises by taking the path apart.
func reference(path string, f pathFlags) (string, bool) {
	if path == "" || path[0] != '/' {
		return "", false
	}
	if f&decodeUnreserved != 0 {
		var valid bool
		if path, valid = referenceDecode(path); !valid {
			return "", false
		}
	}
	list := strings.Split(path[1:], "/")
	out, ok := []string{}, true
	for i, s := range list {
		last := i == len(list)-1
		switch {
		case s == "..":
			if len(out) == 0 {
				ok = false
			} else {
				out = out[:len(out)-1]
			}
			if last {
				out = append(out, "")
			}
		case s == "." || s == "" && f&mergeSlashes != 0:
			if last {
				out = append(out, "")
			}
		default:
			out = append(out, s)
		}
	}
	return "/" + strings.Join(out, "/"), ok
}

// referenceDecode decodes what is unreserved, by net/url's hands.
func referenceDecode(path string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		if path[i] != '%' {
			b.WriteByte(path[i])
			continue
		}
		if i+2 >= len(path) {
			return "", false
		}
		c, err := url.PathUnescape(path[i : i+3])
		if err != nil {
			return "", false
		}
		if url.QueryEscape(c) == c {
			b.WriteString(c)
		} else {
			b.WriteString(path[i : i+3])
		}
		i += 2
	}
	return b.String(), true
}

// rooted tells that a path never leaves the root.
func rooted(path string) bool {
	if path == "" || path[0] != '/' {
		return false
	}
	for s := range strings.SplitSeq(path, "/") {
		if s == "." || s == ".." {
			return false
		}
	}
	return true
}

// FuzzNormalize: the same as taking the path apart, never above the root, and once is enough.
func FuzzNormalize(f *testing.F) {
	for _, s := range []string{"/", "/a/../b", "//a/./%2e%2E/b//", "/%41%2f..%2f", "/..", "/a%", "/.%2e/x", "/...", "/a/..b/.c/", "///../"} {
		f.Add(s, uint8(3))
		f.Add(s, uint8(0))
	}
	f.Fuzz(func(t *testing.T, path string, flags uint8) {
		var a exchange.Arena
		how := pathFlags(flags & 3)
		got, ok := normalize(&a, path, how)
		want, wantOK := reference(path, how)
		if ok != wantOK || want != "" && got != want {
			t.Fatalf("%q %b: %q %v, want %q %v", path, how, got, ok, want, wantOK)
		}
		if want == "" {
			return
		}
		if !rooted(got) {
			t.Fatalf("%q %b: %q leaves the root", path, how, got)
		}
		// What was decoded once is not decoded again: %2541 is %41 to the member, and no A.
		if again, ok := normalize(&a, got, how&^decodeUnreserved); !ok || again != got {
			t.Fatalf("%q %b: %q, and once more %q %v", path, how, got, again, ok)
		}
	})
}

// FuzzDecodePath: whatever AllowEncodedSlashes says, what is served lies below the root and is what
// net/url decodes, with no slash that the client did not write, or was allowed to encode.
func FuzzDecodePath(f *testing.F) {
	for _, s := range []string{"/a%2fb", "/..%2fadmin", "/a%252fb%25", "/%2e%2e%2f", "/x%00", "/a%2f%2f..%2f../b", "/%", "/%c0%af"} {
		for mode := range uint8(3) {
			f.Add(s, mode, true)
		}
	}
	f.Fuzz(func(t *testing.T, raw string, mode uint8, merge bool) {
		if strings.ContainsRune(raw, 0) {
			return // no request line holds one
		}
		flags := decodeUnreserved
		if merge {
			flags |= mergeSlashes
		}
		srv := &exchange.Server{EncodedSlashes: exchange.SlashMode(mode % 3), Levels: &exchange.Levels{}}
		x := &exchange.Exchange{Server: srv}
		path, ok := normalize(&x.Arena, raw, flags)
		if !ok {
			return
		}
		x.Req.Path = path
		if decodePath(x, srv, flags) != nil {
			return
		}
		got := x.Req.Path
		if !rooted(got) || strings.ContainsRune(got, 0) {
			t.Fatalf("%q %d: %q", raw, mode%3, got)
		}
		plain, err := url.PathUnescape(path)
		if err != nil {
			t.Fatalf("%q %d: %q, which net/url refuses: %v", raw, mode%3, got, err)
		}
		switch srv.EncodedSlashes {
		case exchange.SlashesOn:
			if want, _ := reference(plain, flags&^decodeUnreserved); got != want {
				t.Fatalf("%q decoded: %q, want %q", raw, got, want)
			}
		case exchange.SlashesOff:
			if got != plain {
				t.Fatalf("%q: %q, want %q", raw, got, plain)
			}
		default:
			if strings.Count(got, "/") != strings.Count(path, "/") {
				t.Fatalf("%q: %q has a slash that was encoded", raw, got)
			}
		}
	})
}

// FuzzGlobAbove holds the look at two folders against one at all of them.
func FuzzGlobAbove(f *testing.F) {
	for _, s := range [][2]string{{"/a/*", "/a/b/c"}, {"/*/b/", "/a/b/c"}, {"/a*", "/a"}, {"*", "/a/b"}, {"/[a/]b/*", "/ab/c/d"}, {"/a//*", "/a//b/c"}, {`/\/a/?`, "//a/b/c"}, {"//*", "//a/b"}, {"", "/a"}, {"/", "//a"}} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, arg, path string) {
		want := false
		for i := 1; i < len(path); i++ {
			if path[i] == '/' {
				want = want || pattern.Shell(arg, path[:i], pattern.Pathname) || pattern.Shell(arg, path[:i+1], pattern.Pathname)
			}
		}
		if got := globAbove(arg, path); got != want {
			t.Errorf("%q above %q: %v", arg, path, got)
		}
	})
}
