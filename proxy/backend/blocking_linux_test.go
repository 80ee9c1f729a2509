package backend

import (
	"fmt"
	"os"
	"sync/atomic"
	"testing"

	"balancerd/proxy/internal/loop"
)

// No test of this package may block in an event loop: who does so without exchange.Block is seen by the loops'
// watchdog, and its stack is shown.
func TestMain(m *testing.M) {
	var found atomic.Int32
	loop.ReportBlocking(func(stack string) {
		if found.Add(1) <= 3 {
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
