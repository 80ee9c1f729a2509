package wire

import (
	"fmt"
	"strings"
	"testing"

	"balancerd/testdata/linear"
)

// fill repeats a piece, whose %d is a running number, up to a size.
func fill(size int, piece string) string {
	var b strings.Builder
	for i := 0; b.Len() < size; i++ {
		if strings.Contains(piece, "%d") {
			fmt.Fprintf(&b, piece, i)
		} else {
			b.WriteString(piece)
		}
	}
	return b.String()
}

// wide are rules that bound nothing, as a configuration may have them.
var wide = Rules{Line: 1 << 24, FieldSize: 1 << 24, Fields: 0}

const get = "GET / HTTP/1.1\r\nHost: x\r\n"

// TestRequestHeadsAreLinear: no head costs more than its bytes.
func TestRequestHeadsAreLinear(t *testing.T) {
	folds := "b\r\n" + strings.Repeat(" c\r\n", 200)
	for name, c := range map[string]struct {
		before, piece, after string
	}{
		"one folded field":       {get + "X: b\r\n", " c\r\n", "\r\n"},
		"folds of long lines":    {get + "X: b\r\n", " " + strings.Repeat("c", 500) + "\r\n", "\r\n"},
		"many folded fields":     {get, "X-%d: " + folds, "\r\n"},
		"folded fields, merged":  {get, "X: " + folds, "\r\n"},
		"one name":               {get, "a: b\r\n", "\r\n"},
		"two names in turn":      {get, "a: b\r\nc: d\r\n", "\r\n"},
		"cookies":                {get, "Cookie: a=b\r\n", "\r\n"},
		"many names":             {get, "x-%d: b\r\n", "\r\n"},
		"many names, twice each": {get, "x-%d: b\r\nX-%[1]d: c\r\n", "\r\n"},
		"options of Connection":  {get + "Connection: a", ",x%d", "\r\n\r\n"},
		"Connection fields":      {get, "Connection: a,b\r\n", "\r\n"},
		"blanks in Connection":   {get + "Connection: a", ",  \t", "\r\n\r\n"},
		"Expect":                 {get, "Expect: 100-continue\r\n", "\r\n"},
		"codings":                {get + "Transfer-Encoding: a", ", b", "\r\n\r\n"},
		"Content-Length":         {get + "Content-Length: 1", "0", "\r\n\r\n"},
		"host of labels":         {"GET / HTTP/1.1\r\nHost: a", ".a", "\r\n\r\n"},
		"host of zeroes":         {"GET / HTTP/1.1\r\nHost: 1", ".01", "\r\n\r\n"},
		"host of digits":         {"GET / HTTP/1.1\r\nHost: a:", "1", "\r\n\r\n"},
		"absolute target":        {"GET http://h/", "a/", " HTTP/1.1\r\nHost: x\r\n\r\n"},
		"users in the target":    {"GET http://a", "@a", "/ HTTP/1.1\r\nHost: x\r\n\r\n"},
		"colons in the target":   {"GET http://a", ":a", "/ HTTP/1.1\r\nHost: x\r\n\r\n"},
		"slashes":                {"GET /", "/", " HTTP/1.1\r\nHost: x\r\n\r\n"},
		"questions":              {"GET /?", "?#", " HTTP/1.1\r\nHost: x\r\n\r\n"},
		"blanks in the line":     {"GET", " \t", "/ HTTP/1.1\r\nHost: x\r\n\r\n"},
		"a long method":          {"G", "x", " / HTTP/1.1\r\nHost: x\r\n\r\n"},
		"blanks around a value":  {get + "a: ", " ", "b\r\n\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, unsafe := range []bool{false, true} {
				rules := wide
				rules.Unsafe = unsafe
				input := func(size int) []byte { return []byte(c.before + fill(size, c.piece) + c.after) }
				var h Header // a connection's, whose storage is used again
				linear.Check(t, 8<<10, input, func(b []byte) {
					var r Request
					if _, err := ParseRequest(b, &rules, &r, &h); err == ErrIncomplete {
						t.Error("the head is not whole")
					}
				})
			}
		})
	}
}

