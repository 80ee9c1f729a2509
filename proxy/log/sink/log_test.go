package sink

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

func open(t testing.TB, s *Set, name string) *Log {
	t.Helper()
	l, err := s.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// eventually waits for what a program or a timer does.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not in five seconds: %s", what)
		}
	}
}

func TestLinesReachTheFileSoonAndWhole(t *testing.T) {
	dir := t.TempDir()
	s := NewSet(Options{Root: dir})
	l := open(t, s, "access.log")
	start := time.Now()
	l.Append([]byte("one\n"))
	eventually(t, "the first line", func() bool { return read(t, dir+"/access.log") == "one\n" })
	if took := time.Since(start); took > 150*time.Millisecond {
		t.Errorf("a line took %v", took)
	}
	var all sync.WaitGroup
	for w := range 8 {
		all.Go(func() {
			for i := range 5000 {
				l.Append(fmt.Appendf(nil, "writer %d line %d %s\n", w, i, strings.Repeat("x", i%97)))
			}
		})
	}
	all.Wait()
	s.Close()
	next := [8]int{}
	lines := strings.Split(strings.TrimSuffix(read(t, dir+"/access.log"), "\n"), "\n")
	if len(lines) != 40001 {
		t.Fatalf("%d lines", len(lines))
	}
	for _, line := range lines[1:] {
		var w, i int
		if _, err := fmt.Sscanf(line, "writer %d line %d", &w, &i); err != nil || i != next[w] || !strings.HasSuffix(line, strings.Repeat("x", i%97)) {
			t.Fatalf("line %q after %d", line, next[w])
		}
		next[w]++
	}
	l.Append([]byte("too late\n"))
	if err := l.Close(); err != nil {
		t.Error("a second Close:", err)
	}
}

// TestLinesAreThereAtOnce: a line that was handed over survives a kill.
func TestLinesAreThereAtOnce(t *testing.T) {
	dir := t.TempDir()
	s := NewSet(Options{Root: dir})
	defer s.Close()
	l := open(t, s, "a.log")
	want := ""
	for i := range 100 {
		line := fmt.Sprintf("line %d\n", i)
		l.Append([]byte(line))
		if want += line; read(t, dir+"/a.log") != want {
			t.Fatalf("line %d is not written", i)
		}
		time.Sleep(window / (burst - 1))
	}
	for range 100 { // a crowd
		l.Append([]byte("x\n"))
		want += "x\n"
	}
	if time.Sleep(5 * usualDelay); read(t, dir+"/a.log") != want {
		t.Error("a crowd's lines are not written")
	}
	late := NewSet(Options{Root: dir, Delay: time.Hour})
	open(t, late, "b.log").Append([]byte("x\n"))
	if got := read(t, dir+"/b.log"); got != "" {
		t.Errorf("%q before its time", got)
	}
	late.Close()
	if got := read(t, dir+"/b.log"); got != "x\n" {
		t.Errorf("%q", got)
	}
}

// TestSlowProgramGetsAllLines: what its pipe has no room for waits, in order.
func TestSlowProgramGetsAllLines(t *testing.T) {
	dir := t.TempDir()
	s := NewSet(Options{Root: dir})
	l := open(t, s, "|$sleep 0.3; cat >out")
	var want strings.Builder
	start := time.Now()
	for i := range 3000 {
		line := fmt.Sprintf("%d %s\n", i, strings.Repeat("x", 100+i%5000/4))
		l.Append([]byte(line))
		want.WriteString(line)
	}
	if took := time.Since(start); took > 250*time.Millisecond {
		t.Errorf("lines took %v to hand over", took)
	}
	eventually(t, "all lines at the program", func() bool {
		b, _ := os.ReadFile(dir + "/out")
		return len(b) == want.Len()
	})
	s.Close()
	if got := read(t, dir+"/out"); got != want.String() {
		t.Errorf("%d bytes, want %d", len(got), want.Len())
	}
}

func BenchmarkAppend(b *testing.B) {
	line := []byte(`127.0.0.1 - - [21/Nov/2026:05:29:18 +0000] "GET / HTTP/1.1" 200 5` + "\n")
	for name, delay := range map[string]time.Duration{"once": 0, "buffered": time.Second} {
		b.Run(name, func(b *testing.B) {
			s := NewSet(Options{Root: b.TempDir(), Delay: delay})
			defer s.Close()
			l := open(b, s, "a.log")
			b.ReportAllocs()
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					l.Append(line)
				}
			})
		})
	}
}

