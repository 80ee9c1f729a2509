package loop

import (
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"balancerd/proxy/recovery"
)

// Group is the event loops of a server. Make one with NewGroup.
type Group struct {
	list  []*Loop
	fds   fdTable
	began time.Time
	spin  bool // loops may keep their processor for spinMillis while they wait
	gens  atomic.Uint32

	spread spread

	pool offloopPool

	watch  watch
	closed atomic.Bool
}

// Loop waits for sockets, and runs what they wake: the tasks that wait for them, and the jobs of parked
// ones. One goroutine at a time runs it: see owner_linux.go.
type Loop struct {
	group    *Group
	index    int // in group.list
	epoll    int
	wakeFD   int // an eventfd that ends its wait
	sleeping atomic.Bool
	load     atomic.Int64 // sockets that it watches

	owner   ownership
	current atomic.Pointer[Task] // the one that ran last, while blocking calls are reported

	// Owned by the goroutine that runs the loop, or by a task that holds it.
	run      uint64 // the number of the last run of a task
	waiting  int    // tasks that wait
	events   [128]syscall.EpollEvent
	i, n     int   // the next event to be handled, and how many there are
	now      int64 // by the group's clock, when the events came
	free     []*Task
	wheel    wheel
	poller   pollerWait
	soon     runQueue // what tasks of this loop have woken or begun
	last     runQueue // what is to be run once nothing is in soon
	duty     duty
	overflow *Loop // where its sockets move as events come for them; nil: nowhere

	mu     sync.Mutex
	queue  []message // under mu
	woken  bool      // wakeFD was written to for it; under mu
	closed bool      // wakeFD is not the loop's any more; under mu

	// Owned as the events are.
	batch   []message // taken off the queue
	handled int       // of them
}

// maxIdleTasks is how many idle tasks a loop keeps.
const maxIdleTasks = 256

// NewGroup makes n loops; they run until Close.
func NewGroup(n int) (*Group, error) {
	g := &Group{began: time.Now(), spin: n < runtime.GOMAXPROCS(0)}
	g.spread.inUse.Store(1)
	g.pool.tasks, g.pool.over = make(chan *Task), make(chan struct{})
	if err := g.openAll(n); err != nil {
		for _, l := range g.list {
			l.close()
		}
		return nil, err
	}
	for _, l := range g.list {
		l.start()
	}
	go recovery.Keep("watching the event loops", g.watchdog)
	return g, nil
}

// openAll makes n loops and what the watchdog waits for.
func (g *Group) openAll(n int) error {
	for range n {
		l, err := g.open()
		if err != nil {
			return err
		}
		l.index = len(g.list)
		g.list = append(g.list, l)
	}
	return g.watch.open()
}

