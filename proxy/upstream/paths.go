package upstream

import (
	"math"
	"strings"

	"balancerd/proxy/internal/prefix"
)

// pathTable finds the first of many ProxyPass paths that covers a request's path, by the rule of matchPrefix,
// at the cost of the path's length. Immutable once it is filled.
type pathTable struct {
	lines prefix.Tree[int32] // by path, in which a run of slashes is one: the number of its first line and 1
	some  bool
}

// noLine is behind every line.
const noLine = math.MaxInt32

// add adds a line; lines come in their order.
func (t *pathTable) add(path string, line int32) {
	if !strings.HasPrefix(path, "/") { // it covers nothing
		return
	}
	t.some = true
	if first := t.lines.At(singleSlashes(path)); *first == 0 {
		*first = line + 1
	}
}

// first is the first line whose path covers a request's path, noLine for none. The path has no run of slashes;
// covered is how much of it the line's path covers.
func (t *pathTable) first(path string) (line int32, covered int) {
	line = noLine
	if !t.some {
		return line, 0
	}
	t.lines.Each(path, func(n int, first *int32) {
		if *first > line || path[n-1] != '/' && n < len(path) && path[n] != '/' {
			return
		}
		line, covered = *first-1, n
	})
	return line, covered
}

// singleSlashes is a path with each run of slashes made one.
func singleSlashes(path string) string {
	if !strings.Contains(path, "//") {
		return path
	}
	b := make([]byte, 0, len(path))
	for i := range len(path) {
		if path[i] != '/' || i == 0 || path[i-1] != '/' {
			b = append(b, path[i])
		}
	}
	return string(b)
}
