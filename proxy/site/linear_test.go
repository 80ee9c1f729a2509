package site

import (
	"strings"
	"testing"

	"balancerd/proxy/exchange"
	"balancerd/testdata/linear"
)

// repeated makes inputs of a piece over and over.
func repeated(before, piece, after string) func(size int) string {
	return func(size int) string { return before + strings.Repeat(piece, size/len(piece)) + after }
}

func TestPathsAreLinear(t *testing.T) {
	for name, piece := range map[string]string{
		"slashes": "/", "dots": ".", "up": "/..", "down and up": "/a/..", "here": "/./", "encoded dots": "/%2e%2E", "letters": "%41", "encoded slashes": "%2f",
		"slashes encoded twice": "%252f", "and more often": "25", "percent signs": "%25", "parameters": "/a;x=1", "segments": "/a",
	} {
		t.Run(name, func(t *testing.T) {
			linear.Check(t, 8<<10, repeated("/", piece, "/"), func(path string) {
				var a exchange.Arena
				for _, flags := range []pathFlags{0, mergeSlashes, mergeSlashes | decodeUnreserved} {
					normalize(&a, path, flags)
				}
				for _, mode := range []exchange.SlashMode{exchange.SlashesOff, exchange.SlashesOn, exchange.SlashesNoDecode} {
					decode(&a, path, mode)
				}
			})
		})
	}
}

// TestSectionsAreLinear: however deep a path is.
func TestSectionsAreLinear(t *testing.T) {
	for _, arg := range []string{"/a/*/b", "/*/*/*", "/*", "/a/"} {
		match := pathMatch(arg)
		_, folder := folderMatch(arg)
		linear.Check(t, 8<<10, repeated("/a/", "a/", "b"), func(path string) { match(nil, path); folder(nil, path) })
	}
	for _, arg := range []string{"http://*/x", "*", "http://a"} {
		match, file := targetMatch(arg), fileMatch(arg)
		linear.Check(t, 8<<10, repeated("http://a/", "a/", "y"), func(url string) { match(nil, url); file(nil, url) })
	}
}

func TestRangesAreLinear(t *testing.T) {
	for _, piece := range []string{"1-2,", "-5,", ",", " ", "9", "-", "=", "bytes="} {
		linear.Check(t, 8<<10, repeated("bytes=", piece, "5-"), func(field string) {
			readRange(field, 1<<40, &exchange.Ranges{Most: -1, Overlaps: -1, Reversals: -1})
		})
	}
}
