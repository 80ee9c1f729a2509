package loop

import (
	"bytes"
	"os"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// modes are what somebody who waits or sets may be.
var modes = []string{"a task", "a task of another loop", "a detached task", "a goroutine"}

// as runs f as one of them.
func as(g *Group, mode string, f func(t *Task)) {
	switch mode {
	case "a goroutine":
		go f(nil)
	case "a task of another loop":
		do(g, 1, f)
	case "a detached task":
		do(g, 0, func(t *Task) { t.Block(); f(t) })
	default:
		do(g, 0, f)
	}
}

// An event reaches who waits, whoever both are: set before the wait, during it, and not at all.
func TestEvent(t *testing.T) {
	for _, who := range modes {
		for _, by := range modes {
			g := newGroup(t, 2)
			var there, back Event
			ended := make(chan error, 10)
			as(g, who, func(w *Task) {
				ended <- there.Wait(w, 30*time.Millisecond)
				back.Set(w)
				for range 100 {
					if err := there.Wait(w, 5*time.Second); err != nil {
						ended <- err
						return
					}
					back.Set(w)
				}
				ended <- nil
			})
			if err := <-ended; err != os.ErrDeadlineExceeded {
				t.Fatalf("%s waits, nobody sets: %v", who, err)
			}
			as(g, by, func(s *Task) {
				for range 101 {
					if err := back.Wait(s, 5*time.Second); err != nil {
						ended <- err
						return
					}
					there.Set(s)
				}
				ended <- nil
			})
			for range 2 {
				if err := <-ended; err != nil {
					t.Errorf("%s waits, %s sets: %v", who, by, err)
				}
			}
			there.Set(nil)
			there.Set(nil) // once more changes nothing
			if err := there.Wait(nil, time.Second); err != nil {
				t.Error(err)
			}
			if there.Wait(nil, time.Millisecond) != os.ErrDeadlineExceeded {
				t.Error("it was set once")
			}
		}
	}
}

// A task begins jobs of its loop, also when it is detached; they run behind it.
func TestSpawn(t *testing.T) {
	for _, who := range []string{"a task", "a detached task"} {
		g := newGroup(t, 2)
		ran := make(chan *Loop, 10)
		var busy atomic.Bool
		as(g, who, func(s *Task) {
			busy.Store(who == "a task")
			for range 10 {
				s.Spawn(job(func(j *Task) {
					if busy.Load() {
						t.Error("it did not wait for the one that began it")
					}
					ran <- j.loop
				}))
			}
			busy.Store(false)
		})
		for range 10 {
			if l := <-ran; l != g.list[0] {
				t.Errorf("%s: it ran in another loop", who)
			}
		}
	}
}

// A job that is kicked runs once more, also when it is just running. It is told from one
// that has something to read.
func TestKick(t *testing.T) {
	for _, by := range modes {
		g := newGroup(t, 2)
		fd, peer := watched(t, g)
		var runs, notified atomic.Int32
		var stop atomic.Bool
		parked := make(chan bool, 100)
		var j job
		j = func(task *Task) {
			for {
				runs.Add(1)
				if fd.Notified() {
					notified.Add(1)
				}
				parked <- true
				if ok, err := fd.Park(task, j, time.Minute, &stop); ok || err != nil {
					return
				}
			}
		}
		do(g, 0, func(task *Task) { j(task) })
		<-parked
		time.Sleep(20 * time.Millisecond)
		if n := runs.Load(); n > 2 { // the first events of a socket may come in between
			t.Errorf("it ran %d times at first", n)
		}
		notified.Store(0)
		before := runs.Load()
		done := make(chan bool)
		as(g, by, func(k *Task) {
			for range 5 {
				fd.Kick(k)
			}
			close(done)
		})
		<-done
		<-parked
		time.Sleep(20 * time.Millisecond)
		if n := runs.Load() - before; n < 1 || n > 5 || by == "a task" && n > 2 {
			t.Errorf("by %s: five kicks had it run %d times", by, n)
		}
		if notified.Load() != 0 {
			t.Errorf("by %s: nothing has come in", by)
		}
		syscall.Write(peer, []byte("x"))
		for end := time.Now().Add(5 * time.Second); notified.Load() == 0 && time.Now().Before(end); time.Sleep(time.Millisecond) {
		}
		if notified.Load() == 0 {
			t.Errorf("by %s: nobody was told of what came in", by)
		}
	}
}

// A parked job that has bytes left is run when the system takes them; without AwaitRoom it is not. Nothing is lost,
// and nothing waits.
func TestDeferredWrites(t *testing.T) {
	g := newGroup(t, 1)
	fd, peer := watched(t, g)
	var stop atomic.Bool
	sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	ended := make(chan error, 1)
	var c *Conn
	var j job
	runs := 0
	j = func(task *Task) {
		c.Serve(task)
		for {
			runs++
			fd.ForgetRoom()
			all, err := c.WriteUnsent()
			if all || err != nil {
				ended <- err
				return
			}
			if !fd.AwaitRoom() {
				continue
			}
			if ok, err := fd.Park(task, j, time.Minute, &stop); ok || err != nil {
				return
			}
		}
	}
	do(g, 0, func(task *Task) {
		c = NewConn(fd, task, nil, nil)
		c.Defer()
		for p := sent; len(p) > 0; p = p[1<<14:] {
			if n, err := c.Write(p[:1<<14]); n != 1<<14 || err != nil {
				t.Error(n, err)
			}
		}
		j(task)
	})
	var got []byte
	buf := make([]byte, 1<<15)
	for end := time.Now().Add(10 * time.Second); len(got) < len(sent) && time.Now().Before(end); {
		n, err := syscall.Read(peer, buf)
		if err == syscall.EAGAIN {
			time.Sleep(100 * time.Microsecond)
			continue
		}
		got = append(got, buf[:n]...)
	}
	if !bytes.Equal(got, sent) {
		t.Fatal(len(got), "bytes of", len(sent))
	}
	if err := <-ended; err != nil || c.Sent() != int64(len(sent)) || runs < 2 {
		t.Error(err, c.Sent(), runs)
	}
}

// A job that has called AwaitRoom and runs for another reason is not run a second time at once.
func TestOneRunAtATime(t *testing.T) {
	g := newGroup(t, 2)
	fd, peer := watched(t, g)
	var inside, both, runs atomic.Int32
	var stop atomic.Bool
	var j job
	j = func(task *Task) {
		if inside.Add(1) > 1 {
			both.Add(1)
		}
		runs.Add(1)
		var buf [64]byte
		syscall.Read(int(fd.N()), buf[:])
		if runs.Load()%7 == 0 {
			task.Block() // another goroutine runs the loop meanwhile
		}
		for {
			fd.ForgetRoom()
			syscall.Write(int(fd.N()), make([]byte, 4<<10))
			fd.AwaitRoom()
			inside.Add(-1)
			ok, err := fd.Park(task, j, time.Minute, &stop)
			if ok || err != nil {
				return
			}
			inside.Add(1)
		}
	}
	do(g, 0, func(task *Task) { j(task) })
	buf := make([]byte, 64<<10)
	for end := time.Now().Add(300 * time.Millisecond); time.Now().Before(end); {
		syscall.Write(peer, []byte("x"))
		syscall.Read(peer, buf)
		fd.Kick(nil)
	}
	if n := both.Load(); n > 0 || runs.Load() < 10 {
		t.Errorf("of %d runs %d were two at a time", runs.Load(), n)
	}
}

// reading has a task of loop 0 read a byte; what came of that is sent.
func reading(g *Group, fd *Fd) <-chan error {
	read := make(chan error, 1)
	do(g, 0, func(task *Task) {
		var s FdStream
		s.Open(fd)
		s.Use(task)
		_, err := s.Read(make([]byte, 1), time.Minute)
		read <- err
	})
	return read
}

// A task that waits to read is kicked in vain: it goes on waiting.
func TestKickOfWhoReads(t *testing.T) {
	g := newGroup(t, 1)
	fd, peer := watched(t, g)
	read := reading(g, fd)
	waits := func() bool { t := fd.r.p.Load(); return t != nil && t != &ready }
	for range 20 {
		for until := time.Now().Add(10 * time.Second); !waits(); time.Sleep(time.Millisecond) {
			if time.Now().After(until) {
				t.Fatal("it does not wait")
			}
		}
		fd.Kick(nil)
	}
	syscall.Write(peer, []byte("x"))
	if err := <-read; err != nil {
		t.Error(err)
	}
}

// One event may be what both tasks of a socket wait for: one that reads and one that writes.
func TestOneEventForTwoTasks(t *testing.T) {
	g := newGroup(t, 1)
	l := g.list[0]
	fd, peer := watched(t, g)
	wrote := make(chan error, 1)
	do(g, 0, func(task *Task) {
		var s FdStream
		s.Open(fd)
		s.Use(task)
		wrote <- s.Write(make([]byte, 4<<20), nil, time.Minute)
	})
	read := reading(g, fd)
	bothWait := func() {
		t.Helper()
		for until := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
			r, w := fd.r.p.Load(), fd.w.p.Load()
			if r != nil && r != &ready && w != nil && w != &ready {
				return
			}
			if time.Now().After(until) {
				t.Fatalf("read waits %v, write waits %v", r, w)
			}
		}
	}
	bothWait()
	looked := make(chan bool)
	do(g, 0, func(task *Task) {
		if task.acquireLoop() {
			l.events[l.n] = syscall.EpollEvent{Events: epollIn | epollOut, Fd: fd.n, Pad: int32(fd.gen.Load())}
			l.n++
			task.releaseLoop()
		}
		close(looked)
	})
	<-looked
	bothWait() // neither found anything
	syscall.Write(peer, []byte("x"))
	if err := <-read; err != nil {
		t.Error(err)
	}
	for p := make([]byte, 1<<20); ; {
		select {
		case err := <-wrote:
			if err != nil {
				t.Error(err)
			}
			return
		default:
			syscall.Read(peer, p)
		}
	}
}
