package wire

import (
	"strings"
	"testing"

	"balancerd/testdata/linear"
)

// TestHeadsByteByByteAreLinear: a head that comes in small pieces costs what one costs that comes at once.
func TestHeadsByteByByteAreLinear(t *testing.T) {
	rules := Rules{Line: 1 << 24, FieldSize: 1 << 24}
	input := func(size int) []byte {
		return []byte("GET /" + strings.Repeat("x", size/2) + " HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("a: b\r\n c\r\n", size/20) + "\r\n")
	}
	for _, step := range []int{1, 7, 1000} {
		linear.Check(t, 13<<10, input, func(b []byte) {
			var s HeadScan
			var r Request
			var h Header
			for n := 0; ; {
				if n == len(b) {
					t.Fatal("the end of the head was missed")
				}
				n = min(n+step, len(b))
				if !s.Due(b[:n], EmptyLine) {
					continue
				}
				_, err := ParseRequest(b[:n], &rules, &r, &h)
				if err == nil {
					return
				}
				if err != ErrIncomplete {
					t.Fatal(err)
				}
				s.Tried = n
			}
		})
	}
}
