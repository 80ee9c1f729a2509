package rewrite

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"balancerd/proxy/internal/filestamp"
	"balancerd/proxy/site"
	"balancerd/proxy/site/sitetest"
)

// pageWith is an SDBM page with keys and their values.
func pageWith(pairs ...string) (page [pageSize]byte) {
	end := pageSize
	binary.NativeEndian.PutUint16(page[:], uint16(len(pairs)))
	for i, s := range pairs {
		end -= len(s)
		copy(page[end:], s)
		binary.NativeEndian.PutUint16(page[2+2*i:], uint16(end))
	}
	return page
}

// TestTable: a table of several pages. Which page a key is on, the bits say.
func TestTable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t")
	os.WriteFile(path+directorySuffix, []byte{0b101}, 0o600) // split once, and the upper half again
	var pages [4][pageSize]byte
	keys := map[string]string{}
	for _, key := range strings.Fields("a b c d e f g h i j k l m n o p") {
		h := hashOf(key)
		n := h & 1
		if n == 1 {
			n = h & 3
		}
		old := []string{}
		for k, v := range keys {
			if strings.HasPrefix(v, string('0'+byte(n))) {
				old = append(old, k, v)
			}
		}
		keys[key] = string('0'+byte(n)) + key
		pages[n] = pageWith(append(old, key, keys[key])...)
	}
	var all []byte
	for i := range pages {
		all = append(all, pages[i][:]...)
	}
	os.WriteFile(path+pageSuffix, all, 0o600)
	for key, want := range keys {
		if got, ok, err := fetch(path, key); got != want || !ok || err != nil {
			t.Errorf("%s: %q %v %v, want %q", key, got, ok, err, want)
		}
	}
	if _, ok, _ := fetch(path, "zz"); ok {
		t.Error("zz is in the table")
	}
}

// TestHash: numbers of APR's own function.
func TestHash(t *testing.T) {
	for key, want := range map[string]uint32{"": 0, "a": 97, "ab": 97*65599 + 98} {
		if got := hashOf(key); got != want {
			t.Errorf("%q: %d, want %d", key, got, want)
		}
	}
}

// TestTextFileChanges: a change that leaves the time as it was is seen, too.
func TestTextFileChanges(t *testing.T) {
	path := filepath.Join(t.TempDir(), "map")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		os.Chtimes(path, sitetest.Old, sitetest.Old)
	}
	write("k one\n")
	r := newRig(t, "RewriteEngine On\nRewriteMap m txt:"+path+"\nRewriteRule ^/(.*)$ http://o.test/[${m:$1|D}] [R,NE]\n")
	for _, c := range []struct{ text, want string }{{"k one\n", "302 http://o.test/[one]"}, {"k three\n", "302 http://o.test/[three]"}, {"x y\n", "302 http://o.test/[D]"}} {
		write(c.text)
		if got := outcomeOf(r, "GET /k"); got != c.want {
			t.Errorf("%q: %s, want %s", c.text, got, c.want)
		}
	}
	os.Remove(path)
	if got := outcomeOf(r, "GET /k"); got != "302 http://o.test/[D]" {
		t.Error(got)
	}
	if log := r.Log.Take(); !strings.Contains(log, "(2)No such file or directory: AH00661: mod_rewrite: can't access text RewriteMap file "+path) {
		t.Error(log)
	}
}

// TestTextFileChangesWithinATick: a stamp that was taken within a tick of the last change hides the next one.
func TestTextFileChangesWithinATick(t *testing.T) {
	path := filepath.Join(t.TempDir(), "map")
	os.WriteFile(path, []byte("k new\n"), 0o600)
	fi, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	now := filestamp.Of(fi)
	m, x := &textFile{path: path}, sitetest.Request("GET /")
	for began, want := range map[time.Time]string{fi.ModTime(): "new", fi.ModTime().Add(time.Hour): "old"} {
		m.last.Store(&mapReading{values: map[string]string{"k": "old"}, stamp: now, began: began})
		if got, err := m.value(x, "k", now); got != want || err != nil {
			t.Errorf("read %v after the change: %q %v, want %q", began.Sub(fi.ModTime()), got, err, want)
		}
	}
}

// TestTextFileIsNotWaitedFor: who asks for what was read already does not wait for another that reads the file anew.
func TestTextFileIsNotWaitedFor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "map")
	os.WriteFile(path, []byte("k v\n"), 0o600)
	os.Chtimes(path, sitetest.Old, sitetest.Old)
	m, now := &textFile{path: path}, filestamp.Stamp{}
	m.last.Store(&mapReading{values: map[string]string{"k": "kept"}, stamp: now, began: time.Now()})
	m.busy.Lock()
	defer m.busy.Unlock()
	got := make(chan string)
	go func() {
		v, _ := m.value(sitetest.Request("GET /"), "k", now)
		got <- v
	}()
	select {
	case v := <-got:
		if v != "kept" {
			t.Error(v)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("it waits")
	}
}

