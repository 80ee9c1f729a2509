package socket

import (
	"cmp"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"balancerd/proxy/recovery"
)

// Loops is a group of event loops. Make one with NewLoops.
type Loops struct {
	list  []*Loop
	fds   table
	began time.Time
	raw   bool // loops may keep their processor while they wait for a moment
	gens  atomic.Uint32

	waiters sync.Pool // *Task

	crew chan *Task    // for goroutines that wait for one
	idle atomic.Int32  // how many do
	over chan struct{} // closed by Close

	guard   chan struct{} // wakes the guard
	resting atomic.Bool   // the guard sleeps
	ended   atomic.Bool
}

// Loop waits for sockets, and runs what they wake: the tasks that wait for them, and the jobs of parked
// ones. One goroutine at a time runs it.
type Loop struct {
	group    *Loops
	ep       int
	bell     int // an eventfd
	sleeping atomic.Bool
	load     atomic.Int64 // sockets that it watches

	// state is twice the number of the task's run that is under way, and one while the task owns the
	// loop's goroutine: then the guard may take the loop away from it.
	state atomic.Uint64

	// Owned by who runs it, or by a task that is here.
	seq    uint64
	events [128]syscall.EpollEvent
	i, n   int
	now    int64
	free   []*Task
	wheel  wheel

	mu   sync.Mutex
	mail []mail // under mu
	rung bool   // the bell was rung for it; under mu
	read []mail // owned by who runs it
	seen int    // of read; owned likewise
}

// maxFree is how many tasks are kept for later.
const maxFree = 256

// NewLoops makes n loops; they run until Close.
func NewLoops(n int) (*Loops, error) {
	g := &Loops{began: time.Now(), guard: make(chan struct{}, 1), crew: make(chan *Task), over: make(chan struct{}), raw: n < runtime.GOMAXPROCS(0)}
	g.waiters.New = func() any { return &Task{wake: make(chan struct{}, 1)} }
	for range n {
		l, err := g.open()
		if err != nil {
			for _, l := range g.list {
				l.close()
			}
			return nil, err
		}
		g.list = append(g.list, l)
	}
	for _, l := range g.list {
		l.handOver()
	}
	go recovery.Keep("watching the event loops", g.watch)
	return g, nil
}

