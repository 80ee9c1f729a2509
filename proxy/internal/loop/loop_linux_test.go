package loop

import (
	"errors"
	"io"
	"net/netip"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"balancerd/proxy/internal/sys"
)

// job is a function as a Job.
type job func(t *Task)

func (f job) Run(t *Task) { f(t) }

func newGroup(t *testing.T, n int) *Group {
	t.Helper()
	g, err := NewGroup(n)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	return g
}

// watched is two connected sockets; the first is a loop's.
func watched(t *testing.T, g *Group) (*Fd, int) {
	t.Helper()
	p, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(p[1]) })
	return g.NewFd(uintptr(p[0])), p[1]
}

// do has a loop's task do something.
func do(g *Group, i int, f func(t *Task)) {
	l := g.list[i%len(g.list)]
	fds := [2]int{}
	syscall.Pipe2(fds[:], syscall.O_NONBLOCK|syscall.O_CLOEXEC)
	fd := g.NewFd(uintptr(fds[0]))
	fd.job = job(func(t *Task) {
		fd.Close(nil)
		syscall.Close(fds[1])
		f(t)
	})
	fd.r.p.Store(&parked)
	fd.watchBy(l, false)
	syscall.Write(fds[1], []byte{1})
}

func TestTasksWait(t *testing.T) {
	for _, blocks := range []bool{false, true} {
		g := newGroup(t, 2)
		fd, peer := watched(t, g)
		ended := make(chan error, 3)
		do(g, 0, func(task *Task) {
			if blocks {
				task.Block()
			}
			var s FdStream
			s.Open(fd)
			s.Use(task)
			p := make([]byte, 10)
			_, err := s.Read(p, 50*time.Millisecond)
			ended <- err
			n, err := s.Read(p, 5*time.Second)
			if string(p[:n]) != "hello" {
				err = errors.New("read " + string(p[:n]))
			}
			ended <- err
			ended <- s.Write(make([]byte, 1<<20), nil, 50*time.Millisecond)
			fd.Close(task)
		})
		if err := <-ended; !timedOut(err) {
			t.Errorf("blocks %v: a read without bytes ended with %v", blocks, err)
		}
		syscall.Write(peer, []byte("hello"))
		if err := <-ended; err != nil {
			t.Errorf("blocks %v: %v", blocks, err)
		}
		if err := <-ended; !timedOut(err) {
			t.Errorf("blocks %v: a write that nobody reads ended with %v", blocks, err)
		}
	}
}

// A task that neither waits nor says that it blocks does not keep others from being served.
func TestWatchdog(t *testing.T) {
	g := newGroup(t, 1)
	stuck, other := make(chan struct{}), make(chan struct{})
	do(g, 0, func(*Task) { <-stuck })
	time.Sleep(20 * time.Millisecond)
	do(g, 0, func(*Task) { close(other) })
	select {
	case <-other:
	case <-time.After(5 * time.Second):
		t.Error("the loop waits for a task")
	}
	close(stuck)
}

func TestParked(t *testing.T) {
	g := newGroup(t, 2)
	for i, blocks := range []bool{false, true, false, true} {
		fd, peer := watched(t, g)
		var over atomic.Bool
		ran := make(chan bool, 3)
		var again job
		again = func(task *Task) {
			late := fd.TimedOut()
			if late {
				fd.Close(task)
				ran <- late
				return
			}
			sys.Read(fd.N(), make([]byte, 10))
			ran <- late
			if ok, err := fd.Park(task, again, 40*time.Millisecond, &over); !ok {
				t.Errorf("not parked: %v", err)
			}
		}
		do(g, i, func(task *Task) {
			if blocks {
				task.Block()
			}
			fd.Park(task, again, time.Hour, &over)
		})
		time.Sleep(10 * time.Millisecond)
		syscall.Write(peer, []byte("x"))
		if late := <-ran; late {
			t.Errorf("blocks %v: bytes came, and it is said to be overdue", blocks)
		}
		began := time.Now()
		if late := <-ran; !late {
			t.Errorf("blocks %v: no bytes came, and it is not said to be overdue", blocks)
		}
		if d := time.Since(began); d < 30*time.Millisecond || d > time.Second {
			t.Errorf("blocks %v: a park of 40 ms took %v", blocks, d)
		}
	}
}

