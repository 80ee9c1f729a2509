package loop

import (
	"net/netip"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"balancerd/proxy/internal/sys"
)

// echo has a task of loop 0 answer each byte that comes over a socket pair; byPoller is told after each whether the
// loop waits by the poller. The other end is returned, blocking.
func echo(t *testing.T, g *Group, byPoller *atomic.Bool) int {
	fd, peer := watched(t, g)
	syscall.SetNonblock(peer, false)
	do(g, 0, func(task *Task) {
		var s FdStream
		s.Open(fd)
		s.Use(task)
		defer fd.Close(task)
		for p := make([]byte, 1); ; {
			if _, err := s.Read(p, 10*time.Second); err != nil {
				return
			}
			byPoller.Store(g.list[0].poller.on())
			if s.Write(p, nil, time.Second) != nil {
				return
			}
		}
	})
	return peer
}

// ping sends a byte and waits for its answer.
func ping(t *testing.T, peer int) {
	t.Helper()
	p := []byte{1}
	if _, err := syscall.Write(peer, p); err != nil {
		t.Fatal(err)
	}
	if n, err := syscall.Read(peer, p); n != 1 || err != nil {
		t.Fatal(n, err)
	}
}

func TestFewEventsAreAwaitedByThePoller(t *testing.T) {
	g := newGroup(t, 1)
	var byPoller atomic.Bool
	peer := echo(t, g, &byPoller)
	for i := 0; !byPoller.Load(); i++ {
		if i == 100 {
			t.Fatal("a loop with few events never waits by the poller")
		}
		time.Sleep(10 * time.Millisecond)
		ping(t, peer)
	}
	for i := 0; byPoller.Load(); i++ {
		if i == 1<<20 {
			t.Fatal("a loop with many events still waits by the poller")
		}
		ping(t, peer)
	}
}

// A wait's time limit ends it by the poller, too, and messages of other goroutines come in.
func TestThePollerKeepsTime(t *testing.T) {
	g := newGroup(t, 1)
	var byPoller atomic.Bool
	peer := echo(t, g, &byPoller)
	for i := 0; i < 100 && !byPoller.Load(); i++ {
		time.Sleep(10 * time.Millisecond)
		ping(t, peer)
	}
	for range 3 {
		fd, _ := watched(t, g)
		ended := make(chan error, 1)
		do(g, 0, func(task *Task) {
			var s FdStream
			s.Open(fd)
			s.Use(task)
			_, err := s.Read(make([]byte, 1), 60*time.Millisecond)
			ended <- err
			fd.Close(task)
		})
		select {
		case err := <-ended:
			if !timedOut(err) {
				t.Error(err)
			}
		case <-time.After(20 * time.Second):
			t.Fatal("a wait never ended")
		}
	}
}

// The watchdog sleeps as long as no loop is awake for an interval.
func TestShortWorkDoesNotWakeTheWatchdog(t *testing.T) {
	g := newGroup(t, 1)
	var byPoller atomic.Bool
	peer := echo(t, g, &byPoller)
	for range 10 {
		for i := 0; i < 1000 && g.watch.state.Load() == watchLooking; i++ {
			time.Sleep(interval)
		}
		woken := false
		for range 20 {
			ping(t, peer)
			time.Sleep(2 * interval)
			woken = woken || g.watch.state.Load() == watchLooking
		}
		if !woken {
			return
		}
	}
	t.Error("the watchdog was woken in each of ten rounds") // by the machine, once in a while: it may not run the loop for an interval
}

// All connections of a burst are accepted, though the poller tells of them once and they are more than a loop accepts at a time.
func TestThePollerTellsOfAllConnections(t *testing.T) {
	const most = 3 * batchSize
	g := newGroup(t, 1)
	var byPoller atomic.Bool
	peer := echo(t, g, &byPoller)
	s, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	syscall.Bind(s, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	syscall.Listen(s, most)
	came := make(chan bool, most)
	stop, err := g.Listen([]uintptr{uintptr(s)}, Accept{
		Job: func(conn uintptr, _ netip.AddrPort) (Job, bool) {
			return job(func(*Task) { sys.Close(conn); came <- true }), false
		},
		HasRoom: func(uintptr) bool { return true },
		Failed:  func(e syscall.Errno) { t.Error(e) },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	to, _ := syscall.Getsockname(s)
	for i := 0; !byPoller.Load(); i++ {
		if i == 100 {
			t.Fatal("a loop with few events never waits by the poller")
		}
		time.Sleep(10 * time.Millisecond)
		ping(t, peer)
	}
	do(g, 0, func(*Task) { // the loop looks for events when all are there
		for range most {
			c, _ := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
			if err := syscall.Connect(c, to); err != nil {
				t.Error(err)
			}
			syscall.Close(c)
		}
	})
	for i := range most {
		select {
		case <-came:
		case <-time.After(5 * time.Second): // echo's wait ends after ten, and then the loop looks
			t.Fatalf("%d of %d connections are accepted", i, most)
		}
	}
}
