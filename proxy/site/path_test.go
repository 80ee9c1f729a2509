package site

import (
	"testing"

	"balancerd/proxy/exchange"
)

func TestNormalize(t *testing.T) {
	const all = mergeSlashes | decodeUnreserved
	for _, c := range []struct {
		in    string
		flags pathFlags
		want  string
		ok    bool
	}{
		{"/", all, "/", true},
		{"/a/b", all, "/a/b", true},
		{"/a//b/./c/../d", all, "/a/b/d", true},
		{"//p///x", all, "/p/x", true},
		{"//p///x", decodeUnreserved, "//p///x", true},
		{"/%41%7e~", all, "/A~~", true},
		{"/%2e%2e/x", all, "", false},
		{"/a/%2e/b", all, "/a/b", true},
		{"/a/%2E%2e/b", all, "/b", true},
		{"/a/..", all, "/", true},
		{"/a/.", all, "/a/", true},
		{"/..", all, "", false},
		{"/a/../../x", all, "", false},
		{"/.hidden/..x/...", all, "/.hidden/..x/...", true},
		{"/%zz", all, "", false},
		{"/%4", all, "", false},
		{"/a%20b%2f", all, "/a%20b%2f", true},
		{"x", all, "", false},
		{"", all, "", false},
	} {
		var a exchange.Arena
		got, ok := normalize(&a, c.in, c.flags)
		if ok != c.ok || ok && got != c.want {
			t.Errorf("normalize(%q, %b) = %q %v, want %q %v", c.in, c.flags, got, ok, c.want, c.ok)
		}
	}
}

func TestDecode(t *testing.T) {
	for _, c := range []struct {
		in   string
		mode exchange.SlashMode
		want string
		how  unescapeResult
	}{
		{"/a%20b", exchange.SlashesOff, "/a b", decoded},
		{"/a%2fb", exchange.SlashesOff, "", slashes},
		{"/a%2fb", exchange.SlashesOn, "/a/b", decoded},
		{"/a%2Fb%20", exchange.SlashesNoDecode, "/a%2Fb ", decoded},
		{"/a%252fb%25", exchange.SlashesNoDecode, "/a%252fb%", decoded},
		{"/a%252fb", exchange.SlashesOn, "/a%2fb", decoded},
		{"/a%00", exchange.SlashesOff, "", nulFound},
		{"/a%0", exchange.SlashesOff, "", badHex},
	} {
		var a exchange.Arena
		got, how := decode(&a, c.in, c.mode)
		if how != c.how || how == decoded && got != c.want {
			t.Errorf("decode(%q, %d) = %q %d, want %q %d", c.in, c.mode, got, how, c.want, c.how)
		}
	}
}

func TestSegmentPrefix(t *testing.T) {
	for _, c := range []struct {
		prefix, path string
		ok           bool
	}{{"/p", "/p", true}, {"/p", "/p/x", true}, {"/p", "/px", false}, {"/q/", "/q", false}, {"/q/", "/q/x", true}, {"/", "/any", true}} {
		if got := segmentPrefix(c.prefix, c.path); got != c.ok {
			t.Errorf("segmentPrefix(%q, %q) = %v", c.prefix, c.path, got)
		}
	}
}
