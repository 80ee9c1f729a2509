package linear

import (
	"time"

	"golang.org/x/sys/unix"
)

// cpuTimes are the time that the calling thread has worked, and the process.
func cpuTimes() (thread, process time.Duration, ok bool) {
	var t, p unix.Timespec
	if unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t) != nil || unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &p) != nil {
		return 0, 0, false
	}
	return time.Duration(t.Nano()), time.Duration(p.Nano()), true
}
