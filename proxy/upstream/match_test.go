package upstream

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	"balancerd/proxy/exchange"
)

func TestMatchPrefix(t *testing.T) {
	for _, c := range []struct {
		path, prefix string
		want         int
	}{
		{"/a", "/a", 2}, {"/a/", "/a", 2}, {"/a/b", "/a", 2}, {"/ab", "/a", 0}, {"/A", "/a", 0}, {"/", "/a", 0}, {"", "/a", 0},
		{"/a", "/a/", 0}, {"/a/", "/a/", 3}, {"/a//b", "/a/", 4}, {"//a///b", "/a/b", 7}, {"/a/b", "//a//b", 4}, {"/a", "//a//", 0},
		{"/x", "/", 1}, {"///x", "/", 3}, {"/", "/", 1}, {"a", "/", 0}, {"/x", "", 0}, {"/a", "a", 0},
	} {
		if got := matchPrefix(c.path, c.prefix); got != c.want {
			t.Errorf("%q %q: %d, want %d", c.path, c.prefix, got, c.want)
		}
	}
}

// The rests are those that httpd 2.4.71 sent for ProxyPass /a/b http://h/x and /s/ http://h/sl/.
func TestMatchServlet(t *testing.T) {
	for _, c := range []struct{ path, prefix, rest, plain string }{
		{"/a/b", "/a/b", "", "/a/b"}, {"/a/b/", "/a/b", "/", "/a/b/"}, {"/a/b;p", "/a/b", "", "/a/b"}, {"/a/b;p/", "/a/b", "/", "/a/b/"},
		{"/a/b;p/;q", "/a/b", "", "/a/b/"}, {"/a;x/b", "/a/b", "", "/a/b"}, {"/a/b/.;p/c", "/a/b", "/.;p/c", "/a/b/c"}, {"/a/b/x/..;p/c", "/a/b", "/c", "/a/b/c"},
		{"/a/b/..;p/b/c", "/a/b", "/c", "/a/b/c"}, {"/a/..;p/a/b/c", "/a/b", "none", ""}, {"/x/..;/a/b", "/a/b", "none", ""}, {"/abc/..;/x", "/pub/x", "", "/x"}, {"/abc/x/..;/..;/x", "/pub/x", "", "/x"}, {"/a/b/c/", "/a/b", "/c/", "/a/b/c/"}, {"/a/b//c", "/a/b", "/c", "/a/b/c"},
		{"/a/b/c;y/d;z", "/a/b", "/c;y/d;z", "/a/b/c/d"}, {"/a/b/;x", "/a/b", "", "/a/b/"}, {"/a;/b;/c", "/a/b", ";/c", "/a/b/c"}, {"/a/;p/b/c", "/a/b", "/c", "/a/b/c"},
		{"/s;v/", "/s/", "", "/s/"}, {"/s/;p", "/s/", "", "/s/"}, {"/s/;p/x", "/s/", ";p/x", "/s/x"}, {"/x", "/", "x", "/x"}, {"/", "/", "", "/"},
		{"/a/bc", "/a/b", "none", ""}, {"/..;x/a/b", "/a/b", "none", ""}, {"/s", "/s/", "none", ""}, {"/s;v", "/s/", "none", ""}, {"/a", "/a/b", "none", ""}, {"a/b", "/a/b", "none", ""},
	} {
		n, plain, ok := matchServlet(c.path, c.prefix)
		rest := "none"
		if ok {
			rest = c.path[n:]
		}
		if rest != c.rest || plain != c.plain {
			t.Errorf("%s %s: %q %q, want %q %q", c.path, c.prefix, rest, plain, c.rest, c.plain)
		}
	}
}

