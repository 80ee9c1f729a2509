package auth

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"balancerd/proxy/exchange"
	"balancerd/testdata/linear"
)

// countingCache is a cache of files that counts how often one is parsed.
type countingCache struct {
	cache[string]
	parsed atomic.Int32
}

func newCountingCache() *countingCache {
	s := &countingCache{}
	s.parse = func(lines []string) string {
		s.parsed.Add(1)
		return strings.Join(lines, "|")
	}
	return s
}

func (s *countingCache) text(t *testing.T, name string) string {
	t.Helper()
	text, err := s.get(&exchange.Exchange{}, name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func replace(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name+".new", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(name+".new", name); err != nil {
		t.Fatal(err)
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not in ten seconds: %s", what)
		}
	}
}

// TestChangedFileIsParsedOnce: however many ask, and while it is young.
func TestChangedFileIsParsedOnce(t *testing.T) {
	name := write(t, "f", strings.Repeat("x:y\n", 20000)) // more than quickFile
	s := newCountingCache()
	ask := func() {
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				for range 200 {
					s.get(&exchange.Exchange{}, name)
				}
			})
		}
		all.Wait()
	}
	ask()
	if n := s.parsed.Load(); n != 1 {
		t.Errorf("parsed %d times", n)
	}
	replace(t, name, strings.Repeat("z:y\n", 20000))
	eventually(t, "the new file", func() bool { ask(); return strings.HasPrefix(s.text(t, name), "z") })
	time.Sleep(2 * readPause) // it is read again, and is the same
	ask()
	if n := s.parsed.Load(); n != 2 {
		t.Errorf("parsed %d times after a change", n)
	}
}

// TestOldFileServesMeanwhile: nobody waits for a large file that changed.
func TestOldFileServesMeanwhile(t *testing.T) {
	name := write(t, "f", "old"+strings.Repeat("\n#", quickFile))
	begun, resume := make(chan bool, 1), make(chan bool)
	var c cache[string]
	c.parse = func(lines []string) string {
		if lines[0] == "new" {
			begun <- true
			<-resume
		}
		return lines[0]
	}
	x := &exchange.Exchange{}
	if got, err := c.get(x, name); got != "old" || err != nil {
		t.Fatal(got, err)
	}
	replace(t, name, "new"+strings.Repeat("\n#", quickFile))
	eventually(t, "that the new one is read", func() bool { c.get(x, name); return len(begun) > 0 })
	for range 100 {
		if got, _ := c.get(x, name); got != "old" {
			t.Fatal(got)
		}
	}
	close(resume)
	eventually(t, "the new one", func() bool { got, _ := c.get(x, name); return got == "new" })
}

// TestEveryKindOfChangeIsSeen, of a small file from the next request on.
func TestEveryKindOfChangeIsSeen(t *testing.T) {
	name := write(t, "f", "0")
	s := newCountingCache()
	s.text(t, name)
	for i := 1; i < 60; i++ {
		want := fmt.Sprint(i % 10) // of one size, many a second
		switch i % 3 {
		case 0:
			replace(t, name, want)
		case 1:
			os.WriteFile(name, []byte(want), 0o600)
		case 2: // by one who sets the time back
			os.WriteFile(name, []byte(want), 0o600)
			os.Chtimes(name, time.Unix(1, 0), time.Unix(1, 0))
		}
		if got := s.text(t, name); got != want {
			t.Fatalf("change %d: %q, want %q", i, got, want)
		}
	}
	link := filepath.Join(t.TempDir(), "link")
	other := write(t, "other", "other")
	os.Symlink(name, link)
	s.text(t, link)
	os.Remove(link)
	os.Symlink(other, link)
	if got := s.text(t, link); got != "other" {
		t.Errorf("a link that leads elsewhere: %q", got)
	}
	n := s.parsed.Load()
	eventually(t, "an end of reading it again", func() bool {
		s.text(t, name)
		f := s.of(name).last.Load()
		return !f.stamp.MayHide(f.began)
	})
	if s.parsed.Load() != n {
		t.Error("parsed again though nothing changed")
	}
}

// TestFilesThatAreNone: what cannot be read is an error at once, and no longer one when it can be.
func TestFilesThatAreNone(t *testing.T) {
	dir := t.TempDir()
	s := newCountingCache()
	x := &exchange.Exchange{}
	fifo := dir + "/fifo"
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	huge := dir + "/huge"
	if f, err := os.Create(huge); err != nil || f.Truncate(maxUserFile+1) != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]error{dir: errNotRegular, fifo: errNotRegular, huge: syscall.EFBIG, dir + "/none": syscall.ENOENT, fifo + "/x": syscall.ENOTDIR} {
		for range 2 {
			if _, err := s.get(x, name); err != want {
				t.Errorf("%s: %v, want %v", name, err, want)
			}
		}
	}
	if got := s.text(t, os.DevNull); got != "" {
		t.Errorf("/dev/null holds %q", got)
	}
	os.Remove(fifo)
	os.WriteFile(fifo, []byte("a file"), 0o600)
	if got := s.text(t, fifo); got != "a file" {
		t.Errorf("%q where a pipe was", got)
	}
	os.Remove(fifo)
	if _, err := s.get(x, fifo); err != syscall.ENOENT {
		t.Errorf("a file that went: %v", err)
	}
}

// TestParserThatPanics: the server lives, and nobody is let in.
func TestParserThatPanics(t *testing.T) {
	name := write(t, "f", "x")
	var c cache[string]
	c.parse = func([]string) string { panic("no") }
	if _, err := c.get(&exchange.Exchange{}, name); err == nil || !strings.Contains(err.Error(), "no") {
		t.Error(err)
	}
}

func TestFilesAreLinear(t *testing.T) {
	for name, piece := range map[string]string{"users": "u%d:{SHA}x\n", "one user": "u:x\n", "joined lines": "u\\\n", "colons": ":", "digests": "u%d:r:x\n",
		"groups": "g%d: a b c\n", "one group": "g: a\n", "members": "u%d "} {
		t.Run(name, func(t *testing.T) {
			input := func(size int) string {
				var b strings.Builder
				b.WriteString("g: ")
				for i := 0; b.Len() < size; i++ {
					b.WriteString(strings.ReplaceAll(piece, "%d", fmt.Sprint(i)))
				}
				return b.String()
			}
			linear.Check(t, 8<<10, input, func(text string) {
				list := lines(text)
				parsePasswords(list)
				parseDigests(list)
				parseGroups(list)
			})
		})
	}
}

func TestCredentialsAreLinear(t *testing.T) {
	for name, piece := range map[string]string{"letters": "QUJD", "quotes": `\"`, "padding": "=", "blanks": " "} {
		t.Run(name, func(t *testing.T) {
			input := func(size int) string { return strings.Repeat(piece, size/len(piece)) }
			linear.Check(t, 8<<10, input, func(s string) {
				decode(strings.TrimLeft(s, " \t"))
				escapeQuotes(s)
			})
		})
	}
}
