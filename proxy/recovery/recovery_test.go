package recovery

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"
)

// lines is a log that remembers.
type lines struct {
	mu  sync.Mutex
	all []string
}

func (l *lines) add(m string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, m)
}

func (l *lines) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.all, "\n")
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: does not come", what)
		}
	}
}

// Each way to begin a task outlives a panic in it, counts it, and has a line with the task and the stack.
func TestEachKindOfTask(t *testing.T) {
	bad := func() { panic("on purpose") }
	calls := 0
	for _, c := range []struct {
		name  string
		begin func(task string)
	}{
		{"Go", func(task string) { Go(task, bad) }},
		{"AfterFunc", func(task string) { AfterFunc(time.Millisecond, task, bad) }},
		{"Do", func(task string) {
			if Do(task, bad) {
				t.Error("Do tells that all is well")
			}
		}},
		{"Catch", func(task string) {
			go func() {
				defer Catch(task)
				bad()
			}()
		}},
		{"Keep", func(task string) {
			Keep(task, func() {
				if calls++; calls == 1 {
					bad()
				}
			})
		}},
		{"OnStart", func(task string) {
			OnStart(func(string) { bad() })
			defer OnStart(nil)
			if Do(task, func() { t.Error("it began all the same") }) {
				t.Error("Do tells that all is well")
			}
		}},
	} {
		l := &lines{}
		SetLog(l.add)
		before := Panics()
		c.begin("testing " + c.name)
		eventually(t, c.name, func() bool { return Panics() == before+1 && l.text() != "" })
		text := l.text()
		if !strings.HasPrefix(text, "AH00052: panic: on purpose while testing "+c.name+"\n") || !strings.Contains(text, "recovery_test.go:") {
			t.Errorf("%s: logged %q", c.name, text)
		}
	}
	SetLog(nil)
	if calls != 2 {
		t.Errorf("Keep ran it %d times", calls)
	}
}

// A log that panics itself is no reason to end.
func TestBrokenLog(t *testing.T) {
	SetLog(func(string) { panic("the log as well") })
	defer SetLog(nil)
	before := Panics()
	if Do("testing a broken log", func() { panic("on purpose") }) || Panics() != before+2 {
		t.Errorf("%d panics were counted, not 2", Panics()-before)
	}
}

func TestTexts(t *testing.T) {
	for want, p := range map[string]any{"panic: x": "x", "panic: y": errors.New("y"), "panic: 3": 3} {
		if got := Text(p); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if !Do("testing nothing", func() {}) {
		t.Error("what came to its end did not")
	}
}
