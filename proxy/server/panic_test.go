package server

import (
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"balancerd/proxy/recovery"
)

// The server's own tasks: a listener is served again after a panic, and a configuration that cannot be
// closed, or waited for, keeps nobody from the next one.
func TestPanicsOfTheServersOwnTasks(t *testing.T) {
	for _, task := range []string{"accepting connections", "waiting for the end of a configuration that was replaced", "closing a configuration that was replaced"} {
		r := newRig(t)
		var done atomic.Bool
		recovery.OnStart(func(name string) {
			if name == task && !done.Swap(true) {
				panic("on purpose")
			}
		})
		at := free(t)
		for _, word := range []string{"first", "second"} {
			r.swap(word, "Listen "+at+"\n")
			soon(t, "an answer", func() bool { return ask(at, "/") == word })
		}
		soon(t, "a line of the log for "+task, func() bool {
			log, err := os.ReadFile(filepath.Join(r.dir, "error.log"))
			return err == nil && strings.Contains(string(log), "AH00052: panic: on purpose while "+task) && strings.Contains(string(log), "[running]")
		})
		recovery.OnStart(nil)
		r.end()
	}
}
