package method

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// What is written into the file, or put in its place, is seen by the next pick; a file that stays is not read again.
func TestStorageIsReadWhenItChanged(t *testing.T) {
	path := t.TempDir() + "/hb.dat"
	h := new(Heartbeat)
	h.SetStorage(path)
	long := time.Now().Add(-time.Hour)
	put := func(text string, when time.Time) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, when, when); err != nil {
			t.Fatal(err)
		}
	}
	ready := func() int {
		t.Helper()
		servers, err := h.read(time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if servers["a"] == nil {
			return 0
		}
		return servers["a"].ready
	}
	put("a &ready=5&busy=1\n", long)
	if n := ready(); n != 5 {
		t.Fatal(n)
	}
	put("a &ready=6&busy=1\n", long) // the same in all that tells
	if n := ready(); n != 5 {
		t.Errorf("a file that has not changed is read again: %d", n)
	}
	put("a &ready=7&busy=1\n", long.Add(time.Second))
	if n := ready(); n != 7 {
		t.Errorf("a later file: %d", n)
	}
	put("a &ready=18&busy=1\n", long.Add(time.Second))
	if n := ready(); n != 18 {
		t.Errorf("a longer file: %d", n)
	}
	for n := range 5 { // as fast as may be: the times may be the same
		put("a &ready=1"+string(rune('0'+n))+"&busy=1\n", time.Now())
		if got := ready(); got != 10+n {
			t.Errorf("written a moment ago: %d, want %d", got, 10+n)
		}
	}
	put("a &ready=20&busy=1\n", long)
	ready()
	other := path + ".new"
	if err := os.WriteFile(other, []byte("a &ready=30&busy=1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	os.Chtimes(other, long, long)
	if err := os.Rename(other, path); err != nil {
		t.Fatal(err)
	}
	if n := ready(); n != 30 {
		t.Errorf("another file of the same time and size: %d", n)
	}
	os.Remove(path)
	if _, err := h.read(time.Now()); err == nil {
		t.Error("a file that is gone is still read")
	}
}

// Whoever may write where the file is cannot have a pick wait, or read without end.
func TestHostileStorage(t *testing.T) {
	path := t.TempDir() + "/hb.dat"
	h := new(Heartbeat)
	h.SetStorage(path)
	if err := syscall.Mkfifo(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := h.read(time.Now()); err == nil {
		t.Error("a pipe is read")
	}
	os.Remove(path)
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 1<<40); err != nil {
		t.Skip(err)
	}
	if text, _, err := ReadStorage(path); err != nil || len(text) > 0 { // no line ends within what is read
		t.Errorf("a line without end: %d bytes, %v", len(text), err)
	}
	text := "a &ready=5&busy=1\n" + strings.Repeat("b &ready=1&busy=1\n", largestStorage/18)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if got, _, err := ReadStorage(path); err != nil || len(got) > largestStorage || !strings.HasSuffix(string(got), "busy=1\n") {
		t.Errorf("a large file: %d bytes, %v", len(got), err)
	}
	servers, err := h.read(time.Now())
	if err != nil || servers["a"] == nil || servers["a"].ready != 5 {
		t.Errorf("a large file: %v", err)
	}
	if err := os.WriteFile(path, []byte("\xff\x00 &ready=\x00\na &re"), 0o644); err != nil { // binary, and torn
		t.Fatal(err)
	}
	if servers, err = h.read(time.Now()); err != nil || servers["a"] == nil || servers["a"].ready != 0 {
		t.Errorf("a torn file: %v, %v", servers, err)
	}
}

// What httpd 2.4.71 makes of a last line without its end.
func TestTornLines(t *testing.T) {
	for text, want := range map[string]beat{
		"a &busy=1&ready=40\n": {ready: 40, busy: 1, seen: -1}, "a &busy=1&ready=40": {ready: 4, busy: 1, seen: -1}, "a &busy=1&ready=4": {busy: 1, seen: -1},
		"a &ready=50&busy=1&lastseen=11": {ready: 50, busy: 1, seen: 1}, "a &ready=8&busy=1\na &ready=9": {busy: 1, seen: -1}, "a &busy=1&ready=%35": {busy: 1, seen: -1},
	} {
		if got := parseBeats(text)["a"]; got == nil || *got != want {
			t.Errorf("%q: %+v, want %+v", text, got, want)
		}
	}
	if n := len(parseBeats("a ")) + len(parseBeats("a")) + len(parseBeats("\n")) + len(parseBeats("#")); n != 0 {
		t.Errorf("%d servers of lines that name none", n)
	}
}
