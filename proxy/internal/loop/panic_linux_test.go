package loop

import (
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"balancerd/proxy/internal/sys"
	"balancerd/proxy/recovery"
)

// caught has the panics of a test counted and their lines kept.
type caught struct {
	mu    sync.Mutex
	lines []string
	since int64
}

func catching(t *testing.T) *caught {
	c := &caught{since: recovery.Panics()}
	recovery.SetLog(func(m string) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.lines = append(c.lines, m)
	})
	t.Cleanup(func() { recovery.SetLog(nil) })
	return c
}

// one waits for a panic's line, which is to hold a text.
func (c *caught) one(t *testing.T, name, text string) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		c.mu.Lock()
		found := len(c.lines) > 0
		c.mu.Unlock()
		if found {
			break
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := recovery.Panics() - c.since; n != 1 || len(c.lines) != 1 || !strings.Contains(c.lines[0], text) || !strings.Contains(c.lines[0], "_test.go:") {
		t.Errorf("%s: %d panics, logged %q", name, n, c.lines)
	}
}

// serves checks that both loops of a group still do jobs.
func serves(t *testing.T, name string, g *Group) {
	t.Helper()
	for i := range 4 {
		done := make(chan bool)
		do(g, i, func(task *Task) {
			fd, peer := watched(t, g)
			defer fd.Close(task)
			var s FdStream
			s.Open(fd)
			s.Use(task)
			if _, err := s.Read(make([]byte, 1), time.Millisecond); !timedOut(err) {
				t.Errorf("%s: afterwards a wait ends with %v", name, err)
			}
			syscall.Write(peer, []byte("x"))
			s.Read(make([]byte, 1), time.Second)
			close(done)
		})
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			t.Fatalf("%s: the loops stand still", name)
		}
	}
}

// Wherever a job panics, that ends the job, and its loop goes on.
func TestPanicsOfTasks(t *testing.T) {
	wait := func(g *Group, task *Task, send bool) {
		fd, peer := watched(t, g)
		var s FdStream
		s.Open(fd)
		s.Use(task)
		if send {
			time.AfterFunc(5*time.Millisecond, func() { syscall.Write(peer, []byte("x")) })
		}
		s.Read(make([]byte, 1), 50*time.Millisecond)
	}
	for _, c := range []struct {
		name string
		job  func(g *Group, task *Task)
	}{
		{"in the loop", func(*Group, *Task) {}},
		{"after a wait", func(g *Group, task *Task) { wait(g, task, true) }},
		{"after a wait in vain", func(g *Group, task *Task) { wait(g, task, false) }},
		{"after Block", func(_ *Group, task *Task) { task.Block() }},
		{"after Block and a wait", func(g *Group, task *Task) { task.Block(); wait(g, task, true) }},
		{"detached for good", func(g *Group, task *Task) { task.Detach(); wait(g, task, true) }},
		{"having lost its loop", func(*Group, *Task) { time.Sleep(50 * time.Millisecond) }},
		{"holding the loop", func(_ *Group, task *Task) { task.acquireLoop() }},
	} {
		g := newGroup(t, 2)
		l := catching(t)
		do(g, 0, func(task *Task) {
			c.job(g, task)
			panic("on purpose")
		})
		l.one(t, c.name, "panic: on purpose while running a task of an event loop")
		serves(t, c.name, g)
	}
}

// So does a parked one, in time or late, and one that begins beside the loops.
func TestPanicsOfParkedAndLongJobs(t *testing.T) {
	for _, late := range []bool{false, true} {
		g := newGroup(t, 2)
		l := catching(t)
		fd, peer := watched(t, g)
		var over atomic.Bool
		do(g, 0, func(task *Task) {
			fd.Park(task, job(func(task *Task) {
				defer fd.Close(task)
				panic("on purpose")
			}), 30*time.Millisecond, &over)
		})
		if !late {
			syscall.Write(peer, []byte("x"))
		}
		l.one(t, "parked", "panic: on purpose while running a task of an event loop")
		serves(t, "parked", g)
	}
	g := newGroup(t, 2)
	l := catching(t)
	g.list[0].runOffLoop(job(func(*Task) { panic("on purpose") }))
	l.one(t, "off the loop", "panic: on purpose while running a task of an event loop")
	serves(t, "off the loop", g)
}

// What a listener calls is the loop's own work: the connection or the fault is lost, and nothing else.
func TestPanicsOfListeners(t *testing.T) {
	g := newGroup(t, 2)
	l := catching(t)
	s, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	syscall.Bind(s, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	syscall.Listen(s, 10)
	to, _ := syscall.Getsockname(s)
	served := make(chan bool, 10)
	first := true
	stop, err := g.Listen([]uintptr{uintptr(s)}, Accept{
		Job: func(conn uintptr, _ netip.AddrPort) (Job, bool) {
			defer sys.Close(conn)
			if first {
				first = false
				panic("on purpose")
			}
			served <- true
			return nil, false
		},
		HasRoom: func(uintptr) bool { return true },
		Failed:  func(syscall.Errno) {},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	for range 2 {
		c, _ := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
		defer syscall.Close(c)
		if err := syscall.Connect(c, to); err != nil {
			t.Fatal(err)
		}
	}
	l.one(t, "accepting", "panic: on purpose while running an event loop")
	select {
	case <-served:
	case <-time.After(10 * time.Second):
		t.Error("nothing is accepted any more")
	}
	serves(t, "accepting", g)
}

// The tasks of a group's own that begin while it runs: the goroutine that begins long jobs, the one that
// watches the loops, and the timer that opens a listener again.
func TestPanicsOfTheGroupsOwnTasks(t *testing.T) {
	for task, begin := range map[string]func(g *Group){
		"running tasks beside the event loops": func(g *Group) { g.list[0].runOffLoop(job(func(*Task) {})) },
		reopening: func(g *Group) {
			d := &listener{loop: g.list[0], fd: g.NewFd(0), Accept: Accept{Failed: func(syscall.Errno) {}}}
			g.list[0].load.Add(1)
			d.suspend(syscall.EMFILE)
		},
		"watching the event loops": func(*Group) { newGroup(t, 1) },
	} {
		g := newGroup(t, 2)
		l := catching(t)
		var once atomic.Bool
		recovery.OnStart(func(name string) {
			if name == task && !once.Swap(true) {
				panic("on purpose")
			}
		})
		begin(g)
		l.one(t, task, "panic: on purpose while "+task)
		recovery.OnStart(nil)
		serves(t, task, g)
	}
}
