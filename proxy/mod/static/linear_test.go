package static

import (
	"strings"
	"testing"

	"balancerd/proxy/exchange"
	"balancerd/testdata/linear"
)

func TestFieldsOfRequestsAreLinear(t *testing.T) {
	d := &document{tag: `"abc"`, size: 1 << 40}
	for name, piece := range map[string]string{"commas": ",", "digits": "9", "tags": `"x", `, "quotes": `"`, "weak tags": `W/"x",`, "blanks": " \t"} {
		t.Run(name, func(t *testing.T) {
			input := func(size int) *exchange.Exchange {
				x := &exchange.Exchange{}
				x.Req.Method = "GET"
				text := strings.Repeat(piece, size/len(piece))
				for _, name := range []string{"If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"} {
					x.Req.Header.Add(name, text)
				}
				return x
			}
			linear.Check(t, 8<<10, input, func(x *exchange.Exchange) {
				conditions(x, d)
			})
		})
	}
}

// TestNamesAreLinear: a path that leads nowhere is left at its first missing segment.
func TestNamesAreLinear(t *testing.T) {
	dir := t.TempDir()
	for name, piece := range map[string]string{"segments": "/a", "slashes": "/", "dots": "/..a", "up": "/..", "text": "a"} {
		t.Run(name, func(t *testing.T) {
			input := func(size int) string { return dir + "/none" + strings.Repeat(piece, size/len(piece)) }
			linear.Check(t, 8<<10, input, func(path string) {
				find(path, path, func(int) linkRule { return followAlways })
				find(path, path, nil)
			})
		})
	}
}
