package main

import (
	"strings"
	"testing"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
)

func TestHintsAreGathered(t *testing.T) {
	var list []directive.Hint
	add := func(file, text string, lines ...int) {
		for _, n := range lines {
			list = append(list, directive.Hint{Pos: apacheconf.Pos{File: file, Line: n}, Text: text})
		}
	}
	add("a", "AddIcon has no effect here", 1, 2, 3, 4, 5, 9, 10)
	add("b", "AddIcon has no effect here", 7)
	add("a", "Other has no effect here", 8, 11)
	var b strings.Builder
	hints(&b, list)
	want := "hint: a:1,2,3,4,5 and 2 more: AddIcon has no effect here\nhint: b:7: AddIcon has no effect here\nhint: a:8,11: Other has no effect here\n"
	if b.String() != want {
		t.Errorf("%s\nwant\n%s", b.String(), want)
	}
}
