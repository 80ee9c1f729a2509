package exchange

import (
	"os"
	"strings"
	"testing"
)

// A body can be read or taken from the buffer, in any mixture.
func TestSections(t *testing.T) {
	f, err := os.Create(t.TempDir() + "/f")
	if err != nil {
		t.Fatal(err)
	}
	f.WriteString("head" + strings.Repeat("x", 3*sectionBuffer) + "tail")
	src := NewSections(f, f, 4, 3*sectionBuffer).(*sections)
	if f, off, n, ok := src.File(); !ok || f == nil || off != 4 || n != 3*sectionBuffer {
		t.Error(off, n, ok)
	}
	total, p := 0, make([]byte, 1000)
	for i := 0; ; i++ {
		if i%2 == 0 {
			b := src.Buffered()
			n := min(len(b), 700)
			src.Discard(n)
			total += n
			continue
		}
		n, err := src.Read(p)
		total += n
		if err != nil {
			break
		}
	}
	if total != 3*sectionBuffer {
		t.Error(total)
	}
	f.Truncate(14)
	src = NewSections(f, f, 4, 3*sectionBuffer).(*sections)
	if n, err := src.Read(make([]byte, 100)); n != 10 || err != nil {
		t.Error(n, err)
	}
	if _, err := src.Read(p); err == nil || err.Error() != "unexpected EOF" {
		t.Error("a file that shrank:", err)
	}
	src.Close()
}