func (g *Group) open() (*Loop, error) {
	ep, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	l := &Loop{group: g, epoll: ep, wakeFD: -1}
	fd, _, e := syscall.RawSyscall(syscall.SYS_EVENTFD2, 0, syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if e != 0 {
		syscall.Close(ep)
		return nil, os.NewSyscallError("eventfd2", e)
	}
	l.wakeFD = int(fd)
	if err := l.control(syscall.EPOLL_CTL_ADD, l.wakeFD, epollIn|epollEdge, wakeGen); err != nil {
		l.close()
		return nil, err
	}
	l.now = g.clock()
	l.wheel.init(l.now)
	return l, nil
}

// Close ends the loops once they have handled what was asked of them. Sockets that they watch stay open.
func (g *Group) Close() {
	if g.closed.Swap(true) {
		return
	}
	close(g.pool.over)
	for _, l := range g.list {
		l.wake()
	}
	g.watch.close()
}

// clock is the time since the group began.
func (g *Group) clock() int64 { return int64(time.Since(g.began)) }

func (l *Loop) close() {
	l.poller.leave()
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	syscall.Close(l.epoll)
	syscall.Close(l.wakeFD)
}

const (
	epollIn        = 0x1
	epollOut       = 0x4
	epollErr       = 0x8
	epollHup       = 0x10
	epollReadHup   = 0x2000
	epollExclusive = 1 << 28
	epollEdge      = 1 << 31

	readEvents = uint32(epollIn | epollReadHup | epollEdge) // of a socket that nobody waits to write to

	wakeGen = 0 // the generation of wakeFD; no Fd has it
)

func (l *Loop) control(op, n int, events, gen uint32) error {
	ev := syscall.EpollEvent{Events: events, Fd: int32(n), Pad: int32(gen)}
	if _, _, e := syscall.RawSyscall6(syscall.SYS_EPOLL_CTL, uintptr(l.epoll), uintptr(op), uintptr(n), uintptr(unsafe.Pointer(&ev)), 0, 0); e != 0 {
		return os.NewSyscallError("epoll_ctl", e)
	}
	return nil
}

// add has the loop wait for a socket's events.
func (l *Loop) add(f *Fd, events uint32) error {
	if f.n >= maxFds {
		return os.NewSyscallError("epoll_ctl", syscall.EMFILE)
	}
	gen := l.group.gens.Add(1)
	if gen == wakeGen {
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

// unwatch ends add.
func (l *Loop) unwatch(f *Fd) {
	l.control(syscall.EPOLL_CTL_DEL, int(f.n), 0, 0)
	l.drop(f)
}

// drop is unwatch for a descriptor that is closed next: that takes it off the epoll.
func (l *Loop) drop(f *Fd) {
	l.group.fds.set(f.n, nil)
	l.load.Add(-1)
	f.loop.Store(nil)
}

// start has a new goroutine run the loop. Whoever ran it must touch nothing of the loop's any more.
func (l *Loop) start() { go l.serve() }

// serve runs the loop until another goroutine does, or the group is closed. A panic outside of a task's job
// loses the event that it was about; the loop goes on with the next one.
func (l *Loop) serve() {
	for !l.serveUntilPanic() {
		time.Sleep(afterPanic)
	}
}

// afterPanic is how long a loop pauses after a panic: one that comes again and again must not fill the log.
const afterPanic = 10 * time.Millisecond

// serveUntilPanic is false after a panic.
func (l *Loop) serveUntilPanic() (over bool) {
	defer recovery.Catch("running an event loop")
	l.rounds()
	return true
}

func (l *Loop) rounds() {
	for {
		for l.i < l.n {
			ev := &l.events[l.i]
			l.i++
			if !l.dispatch(ev) {
				return
			}
		}
		if !l.runTimers() || !l.drainQueue() || !l.runQueued() {
			return
		}
		if l.group.closed.Load() {
			l.close()
			return
		}
		l.poll()
	}
}

// dispatch handles one event. false: the loop is another goroutine's.
func (l *Loop) dispatch(ev *syscall.EpollEvent) bool {
	f := l.group.fds.get(ev.Fd)
	if f == nil || f.gen.Load() != uint32(ev.Pad) {
		return true
	}
	if f.listener != nil {
		l.poller.again = true
		return l.acceptBatch(f.listener)
	}
	events := ev.Events
	if events&(epollReadHup|epollHup|epollErr) != 0 {
		f.end.Store(true)
		events |= epollIn
	}
	if events&(epollHup|epollErr) != 0 {
		events |= epollOut
	}
	var r, w *Task
	if events&epollOut != 0 {
		if w = f.w.event(); w == &parked { // its job is to be run, unless that has begun
			w = nil
			events |= epollIn
		}
	}
	if events&epollIn != 0 {
		f.notified.Store(true)
		r = f.r.event()
	}
	switch {
	case r == nil && w == nil:
		return true
	case r == nil:
		return l.endWait(w, false)
	case w != nil: // a tunnel has a task for each direction
		w.goOn(l)
	}
	if r != &parked {
		return l.endWait(r, false)
	}
	if f.movable && l.passOn(f) {
		return true
	}
	return l.runJob(f.job)
}

// endWait ends a task's wait. false: the loop is another goroutine's.
func (l *Loop) endWait(t *Task, timedOut bool) bool {
	switch {
	case t.done != nil: // it stands for a goroutine
		t.timedOut = timedOut
		t.done <- struct{}{}
	case t.loop != l:
		t.loop.enqueue(message{kind: msgWake, task: t, timedOut: timedOut})
	default:
		t.timedOut = timedOut
		return l.resume(t)
	}
	return true
}

// runJob has an idle task do a job. false: the loop is another goroutine's.
func (l *Loop) runJob(j Job) bool {
	t := l.idleTask()
	t.job = j
	return l.resume(t)
}

// idleTask is a task without a job.
func (l *Loop) idleTask() *Task {
	n := len(l.free)
	if n == 0 {
		return newTask(l)
	}
	t := l.free[n-1]
	l.free = l.free[:n-1]
	return t
}

// resume runs a task until it yields or its job is done. false: the loop is another goroutine's.
func (l *Loop) resume(t *Task) bool {
	l.begin(t)
	if reporter.Load() != nil {
		l.current.Store(t)
	}
	t.resume()
	switch {
	case t.offLoop():
		t.yielded()
		return false
	case t.state == waiting:
		l.waiting++
	case len(l.free) < maxIdleTasks:
		l.free = append(l.free, t)
	default:
		t.stop()
	}
	return true
}

// runTimers ends the waits whose time is over. false: the loop is another goroutine's.
func (l *Loop) runTimers() bool {
	for {
		e := l.wheel.due(l.now)
		switch {
		case e == nil:
			return true
		case e.task != nil:
			if t := e.task; t.waitsFor.cancel(t) && !l.endWait(t, true) {
				return false
			}
		case !l.runOverdue(e.fd):
			return false
		}
	}
}

// runOverdue runs a socket's job, if it is still parked, because its time is over.
func (l *Loop) runOverdue(f *Fd) bool {
	if !f.r.cancel(&parked) {
		return true
	}
	f.timedOut = true
	return l.runJob(f.job)
}

// busyThreshold is from how many events at a time on a loop is busy.
const busyThreshold = 4

// spinMillis is for how many milliseconds a loop keeps its processor while it waits, if there is another one
// for what else goes on.
const spinMillis = 2

// poll waits for events. A loop that has just been busy first yields its processor to the processes that are
// about to cause the next events, if they share it: to put a thread to sleep and wake it costs all of them more.
func (l *Loop) poll() {
	n, e := uintptr(0), syscall.Errno(0)
	if l.soon.len()+l.last.len() > 0 {
		n, e = l.pollKeeping(0)
		l.took(n, e)
		return
	}
	then := l.group.clock()
	switch {
	case l.poller.on(): // it would hold its processor for nothing
	case l.n < busyThreshold:
		n, e = l.pollKeeping(l.spinFor())
	default:
		if n, e = l.pollKeeping(0); n == 0 && e == 0 {
			syscall.RawSyscall(syscall.SYS_SCHED_YIELD, 0, 0, 0)
			n, e = l.pollKeeping(l.spinFor())
		}
	}
	if n == 0 && e == 0 {
		n, e = l.sleep()
	}
	l.took(n, e)
	if l.duty.add(l.now-then, l.now) {
		l.reconsider()
	}
}

// took has n events be handled next.
func (l *Loop) took(n uintptr, e syscall.Errno) {
	l.now = l.group.clock()
	l.i, l.n = 0, 0
	if e == 0 {
		l.n = int(n)
	}
	l.poller.count(l)
}

// spinFor is for how many milliseconds the loop keeps its processor while it waits.
func (l *Loop) spinFor() uintptr {
	if l.group.spin {
		return spinMillis
	}
	return 0
}

// pollKeeping waits for events for some milliseconds; Go's scheduler is not told, so that the loop keeps its
// processor.
func (l *Loop) pollKeeping(wait uintptr) (n uintptr, e syscall.Errno) {
	n, _, e = syscall.RawSyscall6(syscall.SYS_EPOLL_PWAIT, uintptr(l.epoll), uintptr(unsafe.Pointer(&l.events)), uintptr(len(l.events)), wait, 0, 0)
	return n, e
}

// sleep waits until an event comes, a timer may be due or somebody wakes the loop; Go's scheduler gives its
// processor to others.
func (l *Loop) sleep() (n uintptr, e syscall.Errno) {
	next := l.wheel.next()
	l.sleeping.Store(true)
	l.group.watch.sleeps(l.group.list, l.waiting > 0)
	if l.queued() {
		n, e = l.pollKeeping(0)
	} else if l.poller.on() {
		n, e = l.poller.wait(l, next)
	} else {
		n, e = l.sleepInEpoll(next)
	}
	l.sleeping.Store(false)
	l.group.watch.wakes()
	return n, e
}

// sleepInEpoll is sleep until next at the latest, 0: for ever. The processor goes to others only after a while:
// Go's scheduler takes it from a thread that is still in its system call then.
func (l *Loop) sleepInEpoll(next int64) (n uintptr, e syscall.Errno) {
	wait := -1
	if next != 0 {
		wait = int(max(0, next-l.group.clock())/int64(time.Millisecond)) + 1
	}
	n, _, e = syscall.Syscall6(syscall.SYS_EPOLL_PWAIT, uintptr(l.epoll), uintptr(unsafe.Pointer(&l.events)), uintptr(len(l.events)), uintptr(wait), 0, 0)
	return n, e
}
