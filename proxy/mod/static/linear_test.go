package static

import (
	"strings"
	"testing"

	"balancerd/testdata/linear"
)

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