// TestResponseHeadsAreLinear: a line is bounded by responsefieldsize=, which may be large; a head by 64 KiB beside it.
func TestResponseHeadsAreLinear(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	for name, c := range map[string]struct{ before, piece, after string }{
		"one folded field":    {ok + "X: b\r\n", " c\r\n", "\r\n"},
		"many folded fields":  {ok, "X: b\r\n c\r\n c\r\n c\r\n", "\r\n"},
		"one name":            {ok, "a: b\r\n", "\r\n"},
		"many names":          {ok, "x-%d: b\r\n", "\r\n"},
		"lines that are none": {ok, "HTTP/1.1 200 O\r\n", "\r\n"},
		"a long reason":       {"HTTP/1.1 200 ", "x", "\r\n\r\n"},
		"a long value":        {ok + "a: ", " b", "\r\n\r\n"},
		"lengths":             {ok, "Content-Length: 5\r\n", "\r\n"},
		"codings":             {ok, "Transfer-Encoding: chunked\r\n", "\r\n"},
		"Connection":          {ok, "Connection: a, b\r\n", "\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			rules := ResponseRules{FieldSize: 1 << 20, OnBad: BadIsIgnored}
			input := func(size int) []byte { return []byte(c.before + fill(size, c.piece) + c.after) }
			var h Header
			linear.Check(t, 8<<10, input, func(b []byte) {
				var r Response
				if _, err := ParseResponse(b, &rules, &r, &h); err != nil {
					t.Error(err)
				}
				ResponseFraming(r.Status, false, &h)
				h.Joined("Connection")
				h.Joined("a")
				h.Count("a")
				h.Set("a", "b")
				h.Del("X")
			})
		})
	}
}

// TestChunksAreLinear: whole and byte by byte.
func TestChunksAreLinear(t *testing.T) {
	for name, c := range map[string]struct {
		small                int
		before, piece, after string
	}{
		"small chunks":       {16 << 10, "", "1\r\na\r\n", "0\r\n\r\n"},
		"one extension":      {3 << 10, "1;a", "a", "\r\na\r\n0\r\n\r\n"},
		"many extensions":    {16 << 10, "", "1;a\r\na\r\n", "0\r\n\r\n"},
		"zeroes":             {4 << 10, "", "0", "1\r\na\r\n0\r\n\r\n"},
		"trailers":           {3 << 10, "0\r\n", "x-%d: y\r\n", "\r\n"},
		"trailers, one name": {3 << 10, "0\r\n", "x: y\r\n", "\r\n"},
		"a folded trailer":   {3 << 10, "0\r\nx: y\r\n", " z\r\n", "\r\n"},
		"a long trailer":     {3 << 10, "0\r\nx: ", "y", "\r\n\r\n"},
	} {
		for _, step := range []int{1 << 30, 1} {
			t.Run(fmt.Sprint(name, " by ", step), func(t *testing.T) {
				input := func(size int) []byte { return []byte(c.before + fill(size, c.piece) + c.after) }
				linear.Check(t, c.small, input, func(text []byte) {
					var d Chunks
					d.Reset(&wide)
					b := append([]byte(nil), text...)
					for len(b) > 0 && !d.Done() {
						_, used, err := d.Decode(b[:min(step, len(b))])
						if err != nil {
							t.Fatal(err)
						}
						b = b[used:]
					}
					var h Header
					d.Trailer(&h)
					if !d.Done() {
						t.Fatal("not over")
					}
				})
			})
		}
	}
}

func TestListsAreLinear(t *testing.T) {
	for name, piece := range map[string]string{"elements": "a%d, ", "one name": "a,", "capitals": "A%d,", "blanks": " \t", "commas": ",", "one element": "a"} {
		t.Run(name, func(t *testing.T) {
			input := func(size int) string { return fill(size, piece) }
			linear.Check(t, 16<<10, input, func(s string) {
				var set NameSet
				set.AddList(s)
				set.Has("x")
				Lists(s, "close")
			})
		})
	}
}

// TestNameSet: few or many, with capitals or without.
func TestNameSet(t *testing.T) {
	for _, n := range []int{3, fewNames, fewNames + 1, 500} {
		set := NameSetOn(make([]string, 0, 4))
		want := []string{}
		for i := range n {
			set.AddList(fmt.Sprintf("Name-%d,, name-%d ", i, i))
			want = append(want, fmt.Sprintf("Name-%d", i))
		}
		if got := fmt.Sprint(set.Names()); got != fmt.Sprint(want) {
			t.Errorf("%d names: %s", n, got)
		}
		if !set.Has(fmt.Sprintf("NAME-%d", n-1)) || set.Has(fmt.Sprintf("name-%d", n)) {
			t.Errorf("%d names: wrong members", n)
		}
	}
}

// TestJoinedValuesStand: what was joined holds when the buffer is overwritten but for the values that came
// in one piece, and folding after merging of other fields mixes nothing up.
func TestJoinedValuesStand(t *testing.T) {
	text := get + "A: 1\r\n 2\r\nB: x\r\n y\r\n\tz\r\na: 3\r\nC:\r\n v\r\n w\r\nB: q\r\na: 4\r\n 5\r\n\r\n"
	var r Request
	var h Header
	if _, err := ParseRequest([]byte(text), &wide, &r, &h); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"A": "1 2, 3, 4 5", "B": "x y z, q", "C": "v w", "Host": "x"} {
		if got := h.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}
