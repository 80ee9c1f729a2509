package upstream

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// prefixTree finds the first of many ProxyPass paths that covers a request's path, by the rule of matchPrefix,
// at the cost of the path's length: a tree whose branches are the bytes in which the paths differ. In it a run
// of slashes is one. Immutable once it is built.
type prefixTree struct{ nodes []prefixNode }

// prefixNode is a branch: what some paths have in common behind what the branch above has.
type prefixNode struct {
	text  string // in the paths
	next  string // the first byte of the text of each child
	child int32  // the first child; the children lie side by side
	line  int32  // the lowest line whose path ends here; noLine for none
}

// noLine is behind every line.
const noLine = math.MaxInt32

// prefixLine is a path and the number of its line.
type prefixLine struct {
	path string // a run of slashes is one
	line int32
}

// newPrefixTree is the tree of these paths, whose order is of no importance.
func newPrefixTree(list []prefixLine) prefixTree {
	var t prefixTree
	if len(list) == 0 {
		return t
	}
	slices.SortFunc(list, func(a, b prefixLine) int {
		return cmp.Or(strings.Compare(a.path, b.path), cmp.Compare(a.line, b.line))
	})
	t.nodes = append(t.nodes, prefixNode{line: noLine})
	t.fill(0, list, 0)
	t.nodes = slices.Clip(t.nodes)
	return t
}

// fill makes the branch of sorted paths that have their first depth bytes in common.
func (t *prefixTree) fill(node int, list []prefixLine, depth int) {
	end := depth + commonLength(list[0].path[depth:], list[len(list)-1].path[depth:])
	n := &t.nodes[node]
	n.text = list[0].path[depth:end]
	if len(list[0].path) == end {
		n.line = list[0].line
	}
	for len(list) > 0 && len(list[0].path) == end {
		list = list[1:]
	}
	first := len(t.nodes)
	var groups [][]prefixLine
	var next []byte
	for len(list) > 0 {
		c := list[0].path[end]
		k := 1
		for k < len(list) && list[k].path[end] == c {
			k++
		}
		next, groups, list = append(next, c), append(groups, list[:k]), list[k:]
		t.nodes = append(t.nodes, prefixNode{line: noLine})
	}
	t.nodes[node].child, t.nodes[node].next = int32(first), string(next)
	for i, g := range groups {
		t.fill(first+i, g, end)
	}
}

func commonLength(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// first is the lowest line whose path covers a request's path, and how many of its bytes; noLine for none.
func (t *prefixTree) first(path string) (line int32, covered int) {
	line = noLine
	if len(t.nodes) == 0 {
		return line, 0
	}
	for n, i := &t.nodes[0], 0; ; {
		text := n.text
		if i = consume(path, i, text); i < 0 {
			return line, covered
		}
		if n.line < line && (text[len(text)-1] == '/' || i == len(path) || path[i] == '/') {
			line, covered = n.line, i
		}
		if i == len(path) {
			return line, covered
		}
		k := strings.IndexByte(n.next, path[i])
		if k < 0 {
			return line, covered
		}
		n = &t.nodes[int(n.child)+k]
	}
}

// consume is where path goes on behind text, which begins at i, a run of slashes in it being one; -1 when
// something else stands there.
func consume(path string, i int, text string) int {
	for k := 0; k < len(text); k++ {
		if i == len(path) || path[i] != text[k] {
			return -1
		}
		i++
		if text[k] == '/' {
			for i < len(path) && path[i] == '/' {
				i++
			}
		}
	}
	return i
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
