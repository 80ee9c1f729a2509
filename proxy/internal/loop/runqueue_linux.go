package loop

// runnable is a task to be resumed, a job to be begun, or the job of a socket: exactly one of them.
type runnable struct {
	task *Task
	job  Job
	fd   *Fd
}

// runQueue is runnables in their order. The zero value is empty. Owned by the loop: see owner_linux.go.
type runQueue struct {
	list []runnable
	head int // of list, the next one
}

func (q *runQueue) len() int { return len(q.list) - q.head }

func (q *runQueue) push(r runnable) { q.list = append(q.list, r) }

func (q *runQueue) pop() runnable {
	r := q.list[q.head]
	q.list[q.head] = runnable{}
	if q.head++; q.head == len(q.list) {
		q.list, q.head = q.list[:0], 0
	}
	return r
}

// runQueued runs what tasks have woken, until nothing of that is left, and then the jobs that were kicked: what
// many tasks had to say goes to a socket together. What these bring about is for the next round, behind the
// sockets' events. false: the loop is another goroutine's.
func (l *Loop) runQueued() bool {
	for l.soon.len() > 0 {
		if !l.runOne(l.soon.pop()) {
			return false
		}
	}
	for n := l.last.len(); n > 0; n-- {
		if !l.runOne(l.last.pop()) {
			return false
		}
	}
	return true
}

func (l *Loop) runOne(r runnable) bool {
	switch {
	case r.task != nil:
		return l.resume(r.task)
	case r.fd != nil:
		return l.runJob(r.fd.job)
	}
	return l.runJob(r.job)
}

// Spawn has the task's loop begin another job, once the present events are handled.
func (t *Task) Spawn(j Job) {
	if !t.acquireLoop() {
		t.loop.enqueue(message{kind: msgSpawn, job: j})
		return
	}
	t.loop.soon.push(runnable{job: j})
	t.releaseLoop()
}
