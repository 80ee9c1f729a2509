package loop

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// Every state can be reached and, but for the last one, left; every event happens somewhere.
func TestTransitions(t *testing.T) {
	reached := map[taskState]bool{idle: true}
	used := map[taskEvent]bool{}
	for range taskStates {
		for from := range transitions {
			for e, to := range transitions[from] {
				if to != none && reached[taskState(from)] {
					reached[to], used[taskEvent(e)] = true, true
				}
			}
		}
	}
	for s := range taskStates {
		if !reached[s] {
			t.Errorf("nothing leads to %v", s)
		}
		out := slices.ContainsFunc(transitions[s][:], func(to taskState) bool { return to != none && to != s })
		if out == (s == ended) {
			t.Errorf("%v can be left: %v", s, out)
		}
	}
	for e := range taskEvents {
		if !used[e] {
			t.Errorf("%v never happens", e)
		}
	}
	if len(stateNames[ended]) == 0 || len(eventNames[evEnd]) == 0 {
		t.Error("a name is missing")
	}
}

// What the table forbids is found at once.
func TestForbiddenTransition(t *testing.T) {
	defer func() {
		if p := recover(); p != "loop: a task that is waiting can't acquire" {
			t.Error(p)
		}
	}()
	(&Task{state: waiting}).on(evAcquire)
}

// ownerModel is one loop, its tasks, the goroutines that run it and its watchdog, without system calls: each
// step is one that the scheduler could let happen next. The ownership is the loop's own code.
type ownerModel struct {
	t       *testing.T
	rnd     *rand.Rand
	l       *Loop
	tasks   []*Task
	inJob   map[*Task]bool // its job has begun and not ended
	current *Task          // what the goroutine that runs the loop has resumed; nil: it is in the loop's own code
	runners int            // goroutines in the loop's own code, or in a task that has not been revoked
	queued  []*Task        // told to the loop to be readopted
	word    uint64         // what the watchdog saw last
	trace   []string
}

// check is what must hold after every step: exactly one goroutine may touch what the loop owns.
func (m *ownerModel) check() {
	owners := 0
	if m.current == nil {
		owners = m.runners
	}
	for _, t := range m.tasks {
		if t.state == holding {
			owners++
			if m.l.owner.revoke(m.l.owner.word.Load()) {
				m.fail("a loop that a task holds can be revoked")
			}
		}
		if t.waitsFor != nil && t.state != waiting {
			m.fail(fmt.Sprintf("a task that is %v is on the loop's timers", t.state))
		}
	}
	if m.current != nil && m.current.state == running && owners > 0 {
		m.fail("two own the loop")
	}
	if owners > 1 || m.runners != 1 {
		m.fail(fmt.Sprintf("%d own the loop, %d run it", owners, m.runners))
	}
}

func (m *ownerModel) fail(what string) {
	m.t.Helper()
	m.t.Fatalf("%s, after %q", what, m.trace[max(0, len(m.trace)-12):])
}

// steps is what can happen next, by name.
func (m *ownerModel) steps() map[string]func() {
	out := map[string]func(){
		"the watchdog looks": func() { m.word = m.l.owner.word.Load() },
		"the watchdog revokes": func() {
			if m.l.owner.revoke(m.word) { // it starts a goroutine; the one before is the task's alone
				m.current = nil
			}
		},
	}
	for i, t := range m.tasks {
		m.taskSteps(out, fmt.Sprintf("task %d ", i), t)
	}
	return out
}

// taskSteps adds what one task, or the loop with it, can do next.
func (m *ownerModel) taskSteps(out map[string]func(), name string, t *Task) {
	if m.current == nil {
		m.loopSteps(out, name, t)
	}
	if !m.inJob[t] {
		return
	}
	revoked := func() {
		if t.state == detached && m.current == t {
			m.fail("a task that has its loop believes that it was revoked")
		}
	}
	switch t.state {
	case running:
		out[name+"acquires"] = func() {
			has := m.current == t
			if got := t.acquireLoop(); got != has {
				m.fail(fmt.Sprintf("acquire is %v, and the loop is the task's: %v", got, has))
			}
			revoked()
		}
	case holding:
		out[name+"releases"] = t.releaseLoop
		out[name+"blocks"] = func() { t.on(evBlock); m.current = nil }
		out[name+"waits"] = func() {
			t.waitsFor = &pollDesc{}
			t.on(evWait)
			m.current = nil // the loop's goroutine goes on
		}
		out[name+"ends"] = func() { m.end(t); m.current = nil }
	case detached:
		out[name+"detaches for good"] = func() { t.on(evDetachForGood) }
		out[name+"waits"] = func() { t.on(evWait); m.queued = append(m.queued, t) }
		out[name+"ends"] = func() { m.end(t) }
	case detachedForGood:
		out[name+"ends"] = func() { m.end(t) }
	}
}

