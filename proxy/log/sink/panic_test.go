package sink

import (
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"balancerd/proxy/recovery"
)

// counting has panics of a test go nowhere; the result reports whether so many were caught.
func counting(t *testing.T) (caught func(n int64) bool) {
	recovery.SetLog(func(string) {})
	t.Cleanup(func() { recovery.SetLog(nil) })
	before := recovery.Panics()
	return func(n int64) bool { return recovery.Panics()-before == n }
}

// once panics in the first call.
func once() func() {
	var n atomic.Int32
	return func() {
		if n.Add(1) == 1 {
			panic("on purpose")
		}
	}
}

// Whoever is told of a failure may panic: by the flusher, and by whoever brings a line that is written at
// once. The log goes on, and can be closed.
func TestPanicsOfReports(t *testing.T) {
	caught := counting(t)
	bad := once()
	to := &stuck{free: make(chan struct{}), err: syscall.ENOSPC}
	close(to.free)
	l := newLog("full", to, time.Millisecond, func(string, int64, error) { bad() }, nil)
	l.Append([]byte("one\n"))
	eventually(t, "the panic", func() bool { return caught(1) })
	l.Append([]byte("two\n"))
	l.Close()
	if got := to.got.String(); got != "one\ntwo\n" {
		t.Errorf("written: %q", got)
	}

	at := once()
	now := &atOnce{}
	l = newLog("full", now, 0, func(string, int64, error) { at() }, nil)
	if recovery.Do("testing", func() { l.Append([]byte("one\n")) }) {
		t.Error("nobody was told")
	}
	l.Append([]byte("two\n"))
	l.Close()
	if string(now.got) != "one\ntwo\n" {
		t.Errorf("written at once: %q", now.got)
	}
}

// atOnce is a target that takes lines at once, and says that it could not.
type atOnce struct{ got []byte }

func (a *atOnce) write(lines []byte) error { a.got = append(a.got, lines...); return syscall.ENOSPC }
func (a *atOnce) now(lines []byte) (bool, error) {
	a.got = append(a.got, lines...)
	return true, syscall.ENOSPC
}
func (a *atOnce) close() error { return nil }
func (a *atOnce) abort()       {}

// A program that ended is started again, though whoever is told of it panics.
func TestPanicsAroundPrograms(t *testing.T) {
	caught := counting(t)
	dir := t.TempDir()
	told := once()
	s := NewSet(Options{Root: dir, Died: func(string, error) { told() }})
	l := open(t, s, "|$read line; echo got $line >>out")
	l.Append([]byte("one\n"))
	eventually(t, "the panic", func() bool { return caught(1) })
	l.Append([]byte("two\n"))
	eventually(t, "the second program", func() bool { return read(t, dir+"/out") == "got one\ngot two\n" })
	s.Close()
}

// The tasks of a log's own, begun by their names: what one of them is for is lost, and no more.
func TestPanicsOfTheLogsOwnTasks(t *testing.T) {
	for _, task := range []string{"writing a log", "seeing to a log", "waiting for logs", "waiting for the end of a log's program", "ending a log's program"} {
		caught := counting(t)
		var done atomic.Bool
		recovery.OnStart(func(name string) {
			if name == task && !done.Swap(true) {
				panic("on purpose")
			}
		})
		dir := t.TempDir()
		s := NewSet(Options{Root: dir, Delay: time.Millisecond})
		open(t, s, "a.log").Append([]byte("one\n"))
		program := "|/bin/cat"
		if task == "ending a log's program" {
			program = "|/bin/sleep 5" // it does not end by itself
		}
		open(t, s, program).Append([]byte("one\n"))
		time.Sleep(20 * time.Millisecond)
		s.Close()
		eventually(t, task, func() bool { return caught(1) })
		recovery.OnStart(nil)
		again := NewSet(Options{Root: dir, Delay: time.Millisecond})
		open(t, again, "b.log").Append([]byte("two\n"))
		again.Close()
		if got := read(t, dir+"/b.log"); got != "two\n" {
			t.Errorf("%s: afterwards a log has %q", task, got)
		}
	}
}
