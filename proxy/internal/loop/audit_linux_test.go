package loop

import (
	"strings"
	"sync"
	"testing"
	"time"
)

// What blocks without saying so is reported with its stack; what says so, waits for a socket, computes or waits
// for a mutex that is held for a moment is not.
func TestReportBlocking(t *testing.T) {
	var mu, short sync.Mutex
	var stacks []string
	ReportBlocking(func(stack string) {
		mu.Lock()
		defer mu.Unlock()
		stacks = append(stacks, stack)
	})
	defer ReportBlocking(nil)
	for _, c := range []struct {
		name string
		want int
		job  func(g *Group, task *Task)
	}{
		{"a channel", 1, func(*Group, *Task) { <-time.After(300 * time.Millisecond) }},
		{"a channel after Block", 0, func(_ *Group, task *Task) { task.Block(); <-time.After(100 * time.Millisecond) }},
		{"a channel after Detach and a wait", 0, func(g *Group, task *Task) {
			task.Detach()
			waitInVain(t, g, task)
			<-time.After(100 * time.Millisecond)
		}},
		{"a channel after Block and a wait", 1, func(g *Group, task *Task) {
			task.Block()
			waitInVain(t, g, task)
			<-time.After(300 * time.Millisecond)
		}},
		{"a wait for a socket", 0, func(g *Group, task *Task) { waitInVain(t, g, task) }},
		{"computing", 0, func(*Group, *Task) {
			for end := time.Now().Add(100 * time.Millisecond); time.Now().Before(end); {
			}
		}},
		{"a mutex for a moment", 0, func(*Group, *Task) {
			short.Lock()
			time.AfterFunc(interval, short.Unlock)
			short.Lock()
			defer short.Unlock()
		}},
	} {
		mu.Lock()
		stacks = nil
		mu.Unlock()
		g := newGroup(t, 2)
		done := make(chan bool)
		do(g, 0, func(task *Task) {
			c.job(g, task)
			close(done)
		})
		<-done
		mu.Lock()
		if len(stacks) != c.want || c.want > 0 && !strings.Contains(stacks[0], "audit_linux_test.go") {
			t.Errorf("%s: reported %d: %q", c.name, len(stacks), stacks)
		}
		mu.Unlock()
	}
}

func waitInVain(t *testing.T, g *Group, task *Task) {
	fd, _ := watched(t, g)
	defer fd.Close(task)
	var s FdStream
	s.Open(fd)
	s.Use(task)
	s.Read(make([]byte, 1), 50*time.Millisecond)
}