// loopSteps adds what the loop's own code can do with a task.
func (m *ownerModel) loopSteps(out map[string]func(), name string, t *Task) {
	switch t.state {
	case idle:
		out[name+"begins"] = func() { m.resume(t) }
		out[name+"begins off the loop"] = func() { t.on(evOffLoop); m.inJob[t] = true }
	case waiting:
		out[name+"is woken"] = func() { m.resume(t) }
	case returning:
		if i := slices.Index(m.queued, t); i >= 0 {
			out[name+"is readopted"] = func() {
				m.queued = slices.Delete(m.queued, i, i+1)
				t.waitsFor = &pollDesc{}
				t.on(evReadopt)
			}
			out[name+"is readopted and ready"] = func() {
				m.queued = slices.Delete(m.queued, i, i+1)
				m.resume(t)
			}
		}
	}
}

func (m *ownerModel) resume(t *Task) {
	m.l.begin(t)
	m.current, m.inJob[t] = t, true
}

// end ends a job; a task whose coroutine is over is replaced by a fresh one.
func (m *ownerModel) end(t *Task) {
	t.on(evEnd)
	delete(m.inJob, t)
	if t.state == ended {
		m.tasks[slices.Index(m.tasks, t)] = &Task{loop: m.l}
	}
}

// Whatever the scheduler, the watchdog and the jobs do, one goroutine at a time owns the loop.
func TestOwnershipInRandomSchedules(t *testing.T) {
	seen := map[taskState]bool{}
	for seed := range uint64(200) {
		m := &ownerModel{t: t, rnd: rand.New(rand.NewPCG(seed, 7)), l: &Loop{}, inJob: map[*Task]bool{}, runners: 1}
		for range 1 + seed%4 {
			m.tasks = append(m.tasks, &Task{loop: m.l})
		}
		for range 500 {
			steps := m.steps()
			names := make([]string, 0, len(steps))
			for name := range steps {
				names = append(names, name)
			}
			slices.Sort(names)
			name := names[m.rnd.IntN(len(names))]
			m.trace = append(m.trace, name)
			steps[name]()
			m.check()
			for _, task := range m.tasks {
				seen[task.state] = true
			}
		}
	}
	for s := range taskStates {
		if !seen[s] && s != ended {
			t.Errorf("no schedule came to %v", s)
		}
	}
}

// The same on real loops: jobs that wait, block, compute, are revoked, park and begin off the loop, in random
// order, each of which counts without a lock what only the loop's owner may touch. The race detector sees a
// second owner; a lost job would end the test by its time.
func TestOwnershipUnderLoad(t *testing.T) {
	const jobs, rounds = 40, 30
	g := newGroup(t, 2)
	touched := make([]int, len(g.list)) // owned as the loops' data are
	var acquired atomic.Int64
	var all sync.WaitGroup
	touch := func(task *Task) {
		if task.acquireLoop() {
			touched[slices.Index(g.list, task.loop)]++
			acquired.Add(1)
			task.releaseLoop()
		}
	}
	for i := range jobs {
		all.Add(1)
		fd, peer := watched(t, g)
		rnd := rand.New(rand.NewPCG(uint64(i), 3))
		var never atomic.Bool
		left := rounds
		var s FdStream
		s.Open(fd)
		var run job
		run = func(task *Task) {
			s.Use(task)
			for ; left > 0; left-- {
				touch(task)
				switch rnd.IntN(8) {
				case 0:
					task.Block()
				case 1:
					task.Block()
					time.Sleep(time.Duration(rnd.IntN(3)) * time.Millisecond)
				case 2: // longer than the watchdog allows
					if left%8 == 0 {
						time.Sleep(3 * interval)
					}
				case 3:
					syscall.Write(peer, []byte("x"))
					s.Read(make([]byte, 1), 5*time.Second)
				case 4:
					s.Read(make([]byte, 1), time.Millisecond)
				case 5:
					time.AfterFunc(time.Millisecond, func() { syscall.Write(peer, []byte("x")) })
					s.Read(make([]byte, 1), 5*time.Second)
				case 6:
					left-- // before: once it is parked another task may be running the job
					if ok, err := fd.Park(task, run, time.Duration(rnd.IntN(20))*time.Millisecond, &never); ok {
						return
					} else if err != nil {
						t.Error(err)
					}
				case 7:
					if left < 5 {
						task.Detach()
					}
				}
			}
			fd.Close(task)
			all.Done()
		}
		if i%3 == 0 {
			do(g, i, func(task *Task) { task.loop.group.list[i%len(g.list)].offLoopFor(task, run) })
		} else {
			do(g, i, run)
		}
	}
	all.Wait()
	if acquired.Load() < jobs {
		t.Errorf("the loop was acquired %d times only", acquired.Load())
	}
}

// offLoopFor begins a job off the loop as acceptBatch does: by who owns the loop. Without it the job is run here.
func (l *Loop) offLoopFor(t *Task, j job) {
	if l != t.loop || !t.acquireLoop() {
		j(t)
		return
	}
	l.runOffLoop(j)
	t.releaseLoop()
}
