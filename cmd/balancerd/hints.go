package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"balancerd/apacheconf/directive"
)

// hints prints what has no effect here: a line for each directive of a file, with the lines of that
// file. A folder of icons would fill the screen otherwise.
func hints(w io.Writer, list []directive.Hint) {
	type place struct{ file, text string }
	lines := map[place][]int{}
	var order []place
	for _, h := range list {
		at := place{h.Pos.File, h.Text}
		if lines[at] == nil {
			order = append(order, at)
		}
		lines[at] = append(lines[at], h.Pos.Line)
	}
	for _, at := range order {
		fmt.Fprintf(w, "hint: %s:%s: %s\n", at.file, lineList(lines[at]), at.text)
	}
}

// shown is how many line numbers are told of one directive.
const shown = 5

func lineList(lines []int) string {
	var out []string
	for i, n := range lines {
		if i == shown {
			return strings.Join(out, ",") + fmt.Sprintf(" and %d more", len(lines)-shown)
		}
		out = append(out, strconv.Itoa(n))
	}
	return strings.Join(out, ",")
}
