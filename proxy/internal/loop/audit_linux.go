package loop

import (
	"bytes"
	"runtime"
	"slices"
	"sync/atomic"
)

// reporter is told of blocking calls; nil: they are not looked for.
var reporter atomic.Pointer[func(stack string)]

// ReportBlocking is for tests, before the first loop is made: report is told, by the watchdog's goroutine, the
// stack of each job that blocked while its loop stood still. A job that only computes, or that the machine did
// not run, is no such job. nil ends it.
func ReportBlocking(report func(stack string)) {
	if report == nil {
		reporter.Store(nil)
		return
	}
	reporter.Store(&report)
}

// looks is how many rounds of the watchdog a job must be seen blocked, one after the other, to be reported: who
// waits for a mutex that is held for a moment is not.
const looks = 5

// audit is what the watchdog has seen of the job that keeps a loop.
type audit struct {
	word  uint64 // the run, as ownership tells it
	seen  int    // rounds in which its goroutine was blocked
	stack string
}

// passes reports whether the loop may be revoked now: at once unless blocking calls are reported, and then
// after enough looks.
func (a *audit) passes(l *Loop, word uint64) bool {
	if reporter.Load() == nil {
		return true
	}
	t := l.current.Load()
	if t == nil {
		return true
	}
	if a.word != word {
		*a = audit{word: word}
	}
	id, _ := t.id.Load().(string)
	stack, blocked := stackOf(id)
	if !blocked {
		a.stack = ""
		return true
	}
	a.seen++
	a.stack = stack
	return a.seen >= looks
}

// report tells of a job that was blocked.
func (a *audit) report() {
	if f := reporter.Load(); f != nil && a.stack != "" {
		(*f)(a.stack)
	}
	*a = audit{}
}

// identify notes which goroutine the task's coroutine is.
func (t *Task) identify() {
	if reporter.Load() == nil {
		return
	}
	var b [64]byte
	head, _, _ := bytes.Cut(b[:runtime.Stack(b[:], false)], []byte(" ["))
	t.id.Store(string(head))
}

// busy are the states of goroutines that do not block, as the runtime names them in its stacks.
var busy = []string{"running", "runnable", "copystack", "preempted", "coroutine"}

// stackOf is the stack of a goroutine, and whether it is blocked. id is its stack's beginning: "goroutine 7".
func stackOf(id string) (stack string, blocked bool) {
	if id == "" {
		return "", false
	}
	all := make([]byte, 1<<20)
	all = all[:runtime.Stack(all, true)]
	for one := range bytes.SplitSeq(all, []byte("\n\n")) {
		rest, found := bytes.CutPrefix(one, []byte(id+" ["))
		if !found {
			continue
		}
		state, _, _ := bytes.Cut(rest, []byte("]"))
		state, _, _ = bytes.Cut(state, []byte(","))
		return string(one), !slices.Contains(busy, string(state)) && !bytes.HasPrefix(state, []byte("GC "))
	}
	return "", false
}