// A nudge ends what is parked, and no wait of a task: that is in the middle of something.
func TestNudge(t *testing.T) {
	g := newGroup(t, 1)
	fd, peer := watched(t, g)
	ended := make(chan error, 2)
	late := make(chan bool, 1)
	var over atomic.Bool
	do(g, 0, func(task *Task) {
		var s FdStream
		s.Open(fd)
		s.Use(task)
		ended <- nil
		_, err := s.Read(make([]byte, 1), time.Hour)
		ended <- err
		s.Reset()
		fd.Park(task, job(func(task *Task) {
			late <- fd.TimedOut()
			fd.Close(task)
		}), time.Hour, &over)
	})
	<-ended
	for range 5 {
		time.Sleep(5 * time.Millisecond)
		fd.Nudge()
	}
	syscall.Write(peer, []byte("x"))
	if err := <-ended; err != nil {
		t.Error("a task's wait: ", err)
	}
	for {
		select {
		case l := <-late:
			if !l {
				t.Error("it is told that something came in")
			}
			return
		case <-time.After(5 * time.Millisecond):
			fd.Nudge()
		}
	}
}

func TestListener(t *testing.T) {
	g := newGroup(t, 2)
	s, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	syscall.Bind(s, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	syscall.Listen(s, 10)
	other, _ := sys.Dup(uintptr(s))
	came := make(chan netip.AddrPort, 10)
	stop, err := g.Listen([]uintptr{uintptr(s), other}, Accept{
		Job: func(conn uintptr, remote netip.AddrPort) (Job, bool) {
			return job(func(*Task) {
				sys.Close(conn)
				came <- remote
			}), false
		},
		HasRoom: func(uintptr) bool { return true },
		Failed:  func(e syscall.Errno) { t.Error(e) },
	})
	if err != nil {
		t.Fatal(err)
	}
	to, _ := syscall.Getsockname(s)
	for range 5 {
		c, _ := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
		if err := syscall.Connect(c, to); err != nil {
			t.Fatal(err)
		}
		if a := <-came; a.Addr() != netip.AddrFrom4([4]byte{127, 0, 0, 1}) {
			t.Error(a)
		}
		syscall.Close(c)
	}
	stop()
	c, _ := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	defer syscall.Close(c)
	if syscall.Connect(c, to) == nil {
		t.Error("a closed listener accepts")
	}
}

// TestListenerIsSuspended: without room the connection that is there is served, and no other one until there is
// room again. That is told once.
func TestListenerIsSuspended(t *testing.T) {
	g := newGroup(t, 1)
	s, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	syscall.Bind(s, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	syscall.Listen(s, 10)
	var full atomic.Bool
	var asked, told atomic.Int32
	full.Store(true)
	came := make(chan bool, 10)
	stop, err := g.Listen([]uintptr{uintptr(s)}, Accept{
		Job: func(conn uintptr, _ netip.AddrPort) (Job, bool) {
			return job(func(*Task) { sys.Close(conn); came <- true }), false
		},
		HasRoom: func(uintptr) bool { asked.Add(1); return !full.Load() },
		Failed: func(e syscall.Errno) {
			if e != syscall.EMFILE {
				t.Error(e)
			}
			told.Add(1)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	to, _ := syscall.Getsockname(s)
	for range 3 {
		c, _ := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
		defer syscall.Close(c)
		if err := syscall.Connect(c, to); err != nil {
			t.Fatal(err)
		}
	}
	<-came
	for asked.Load() < 4 { // it asked again, and found no room
		time.Sleep(time.Millisecond)
	}
	if len(came) > 0 {
		t.Error("a connection was accepted without room")
	}
	full.Store(false)
	<-came
	<-came
	if n := told.Load(); n != 1 {
		t.Errorf("told %d times", n)
	}
}

func TestWheel(t *testing.T) {
	const tick = 1 << tickShift
	var w wheel
	w.init(0)
	fd := &Fd{}
	fd.r.p.Store(&parked)
	soon, later, far := &timer{fd: fd}, &timer{fd: fd}, &timer{fd: fd}
	w.set(soon, 2*tick)
	w.set(later, 3*tick)
	w.set(far, 5*wheelSlots*tick)
	w.set(later, 700*tick) // put off
	for _, c := range []struct {
		at   int64
		want *timer
	}{{tick, nil}, {4 * tick, soon}, {5 * tick, nil}, {650 * tick, nil}, {702 * tick, later}, {4 * wheelSlots * tick, nil}, {6 * wheelSlots * tick, far}, {9 * wheelSlots * tick, nil}} {
		if got := w.due(c.at); got != c.want {
			t.Errorf("at tick %d: %p, want %p", c.at/tick, got, c.want)
		}
	}
	if w.n != 0 {
		t.Errorf("%d are left", w.n)
	}
	w.set(soon, 10*wheelSlots*tick)
	fd.r.p.Store(nil) // nobody waits any more
	if next := w.next(); next < 10*wheelSlots*tick || next > 10*wheelSlots*tick+2*tick {
		t.Error(next)
	}
	if got := w.due(11 * wheelSlots * tick); got != nil || w.n != 0 {
		t.Errorf("%p, %d left", got, w.n)
	}
}

// An answer that is there before anybody waits for it is found, though nothing was read before.
func TestAnswersThatAreThereAlready(t *testing.T) {
	g := newGroup(t, 1)
	for _, says := range []string{"answer", ""} {
		fd, peer := watched(t, g)
		syscall.Write(peer, []byte(says))
		if says == "" {
			syscall.Shutdown(peer, syscall.SHUT_WR)
		}
		ended := make(chan error, 1)
		do(g, 0, func(task *Task) {
			defer fd.Close(task)
			var s FdStream
			s.OpenAsking(fd)
			s.Use(task)
			if !s.Drained() {
				t.Error("it would read first")
			}
			p := make([]byte, 10)
			n, wrote, err := s.Talk(time.Time{}, []byte("ask"), nil, p, 10*time.Second)
			if string(p[:n]) != says || !wrote {
				t.Errorf("%q, %v", p[:n], wrote)
			}
			ended <- err
		})
		if err := <-ended; (err == io.EOF) != (says == "") || err != nil && err != io.EOF {
			t.Errorf("%q: %v", says, err)
		}
	}
}

// An event that moved nothing is no reason to give up: the time that is left is still left.
func TestStaleEvents(t *testing.T) {
	g := newGroup(t, 1)
	fd, peer := watched(t, g)
	ended, drained := make(chan error, 1), make(chan struct{})
	do(g, 0, func(task *Task) {
		var s FdStream
		s.Open(fd)
		s.Use(task)
		for range 3 { // a mark, and then another one whenever that one is looked at
			fd.w.event()
			if err := s.Write(make([]byte, 1<<20), nil, 20*time.Millisecond); !timedOut(err) {
				ended <- err
				return
			}
		}
		time.AfterFunc(50*time.Millisecond, func() {
			defer close(drained)
			for p := make([]byte, 1<<16); ; {
				n, err := syscall.Read(peer, p)
				if n == 0 || err != nil && err != syscall.EAGAIN {
					return
				}
			}
		})
		fd.w.event()
		ended <- s.Write(make([]byte, 1<<20), nil, 5*time.Second)
		fd.Close(task)
	})
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	<-drained // the number of peer is another socket's soon
}

// A loop is told of room only for who has waited for it; from then on of each time that there is room again.
func TestRoomIsToldToWhoWrites(t *testing.T) {
	g := newGroup(t, 1)
	fd, peer := watched(t, g)
	syscall.SetNonblock(peer, false)
	early, ended := make(chan bool, 1), make(chan error, 1)
	do(g, 0, func(task *Task) {
		defer fd.Close(task)
		var s FdStream
		s.Open(fd)
		s.Use(task)
		p := make([]byte, 1)
		_, err := s.Read(p, 20*time.Second)
		early <- fd.w.p.Load() != nil
		for i := 0; i < 3 && err == nil; i++ {
			if err = s.Write(make([]byte, 1<<20), nil, 20*time.Second); err == nil {
				_, err = s.Read(p, 20*time.Second)
			}
		}
		ended <- err
	})
	p := make([]byte, 1<<20)
	syscall.Write(peer, p[:1])
	if <-early {
		t.Error("a fresh socket's loop was told of its room")
	}
	for range 3 {
		for n := 0; n < len(p); {
			k, err := syscall.Read(peer, p[n:])
			if err != nil || k <= 0 {
				t.Fatal(k, err)
			}
			n += k
		}
		syscall.Write(peer, p[:1])
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// A parked job that waits for room as well runs once there is some, whether its socket was watched before or not.
func TestParkedForRoom(t *testing.T) {
	for _, watchedBefore := range []bool{false, true} {
		g := newGroup(t, 1)
		fd, peer := watched(t, g)
		full, ran := make(chan bool, 1), make(chan bool, 1)
		do(g, 0, func(task *Task) {
			if watchedBefore {
				fd.wait(task, &fd.r, time.Millisecond)
			}
			for e := syscall.Errno(0); e == 0; {
				_, e = sys.Write(fd.N(), make([]byte, 1<<16))
			}
			var never atomic.Bool
			if !fd.AwaitRoom() {
				t.Error("there is room")
			}
			fd.Park(task, job(func(task *Task) {
				fd.ForgetRoom()
				ran <- !fd.TimedOut()
				fd.Close(task)
			}), 20*time.Second, &never)
			full <- true
		})
		<-full
		for p := make([]byte, 1<<20); ; {
			if n, _ := syscall.Read(peer, p); n <= 0 {
				break
			}
		}
		if !<-ran {
			t.Errorf("watched before: %v: nobody was told of the room", watchedBefore)
		}
	}
}
