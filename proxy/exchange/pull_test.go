package exchange

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
)

// upper writes each line in capitals, n times.
func upper(n int) func(io.Reader, io.Writer) error {
	return func(in io.Reader, out io.Writer) error {
		s := bufio.NewScanner(in)
		for s.Scan() {
			for range n {
				if _, err := out.Write(append(bytes.ToUpper(s.Bytes()), '\n')); err != nil {
					return err
				}
			}
		}
		return s.Err()
	}
}

// slow is a source that gives a piece a read, as if each had to be waited for.
type slow struct {
	text string
	n    int
	end  error
}

func (s *slow) Read(p []byte) (int, error) {
	if s.text == "" {
		return 0, s.end
	}
	n := copy(p[:min(len(p), s.n)], s.text)
	s.text = s.text[n:]
	return n, nil
}
func (s *slow) Buffered() []byte { return nil }
func (s *slow) Discard(int)      {}
func (s *slow) Close() error     { return nil }

// ending is slow, and tells its end with the last piece.
type ending struct{ *slow }

func (s ending) Read(p []byte) (int, error) {
	n, err := s.slow.Read(p)
	if s.text == "" {
		err = s.end
	}
	return n, err
}

func pull(src Source, f func(io.Reader, io.Writer) error) Source {
	return Rewritten(src, func(out io.Writer) Rewriter { return Pulled(out, f) })
}

// TestPulled: a function that reads and writes is as good as a Rewriter.
func TestPulled(t *testing.T) {
	for _, n := range []int{1, 3, 100} {
		for _, from := range []Source{&slow{text: "one\ntwo\nthree", n: n, end: io.EOF}, ending{&slow{text: "one\ntwo\nthree", n: n, end: io.EOF}}} {
			src := pull(from, upper(1))
			if b, err := io.ReadAll(src); string(b) != "ONE\nTWO\nTHREE\n" || err != nil {
				t.Errorf("%T, %d: %q %v", from, n, b, err)
			}
			src.Close()
		}
	}
	src := pull(&slow{text: "one\ntwo\n", n: 4, end: io.EOF}, upper(1))
	b := make([]byte, 100)
	if n, err := src.Read(b); string(b[:n]) != "ONE\n" || err != nil {
		t.Errorf("the first line came as %q, %v", b[:n], err)
	}
	src.Close() // in the middle
	if _, err := src.Read(b); err == nil {
		t.Error("it is closed, and goes on")
	}
}

// TestPulledEnds: how it ends.
func TestPulledEnds(t *testing.T) {
	gone, wrong := errors.New("gone"), errors.New("wrong")
	for name, c := range map[string]struct {
		src  *slow
		f    func(io.Reader, io.Writer) error
		want error
		text string
	}{
		"the body breaks off": {&slow{"one\ntw", 3, gone}, upper(1), gone, "ONE\n"},
		"it fails":            {&slow{"one\n", 3, io.EOF}, func(io.Reader, io.Writer) error { return wrong }, wrong, ""},
		"it panics":           {&slow{"one\n", 3, io.EOF}, func(io.Reader, io.Writer) error { panic("x") }, errPanicked, ""},
		"it has enough": {&slow{"one\ntwo\n", 3, io.EOF}, func(in io.Reader, out io.Writer) error {
			_, err := io.CopyN(out, in, 4)
			return err
		}, nil, "one\n"},
		"nothing": {&slow{"", 3, io.EOF}, upper(1), nil, ""},
	} {
		src := pull(c.src, c.f)
		b, err := io.ReadAll(src)
		if !errors.Is(err, c.want) || string(b) != c.text {
			t.Errorf("%s: %q %v", name, b, err)
		}
		src.Close()
	}
}

// TestPulledBounds: what comes of a little is not held as a whole, however the body tells its end.
func TestPulledBounds(t *testing.T) {
	const times = 1000
	for _, at := range []int{8000, 4000} { // in one piece, in two
		for _, wrap := range []func(*slow) Source{
			func(s *slow) Source { return s },
			func(s *slow) Source { return ending{s} },
		} {
			from := wrap(&slow{text: strings.Repeat(strings.Repeat("x", 99)+"\n", 80), n: at, end: io.EOF})
			src := pull(from, upper(times))
			total, most := 0, 0
			for b := make([]byte, 4096); ; {
				n, err := src.Read(b)
				if total += n; err != nil {
					break
				}
				most = max(most, len(src.Buffered()))
			}
			if total != 8000*times || most > pulledMost+4096 {
				t.Errorf("%T, pieces of %d: %d bytes, %d held", from, at, total, most)
			}
			src.Close()
		}
	}
}

// late is a source whose bytes, and their end, come when it is asked whether more will.
type late struct {
	text, come string
}

func (s *late) Read(p []byte) (int, error) {
	s.Complete()
	if s.text == "" {
		return 0, io.EOF
	}
	n := copy(p, s.text)
	s.text = s.text[n:]
	return n, nil
}

func (s *late) Complete() (bool, error) {
	s.text, s.come = s.text+s.come, ""
	return true, nil
}

func (s *late) Buffered() []byte { return []byte(s.text) }
func (s *late) Discard(n int)    { s.text = s.text[n:] }
func (s *late) Close() error     { return nil }

// A body whose last bytes come while it is asked for its end is rewritten to the end.
func TestRewrittenBodyComesMeanwhile(t *testing.T) {
	got, err := io.ReadAll(pull(&late{come: "abc\ndef\n"}, upper(1)))
	if string(got) != "ABC\nDEF\n" || err != nil {
		t.Errorf("%q %v", got, err)
	}
	src := pull(&late{come: "abc\n"}, upper(1))
	for {
		if err := src.(Gatherer).Gather(); err != nil {
			t.Fatal(err)
		}
		if held := src.Buffered(); len(held) > 0 {
			if string(held) != "ABC\n" {
				t.Errorf("%q", held)
			}
			break
		}
	}
}

// TestPulledEndBounds: nor is what comes when the body is over.
func TestPulledEndBounds(t *testing.T) {
	const lines = 80_000
	src := pull(&slow{text: "whole", n: 5, end: io.EOF}, func(in io.Reader, out io.Writer) error {
		all, err := io.ReadAll(in)
		for range lines {
			if _, err := out.Write(all); err != nil {
				return err
			}
		}
		return err
	})
	total, most := 0, 0
	for b := make([]byte, 4096); ; {
		n, err := src.Read(b)
		if total += n; err != nil {
			if err != io.EOF {
				t.Error(err)
			}
			break
		}
		most = max(most, len(src.Buffered()))
	}
	if total != 5*lines || most > pulledMost+4096 {
		t.Errorf("%d bytes, %d held", total, most)
	}
	src.Close()
}