func TestSameNameIsSameLog(t *testing.T) {
	dir := t.TempDir()
	s := NewSet(Options{Root: dir})
	defer s.Close()
	if open(t, s, "a.log") != open(t, s, filepath.Join(dir, "./a.log")) {
		t.Error("two logs for one file")
	}
	if open(t, s, "a.log") == open(t, s, "b.log") {
		t.Error("one log for two files")
	}
	if _, err := s.Open("none/a.log"); !errors.Is(err, syscall.ENOENT) {
		t.Error("missing folder:", err)
	}
}

func TestRenamedFileIsLeftAtTheNextLoad(t *testing.T) {
	dir := t.TempDir()
	old := NewSet(Options{Root: dir})
	open(t, old, "a.log").Append([]byte("before\n"))
	if err := os.Rename(dir+"/a.log", dir+"/a.log.1"); err != nil {
		t.Fatal(err)
	}
	next := NewSet(Options{Root: dir})
	open(t, next, "a.log").Append([]byte("after\n"))
	open(t, old, "a.log").Append([]byte("a request from before\n"))
	old.Close()
	next.Close()
	if got := read(t, dir+"/a.log.1"); got != "before\na request from before\n" {
		t.Errorf("old file %q", got)
	}
	if got := read(t, dir+"/a.log"); got != "after\n" {
		t.Errorf("new file %q", got)
	}
}

// stuck is a target that does not take anything until it is let go.
type stuck struct {
	free chan struct{}
	got  bytes.Buffer
	err  error
}

func (s *stuck) write(lines []byte) error { <-s.free; s.got.Write(lines); return s.err }
func (s *stuck) close() error             { return nil }
func (s *stuck) abort()                   {}

func TestStuckTargetCostsLinesNotTime(t *testing.T) {
	to := &stuck{free: make(chan struct{})}
	var lost atomic.Int64
	l := newLog("stuck", to, time.Millisecond, func(_ string, n int64, _ error) { lost.Add(n) }, nil)
	line := bytes.Repeat([]byte("x"), 1023)
	line = append(line, '\n')
	start := time.Now()
	const n = 3 * bound / 1024
	for range n {
		l.Append(line)
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("writers waited: %v", took)
	}
	close(to.free)
	l.Append([]byte("after\n"))
	l.Close()
	written := int64(to.got.Len()) / 1024
	if written < bound/1024-1 || lost.Load() == 0 || written+lost.Load() != n && written+lost.Load() != n+1 {
		t.Errorf("%d lines written, %d lost, of %d", written, lost.Load(), n)
	}
}

func TestWriteErrorsAreReported(t *testing.T) {
	to := &stuck{free: make(chan struct{}), err: syscall.ENOSPC}
	close(to.free)
	told := make(chan error, 9)
	l := newLog("full", to, time.Millisecond, func(name string, _ int64, err error) { told <- err }, nil)
	l.Append([]byte("x\n"))
	select {
	case err := <-told:
		if err != syscall.ENOSPC {
			t.Error(err)
		}
	case <-time.After(5 * time.Second):
		t.Error("nobody was told")
	}
}

func TestAppendAllocatesNothing(t *testing.T) {
	dir := t.TempDir()
	s := NewSet(Options{Root: dir})
	defer s.Close()
	l := open(t, s, "a.log")
	line := []byte(`127.0.0.1 - - [21/Nov/2026:05:29:18 +0000] "GET / HTTP/1.1" 200 5` + "\n")
	for range 4000 {
		l.Append(line)
	}
	eventually(t, "all lines in the file", func() bool { return len(read(t, dir+"/a.log")) == 4000*len(line) })
	if n := testing.AllocsPerRun(500, func() { l.Append(line) }); n > 0.1 {
		t.Errorf("%v allocations a line", n)
	}
}

