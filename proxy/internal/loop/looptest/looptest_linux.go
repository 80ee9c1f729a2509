package looptest

import (
	"fmt"
	"os"
	"sync/atomic"
	"testing"

	"balancerd/proxy/internal/loop"
)

// shown is how many stacks of blocking calls are printed.
const shown = 3

// Main runs a package's tests and ends the program. No test may block in an event loop: who does so without
// exchange.Block is seen by the loops' watchdog, and its stack is shown.
func Main(m *testing.M) {
	var found atomic.Int32
	loop.ReportBlocking(func(stack string) {
		if found.Add(1) <= shown {
			fmt.Fprintf(os.Stderr, "a blocking call in an event loop, without Block:\n%s\n\n", stack)
		}
	})
	code := m.Run()
	if n := found.Load(); n > 0 {
		fmt.Fprintf(os.Stderr, "FAIL: %d blocking calls in event loops\n", n)
		code = 1
	}
	os.Exit(code)
}