// TestLargeTextFile is asked key by key.
func TestLargeTextFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "map")
	os.WriteFile(path, []byte(strings.Repeat("# filler of some length, as comments are\n", 1<<19)+"k v\n"), 0o600)
	m := &textFile{path: path}
	fi, _ := os.Stat(path)
	if fi.Size() <= wholeMost {
		t.Fatal("not large")
	}
	if v, err := m.value(sitetest.Request("GET /"), "k", filestamp.Of(fi)); v != "v" || err != nil || m.last.Load() != nil {
		t.Error(v, err, m.last.Load())
	}
}

func script(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "map.sh")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestProgramIsStartedAgain: one that ends has no values for a while, then it is there again.
func TestProgramIsStartedAgain(t *testing.T) {
	path := script(t, "while read -r k; do [ \"$k\" = die ] && exit 1; echo \"$k!\"; done\n")
	r := newRig(t, "RewriteEngine On\nRewriteMap p prg:"+path+"\nRewriteRule ^/(.*)$ http://o.test/${p:$1|none} [R,NE]\n")
	t.Cleanup(r.Site.Close)
	ask := func(key string) string { return strings.TrimPrefix(outcomeOf(r, "GET /"+key), "302 http://o.test/") }
	if got := ask("a"); got != "a!" {
		t.Fatal(got)
	}
	if got := ask("die"); got != "none" {
		t.Error(got)
	}
	if got := ask("b"); got != "none" {
		t.Error("it runs again at once:", got)
	}
	if !strings.Contains(r.Log.Take(), "does not answer") {
		t.Error("nothing was logged")
	}
	for end := time.Now().Add(30 * time.Second); ask("c") != "c!"; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it does not run again")
		}
	}
}

// TestProgramThatCanNotBeStarted: why is told once for each try, not with each request.
func TestProgramThatCanNotBeStarted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "map.sh")
	os.WriteFile(path, []byte("#!/no/such/shell\n"), 0o700)
	r := newRig(t, "RewriteEngine On\nRewriteMap p prg:"+path+"\nRewriteRule ^/(.*)$ http://o.test/${p:$1|none} [R,NE]\n")
	t.Cleanup(r.Site.Close)
	for _, key := range []string{"a", "b"} {
		if got := outcomeOf(r, "GET /"+key); got != "302 http://o.test/none" {
			t.Error(got)
		}
	}
	told := "RewriteMap program " + path + " can't be started: fork/exec " + path + ": no such file or directory"
	log := r.Log.Take()
	if strings.Count(log, told) != 1 {
		t.Error(log)
	}
	for end := time.Now().Add(30 * time.Second); strings.Count(log, told) < 2; time.Sleep(20 * time.Millisecond) {
		if outcomeOf(r, "GET /c"); time.Now().After(end) {
			t.Fatal("the second try is not told: ", log)
		}
		log += r.Log.Take()
	}
}

// TestProgramEndsWithItsConfiguration: it is told by the end of its input.
func TestProgramEndsWithItsConfiguration(t *testing.T) {
	mark := filepath.Join(t.TempDir(), "ended")
	path := script(t, "while read -r k; do echo \"$k\"; done\n: > "+mark+"\n")
	r := newRig(t, "RewriteEngine On\nRewriteMap p prg:"+path+"\nRewriteRule ^/(.*)$ http://o.test/${p:$1} [R]\n")
	if got := outcomeOf(r, "GET /x"); got != "302 http://o.test/x" {
		t.Error(got)
	}
	r.Site.Close()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(mark); err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatal("it goes on")
		}
	}
}

// TestProgramOfAnEngineThatIsOff is not started, and one that can't be is an error.
func TestProgramOfAnEngineThatIsOff(t *testing.T) {
	path := script(t, "while read -r k; do echo \"$k\"; done\n")
	r := newRig(t, "RewriteMap p prg:"+path+"\n<Location /x>\nRewriteEngine On\nRewriteRule . http://o.test/${p:a|none} [R]\n</Location>\n")
	t.Cleanup(r.Site.Close)
	if got := outcomeOf(r, "GET /x"); got != "302 http://o.test/none" {
		t.Error(got)
	}
	os.Chmod(path, 0o600)
	c, err := sitetest.Bind(preload, "RewriteEngine On\nRewriteMap p prg:"+path, modules()...)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = site.Build(c, modules(), site.Options{}); err == nil || !strings.HasPrefix(err.Error(), "AH00654: mod_rewrite: could not start RewriteMap program "+path) {
		t.Error(err)
	}
}
