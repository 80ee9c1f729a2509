// Package recovery keeps a panic in one task from ending the process: the task ends, the log gets a line
// with its stack, and a counter tells how many there were.
//
//	go f()                ->  recovery.Go("doing what", f)
//	time.AfterFunc(d, f)  ->  recovery.AfterFunc(d, "doing what", f)
//	a loop of its own     ->  recovery.Keep("doing what", f)     begun again after a panic
//	anything else         ->  defer recovery.Catch("doing what"), or recover and Message
//
// A test (tasks_test.go) finds goroutines, timers and coroutines in the whole tree that none of these
// covers.
package recovery

import (
	"fmt"
	"os"
	"runtime/debug"
	"sync/atomic"
	"time"
)

var (
	panics  atomic.Int64
	logging atomic.Pointer[func(message string)]
	started atomic.Pointer[func(task string)]
)

// Panics is how many panics were caught since the process began.
func Panics() int64 { return panics.Load() }

// SetLog says where Catch and its like write their lines from now on; nil: to stderr. f may be called by
// any goroutine.
func SetLog(f func(message string)) {
	if f == nil {
		logging.Store(nil)
		return
	}
	logging.Store(&f)
}

// Text counts a panic and is what the recovered value has to say: "panic: …".
func Text(p any) string {
	panics.Add(1)
	switch v := p.(type) {
	case error:
		return "panic: " + v.Error()
	case string:
		return "panic: " + v
	}
	return fmt.Sprintf("panic: %v", p)
}

// Message counts a panic and is a line for the log, with where it was (" while …") and the stack. It is to
// be called by the deferred function that recovered p.
func Message(p any, where string) string {
	return "AH00052: " + Text(p) + where + "\n" + string(debug.Stack())
}

// Catch, deferred, ends a panic of the function that deferred it: a line in the log, and no more.
func Catch(task string) {
	if p := recover(); p != nil {
		Note(p, task)
	}
}

// Note is what Catch does with a recovered value.
func Note(p any, task string) {
	message := Message(p, " while "+task)
	defer func() { // the log may be what is broken
		if recover() != nil {
			panics.Add(1)
			fmt.Fprintln(os.Stderr, message)
		}
	}()
	if log := logging.Load(); log != nil {
		(*log)(message)
		return
	}
	fmt.Fprintln(os.Stderr, message)
}

// Do runs f and reports whether it came to its end.
func Do(task string, f func()) (sound bool) {
	defer Catch(task)
	if begin := started.Load(); begin != nil {
		(*begin)(task)
	}
	f()
	return true
}

// Go runs f in a goroutine.
func Go(task string, f func()) { go Do(task, f) }

// AfterFunc is time.AfterFunc.
func AfterFunc(d time.Duration, task string, f func()) *time.Timer {
	return time.AfterFunc(d, func() { Do(task, f) })
}

// again is how long Keep waits after a panic.
const again = 100 * time.Millisecond

// Keep runs f until that returns: again after a panic, in a moment.
func Keep(task string, f func()) {
	for !Do(task, f) {
		time.Sleep(again)
	}
}

// OnStart has begin called with the name of each task that Do and its like begin, inside of the task: a
// test can panic there. nil ends that.
func OnStart(begin func(task string)) {
	if begin == nil {
		started.Store(nil)
		return
	}
	started.Store(&begin)
}