func (g *Loops) open() (*Loop, error) {
	ep, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	l := &Loop{group: g, ep: ep, bell: -1}
	bell, _, e := syscall.RawSyscall(syscall.SYS_EVENTFD2, 0, syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if e != 0 {
		syscall.Close(ep)
		return nil, os.NewSyscallError("eventfd2", e)
	}
	l.bell = int(bell)
	if err := l.control(syscall.EPOLL_CTL_ADD, l.bell, epollIn|epollEdge, bellGen); err != nil {
		l.close()
		return nil, err
	}
	l.now = g.clock()
	l.wheel.init(l.now)
	return l, nil
}

// Close ends the loops once nothing is asked of them any more. Sockets that they watch stay open.
func (g *Loops) Close() {
	if g.ended.Swap(true) {
		return
	}
	close(g.over)
	for _, l := range g.list {
		l.ring()
	}
	g.rouse()
}

// clock is the time since the group began.
func (g *Loops) clock() int64 { return int64(time.Since(g.began)) }

func (l *Loop) close() {
	syscall.Close(l.ep)
	syscall.Close(l.bell)
}

const (
	epollIn        = 0x1
	epollOut       = 0x4
	epollErr       = 0x8
	epollHup       = 0x10
	epollReadHup   = 0x2000
	epollExclusive = 1 << 28
	epollEdge      = 1 << 31

	bellGen = 0 // no Fd has it
)

func (l *Loop) control(op, n int, events, gen uint32) error {
	ev := syscall.EpollEvent{Events: events, Fd: int32(n), Pad: int32(gen)}
	if _, _, e := syscall.RawSyscall6(syscall.SYS_EPOLL_CTL, uintptr(l.ep), uintptr(op), uintptr(n), uintptr(unsafe.Pointer(&ev)), 0, 0); e != 0 {
		return os.NewSyscallError("epoll_ctl", e)
	}
	return nil
}

// watch has the loop tell of a socket's changes.
func (l *Loop) watch(f *Fd) error { return l.add(f, epollIn|epollOut|epollReadHup|epollEdge) }

// add is watch for given events.
func (l *Loop) add(f *Fd, events uint32) error {
	if f.n >= most {
		return os.NewSyscallError("epoll_ctl", syscall.EMFILE)
	}
	gen := l.group.gens.Add(1)
	if gen == bellGen {
		gen = l.group.gens.Add(1)
	}
	f.gen.Store(gen)
	l.group.fds.set(f.n, f)
	err := l.control(syscall.EPOLL_CTL_ADD, int(f.n), events, gen)
	if err != nil {
		l.group.fds.set(f.n, nil)
		return err
	}
	l.load.Add(1)
	return nil
}

// forget ends watch.
func (l *Loop) forget(f *Fd) {
	l.control(syscall.EPOLL_CTL_DEL, int(f.n), 0, 0)
	l.drop(f)
}

// drop is forget for a descriptor that is closed next.
func (l *Loop) drop(f *Fd) {
	l.group.fds.set(f.n, nil)
	l.load.Add(-1)
	f.loop.Store(nil)
}

// uneven is how many more sockets than another one a loop may watch.
const uneven = 8

// lighter is the loop that is to watch one more: l, unless others have much less to do.
func (l *Loop) lighter() *Loop {
	best, least := l, l.load.Load()-uneven
	for _, o := range l.group.list {
		if n := o.load.Load(); n < least {
			best, least = o, n
		}
	}
	return best
}

// run is the loop. It ends when another goroutine runs it, or with the group. A panic of its own, which no
// task's is, costs what it was about: the loop goes on with what comes next.
func (l *Loop) run() {
	for !l.rounds() {
		time.Sleep(afterPanic)
	}
}

// afterPanic is how long a loop rests after a panic: one that comes again and again must not fill the log.
const afterPanic = 10 * time.Millisecond

// rounds is the loop until a panic: then it is false.
func (l *Loop) rounds() (over bool) {
	defer recovery.Catch("running an event loop")
	l.round()
	return true
}

func (l *Loop) round() {
	for {
		for l.i < l.n {
			ev := &l.events[l.i]
			l.i++
			if !l.deliver(ev) {
				return
			}
		}
		if !l.late() || !l.open() {
			return
		}
		if l.group.ended.Load() {
			l.close()
			return
		}
		l.poll()
	}
}

// deliver sees to one event. false: the loop is another goroutine's.
func (l *Loop) deliver(ev *syscall.EpollEvent) bool {
	f := l.group.fds.get(ev.Fd)
	if f == nil || f.gen.Load() != uint32(ev.Pad) {
		return true
	}
	if f.door != nil {
		return l.admit(f.door)
	}
	events := ev.Events
	if events&(epollReadHup|epollHup|epollErr) != 0 {
		f.end.Store(true)
		events |= epollIn
	}
	if events&(epollHup|epollErr) != 0 {
		events |= epollOut
	}
	var t *Task // one at most waits for a socket
	if events&epollIn != 0 {
		t = f.r.happen()
	}
	if events&epollOut != 0 {
		t = cmp.Or(f.w.happen(), t)
	}
	switch t {
	case nil:
		return true
	case &parked:
		return l.start(f.job)
	}
	return l.wake(t, false)
}

// wake ends a task's wait.
func (l *Loop) wake(t *Task, late bool) bool {
	switch {
	case t.wake != nil: // a goroutine
		t.late = late
		t.wake <- struct{}{}
	case t.loop != l:
		t.loop.post(mail{kind: mailWake, task: t, late: late})
	default:
		t.late = late
		return l.resume(t)
	}
	return true
}

// start has a task do a job.
func (l *Loop) start(j Job) bool {
	t := l.spare()
	t.job = j
	return l.resume(t)
}

// spare is a task without a job.
func (l *Loop) spare() *Task {
	n := len(l.free)
	if n == 0 {
		return newTask(l)
	}
	t := l.free[n-1]
	l.free = l.free[:n-1]
	return t
}

// resume runs a task until it waits or is done.
func (l *Loop) resume(t *Task) bool {
	t.at, t.out = nil, false
	l.seq++
	t.seq = l.seq
	l.state.Store(l.seq<<1 | 1)
	t.next()
	if t.away {
		t.carried()
		return false
	}
	if t.job == nil && len(l.free) < maxFree {
		l.free = append(l.free, t)
	} else if t.job == nil {
		t.stop()
	}
	return true
}

// handOver has another goroutine run the loop.
func (l *Loop) handOver() { go l.run() }

// late sees to what was waited for too long.
func (l *Loop) late() bool {
	for {
		e := l.wheel.due(l.now)
		switch {
		case e == nil:
			return true
		case e.task != nil:
			if t := e.task; t.at.drop(t) && !l.wake(t, true) {
				return false
			}
		case !l.lateJob(e.fd):
			return false
		}
	}
}

func (l *Loop) lateJob(f *Fd) bool {
	if !f.r.drop(&parked) {
		return true
	}
	f.late = true
	return l.start(f.job)
}

// crowd is from how many events at a time on a loop is busy.
const crowd = 4

// moment is for how many milliseconds a loop keeps its processor while it waits, if there is another one
// for what else goes on.
const moment = 2

// poll waits for events. One that has just been busy lets those go first who are about to make the next
// ones, if they need its processor: to be put to sleep and woken costs all of them more.
func (l *Loop) poll() {
	wait := uintptr(0)
	if l.group.raw {
		wait = moment
	}
	var n uintptr
	var e syscall.Errno
	if l.n < crowd {
		n, e = l.ask(wait)
	} else if n, e = l.ask(0); n == 0 && e == 0 {
		syscall.RawSyscall(syscall.SYS_SCHED_YIELD, 0, 0, 0)
		n, e = l.ask(wait)
	}
	if n == 0 && e == 0 {
		n, e = l.sleep()
	}
	l.now = l.group.clock()
	l.i, l.n = 0, 0
	if e == 0 {
		l.n = int(n)
	}
}

// ask waits for events for some milliseconds, with a processor.
func (l *Loop) ask(wait uintptr) (n uintptr, e syscall.Errno) {
	n, _, e = syscall.RawSyscall6(syscall.SYS_EPOLL_PWAIT, uintptr(l.ep), uintptr(unsafe.Pointer(&l.events)), uintptr(len(l.events)), wait, 0, 0)
	return n, e
}

// sleep waits without a processor.
func (l *Loop) sleep() (n uintptr, e syscall.Errno) {
	wait := -1
	if next := l.wheel.next(); next != 0 {
		wait = int(max(0, next-l.group.clock())/int64(time.Millisecond)) + 1
	}
	l.sleeping.Store(true)
	if l.called() {
		wait = 0
	}
	n, _, e = syscall.Syscall6(syscall.SYS_EPOLL_PWAIT, uintptr(l.ep), uintptr(unsafe.Pointer(&l.events)), uintptr(len(l.events)), uintptr(wait), 0, 0)
	l.sleeping.Store(false)
	l.group.rouse()
	return n, e
}