// FuzzMatch holds prefixes against regular expressions, and what is left of a servlet's path against
// its segments.
func FuzzMatch(f *testing.F) {
	f.Add("/a/..;x//b;y/./c", "/a/b/")
	f.Add("/a//b/c", "/a/b")
	f.Add("/ab", "/a")
	f.Add("/x/;p/y", "//x/")
	slashes := regexp.MustCompile(`/+`)
	f.Fuzz(func(t *testing.T, path, prefix string) {
		for i := range len(path + prefix) {
			if (path + prefix)[i] >= 0x80 {
				return
			}
		}
		re := "(?s)^(" + slashes.ReplaceAllLiteralString(regexp.QuoteMeta(prefix), "/+") + ")"
		if !strings.HasSuffix(prefix, "/") {
			re += "(/|$)"
		}
		want := 0
		if m := regexp.MustCompile(re).FindStringSubmatch(path); m != nil && prefix != "" {
			want = len(m[1])
		}
		if n := matchPrefix(path, prefix); n != want {
			t.Errorf("%q covers %d of %q, want %d", prefix, n, path, want)
		}
		n, plain, ok := matchServlet(path, prefix)
		if !ok {
			return
		}
		if n < 0 || n > len(path) {
			t.Errorf("matchServlet %d of %q", n, path)
		}
		for s := range strings.SplitSeq(plain, "/") {
			if s == "." || s == ".." || strings.Contains(s, ";") {
				t.Errorf("%q is plainly %q", path, plain)
			}
		}
		if !strings.HasPrefix(path[n:], "/") && n < len(path) && path[n] != ';' && !strings.HasSuffix(prefix, "/") {
			t.Errorf("%q of %q leaves %q", prefix, path, path[n:])
		}
	})
}

func TestEncodePath(t *testing.T) {
	for _, c := range []struct{ path, want, kept string }{
		{"/a b", "/a%20b", "/a%20b"}, {"/%", "/%25", "/%25"}, {"/%2f", "/%252f", "/%2f"}, {"/a%2Fb", "/a%252Fb", "/a%2Fb"}, {"/%252f", "/%25252f", "/%252f"},
		{"/%25", "/%2525", "/%2525"}, {"/%2", "/%252", "/%252"}, {"/\x00\n\xff", "/%00%0A%FF", "/%00%0A%FF"}, {"", "", ""}, {"/~$-_.+!*'(),;:@&=", "/~$-_.+!*'(),;:@&=", "/~$-_.+!*'(),;:@&="},
	} {
		a := &exchange.Arena{}
		if got, kept := encodePath(a, c.path, false), encodePath(a, c.path, true); got != c.want || kept != c.kept {
			t.Errorf("%q: %q %q, want %q %q", c.path, got, kept, c.want, c.kept)
		}
	}
}

// A member that decodes what it gets sees what was mapped.
func FuzzEncodePath(f *testing.F) {
	f.Add("/a%2f b\x7f?#")
	f.Fuzz(func(t *testing.T, path string) {
		sent := encodePath(&exchange.Arena{}, path, false)
		if got, err := url.PathUnescape(sent); err != nil || got != path || !visible(sent) {
			t.Errorf("%q went out as %q", path, sent)
		}
	})
}

func TestNamesField(t *testing.T) {
	for _, c := range []struct {
		list, name string
		want       bool
	}{{"a, b", "B", true}, {"a,b;c", "c", true}, {"ab", "a", false}, {"", "", false}, {`"x"`, "X", true}, {" ,; a", "a", true}, {"close", "close", true}} {
		if got := nameSeparators.Lists(c.list, c.name); got != c.want {
			t.Errorf("%q %q: %v", c.list, c.name, got)
		}
	}
}

func TestSplitAuthority(t *testing.T) {
	for _, c := range []struct {
		text, host string
		port       uint16
		ok         bool
	}{{"h", "h", 0, true}, {"h:81", "h", 81, true}, {"u:p@h:81", "h", 81, true}, {"h:81x", "h:81x", 0, true}, {"h:99999", "h", 0, false}, {"h:0", "h", 0, false}, {"h:", "h:", 0, true},
		{"[::1]", "::1", 0, true}, {"[::1]:81", "::1", 81, true}, {"[::1", "", 0, false}, {"[::1]x", "::1", 0, false}, {"", "", 0, false}, {":81", "", 81, false}} {
		host, port, ok := splitAuthority(c.text)
		if ok != c.ok || ok && (host != c.host || port != c.port) {
			t.Errorf("%q: %q %d %v", c.text, host, port, ok)
		}
	}
}
