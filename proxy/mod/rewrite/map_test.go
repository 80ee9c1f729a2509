package rewrite

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"balancerd/proxy/internal/dbm/dbmtest"
	"balancerd/proxy/internal/filestamp"
	"balancerd/proxy/site"
	"balancerd/proxy/site/sitetest"
)

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

// TestTables: both types of tables that httxt2dbm makes (package dbmtest has them recorded), as they change.
func TestTables(t *testing.T) {
	root := t.TempDir()
	dbmtest.SDBM(t, root+"/sd")
	dbmtest.Berkeley(t, root+"/db")
	r := newRig(t, "RewriteEngine On\nRewriteMap s dbm=SDBM:"+root+"/sd\nRewriteMap d dbm:"+root+"/db\nRewriteMap e dbm=db:"+root+"/db\n"+
		"RewriteRule ^/s(.*) ${s:$1|http://o.test/none} [R]\nRewriteRule ^/d(.*) ${d:$1|http://o.test/none} [R]\nRewriteRule ^/e(.*) ${e:$1|http://o.test/none} [R]\n")
	for path, want := range map[string]string{"/shost1.test": "10.0.0.1/x", "/dhost2.test": "10.0.0.2/xx", "/ehost3.test": "10.0.0.3/xxx", "/sx": "o.test/none", "/dx": "o.test/none"} {
		if got := strings.Replace(outcomeOf(r, "GET "+path), ":80", "", 1); got != "302 http://"+want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	os.WriteFile(root+"/db", []byte("no table"), 0o600)
	os.Remove(root + "/sd.pag")
	for path, want := range map[string]string{"/dhost2.test": "AH00656: mod_rewrite: can't open DBM RewriteMap " + root + "/db", "/shost1.test": "AH00663: mod_rewrite: can't access DBM RewriteMap file " + root + "/sd.pag"} {
		got := outcomeOf(r, "GET "+path)
		if log := r.Log.Take(); got != "302 http://o.test/none" || !strings.Contains(log, want) {
			t.Errorf("%s: %s, want %s", got, log, want)
		}
	}
}
