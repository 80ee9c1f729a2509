package sed

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"balancerd/proxy/exchange"
)

// run is what comes of a body in pieces, and whether it came to its end.
func run(s *script, body string, piece int) (string, error) {
	m := newMachine(s, &exchange.Exchange{})
	m.left = 1 << 16
	out := ""
	take := func() error {
		for stopped := true; stopped; {
			var err error
			stopped, err = m.run()
			out += string(m.out)
			m.out = m.out[:0]
			if err != nil {
				return err
			}
		}
		return nil
	}
	for len(body) > 0 {
		n := min(piece, len(body))
		m.in = []byte(body[:n])
		if err := take(); err != nil {
			return out, err
		}
		body = body[n:]
	}
	m.close()
	return out, take()
}

// FuzzScript: whatever a script is, what comes of a body does not depend on the pieces that it comes in.
func FuzzScript(f *testing.F) {
	recorded(f, "answers.jsonl", func(row []any) { f.Add(strings.Join(linesOf(row[0]), "\n"), textOf(row[1]), 3) })
	recorded(f, "words.jsonl", func(row []any) { f.Add(textOf(row[0]), "a\nb\n", 1) })
	f.Add(`s/\(a\(b\)\1\)/x/`, "xxab\nabbab\n", 4)
	f.Add(`s/\(a\(b\)\)\2/<\1>/g`, "xxab\nabbab\n", 4)
	f.Add(`s/\(a\)\(b\(c\)\2\)/x/`, "abcb\nabcbc\n", 4)
	f.Add(`yn\\nab`, "n\n", 4)
	f.Add(":a\n/a.c/!{\nN\nb a\n}\ns/\\n/,/g", "a\na\n\nc\nabc\nb\na\n\nc", 4)
	f.Add(":a\n/ab*c/!{\nN\nx;G;x;y/b/a/\nb a\n}", "a\na\nbc\nc\nabc\nb\na\n\nc", 4)
	f.Fuzz(func(t *testing.T, text, body string, piece int) {
		if len(text) > 400 || len(body) > 1000 {
			return
		}
		over := time.AfterFunc(time.Minute, func() { panic("has no end") })
		defer over.Stop()
		s, ok := scriptOf(text)
		if !ok {
			return
		}
		for _, c := range s.commands {
			if c.path != "" || c.file >= 0 {
				return
			}
		}
		whole, err := run(s, body, len(body)+1)
		if got, gerr := run(s, body, max(1, piece%50)); got != whole || (gerr == nil) != (err == nil) {
			t.Fatalf("%q on %q: %q %v, in pieces %q %v", text, body, whole, err, got, gerr)
		}
		plain, _ := scriptOf(text)
		slowly(plain)
		if got, gerr := run(plain, body, len(body)+1); err == nil && gerr == nil && got != whole {
			t.Fatalf("%q on %q: %q, slowly %q", text, body, whole, got)
		}
	})
}

// scriptOf compiles lines.
func scriptOf(text string) (s *script, ok bool) {
	s = &script{}
	for line := range strings.SplitSeq(text, "\n") {
		if _, err := s.add(line); err != nil {
			return nil, false
		}
	}
	return s, true
}

// slowly has the expressions of a script look at each place.
func slowly(s *script) {
	for i := range s.commands {
		c := &s.commands[i]
		for _, e := range []*expr{c.first.re, c.second.re, c.re} {
			if e != nil {
				e.prefix, e.width = nil, anyWidth
			}
		}
	}
}

// FuzzExpression: the expressions that Go's engine has, too, find what that finds, where they find nothing empty.
func FuzzExpression(f *testing.F) {
	f.Add("a[bc]*d", "abcd ad xabbbd")
	f.Add("[^a-c]x.", "axb dxe\n")
	f.Add("ab*", "ab abb a")
	f.Add("x.*y", "axbyy x y")
	f.Fuzz(func(t *testing.T, e, body string) {
		if len(e) > 40 || len(body) > 400 || strings.ContainsAny(e, "\\/^$(){}|+?\n\x00") || strings.ContainsAny(body, "\x00\n") || strings.Contains(e, "**") || strings.HasPrefix(e, "*") || strings.Count(e, "[") > 1 || strings.Contains(e, "[:") || strings.Contains(e, "&&") {
			return
		}
		for _, b := range []byte(e + body) {
			if b >= 0x80 {
				return
			}
		}
		re, err := regexp.Compile("(?s)" + e)
		s := &script{}
		if _, serr := s.add("s/" + e + "/<&>/g"); serr != nil || err != nil || e == "" || re.MatchString("") {
			return
		}
		want := ""
		if body != "" {
			want = re.ReplaceAllString(body, "<$0>") + "\n"
		}
		if got, err := run(s, body, 7); err == nil && got != want && !repeatsFirst(e) {
			t.Fatalf("%q on %q: %q, want %q", e, body, got, want)
		}
	})
}

// repeatsFirst reports whether an expression begins with what may be missing: that is not found missing right behind a
// replacement.
func repeatsFirst(e string) bool { return regexp.MustCompile(`^(\[[^]]*\]|[^[])\*`).MatchString(e) }