func TestCommandLines(t *testing.T) {
	for name, want := range map[string][]string{
		"|/bin/cat a b":       {"/bin/cat", "a", "b"},
		"||/bin/cat  a":       {"/bin/cat", "a"},
		"|$cat >x; echo 'a'":  {"/bin/sh", "-c", "cat >x; echo 'a'"},
		`|prog "a b" 'c "d'`:  {"prog", "a b", `c "d`},
		`|prog a\ b c\\d e\n`: {"prog", "a b", `c\d`, "en"},
		`|prog "a \" b" end\`: {"prog", `a " b`, "end"},
		`| prog`:              {"prog"},
		`|prog x"y z"`:        {"prog", `x"y`, `z"`},
	} {
		if got := commandOf(name); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestProgramGetsAllLinesAndTheEnd(t *testing.T) {
	dir := t.TempDir()
	s := NewSet(Options{Root: dir})
	l := open(t, s, "|$cat >out; echo end >>out")
	for i := range 1000 {
		l.Append(fmt.Appendf(nil, "%d\n", i))
	}
	s.Close()
	got := read(t, dir+"/out")
	if !strings.HasPrefix(got, "0\n1\n2\n") || !strings.HasSuffix(got, "998\n999\nend\n") {
		t.Errorf("%d bytes: %.40q…", len(got), got)
	}
	if _, err := NewSet(Options{Root: dir}).Open("|/no/such/program"); !errors.Is(err, syscall.ENOENT) {
		t.Error("missing program:", err)
	}
}

func TestProgramIsStartedAgain(t *testing.T) {
	dir := t.TempDir()
	died := make(chan string, 4)
	s := NewSet(Options{Root: dir, Died: func(p string, err error) { died <- p }})
	l := open(t, s, "|$read line; echo got $line >>out")
	l.Append([]byte("one\n"))
	if p := <-died; !strings.Contains(p, "read line") {
		t.Errorf("died: %q", p)
	}
	l.Append([]byte("two\n"))
	eventually(t, "the second program", func() bool { return read(t, dir+"/out") == "got one\ngot two\n" })
	s.Close()
}

func TestDeafProgramDoesNotHoldTheServer(t *testing.T) {
	s := NewSet(Options{Root: t.TempDir()})
	l := open(t, s, "|/bin/sleep 60")
	for range 200 {
		l.Append(bytes.Repeat([]byte("y"), 4096))
	}
	time.Sleep(50 * time.Millisecond)
	start := time.Now()
	s.Close()
	if took := time.Since(start); took > 4*time.Second {
		t.Errorf("Close took %v", took)
	}
	p := l.to.(*pipe).own
	select {
	case <-p.done:
	case <-time.After(5 * time.Second):
		t.Error("the program lives on")
	}
}

func TestSyslogNames(t *testing.T) {
	for _, c := range []struct {
		name, tag string
		facility  int
		ok        bool
	}{
		{"syslog", "httpd", 23, true}, {"syslog:user", "httpd", 1, true}, {"syslog:LOCAL1", "httpd", 17, true},
		{"syslog:local2:web", "web", 18, true}, {"syslog::web", "web", 23, true}, {"syslog:daemon:", "httpd", 3, true},
		{"syslog:loc", "httpd", 16, true}, {"syslog:nonsense", "", 0, false}, {"syslog:local77", "", 0, false},
	} {
		facility, tag, ok := parseSyslog(c.name, "httpd")
		if ok != c.ok || ok && (facility != c.facility || tag != c.tag) {
			t.Errorf("%s: %d %q %v", c.name, facility, tag, ok)
		}
	}
	if IsSyslog("syslogs") || IsSyslog("Syslog") || !IsSyslog("syslog:x") {
		t.Error("IsSyslog")
	}
}

func TestSyslogDatagrams(t *testing.T) {
	dir := t.TempDir()
	daemon, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: dir + "/log", Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer daemon.Close()
	client, err := net.Dial("unixgram", dir+"/log")
	if err != nil {
		t.Fatal(err)
	}
	l := newLog("syslog", &syslog{facility: 16, tag: "web", conn: client}, time.Millisecond, nil, nil)
	l.AppendAs(3, []byte("first\n"))
	l.AppendAs(15, []byte("second\n"))
	for _, want := range []struct{ pri, text string }{{"<131>", fmt.Sprintf("web[%d]: first", os.Getpid())}, {"<135>", fmt.Sprintf("web[%d]: second", os.Getpid())}} {
		b := make([]byte, 256)
		daemon.SetReadDeadline(time.Now().Add(5 * time.Second))
		n, err := daemon.Read(b)
		if err != nil || !strings.HasPrefix(string(b[:n]), want.pri) || !strings.HasSuffix(string(b[:n]), want.text) {
			t.Errorf("%q %v, want %v", b[:n], err, want)
		}
	}
	l.Close()
}

// TestRedirect: what is written to another descriptor arrives in the log, a file's or a program's.
func TestRedirect(t *testing.T) {
	dir := t.TempDir()
	s := NewSet(Options{Root: dir})
	for _, name := range []string{"a.log", "|$cat >out"} {
		spare, err := os.Create(dir + "/spare")
		if err != nil {
			t.Fatal(err)
		}
		if err := open(t, s, name).Redirect(int(spare.Fd())); err != nil {
			t.Fatal(name, err)
		}
		spare.WriteString("redirected\n")
		spare.Close()
	}
	s.Close()
	for _, name := range []string{"/a.log", "/out"} {
		if got := read(t, dir+name); got != "redirected\n" {
			t.Errorf("%s: %q", name, got)
		}
	}
}
