package status

import (
	"os"
	"strconv"
	"strings"
	"syscall"
)

// cpu is the process's use of processors in seconds: own user and system time, and its children's.
type cpu struct{ User, System, ChildUser, ChildSystem float64 }

func (c cpu) sum() float64 { return c.User + c.System + c.ChildUser + c.ChildSystem }

// cpuNow rounds to hundredths: httpd counts clock ticks.
func cpuNow() cpu {
	user, system := rusage(syscall.RUSAGE_SELF)
	childUser, childSystem := rusage(syscall.RUSAGE_CHILDREN)
	return cpu{user, system, childUser, childSystem}
}

func rusage(who int) (user, system float64) {
	var u syscall.Rusage
	if syscall.Getrusage(who, &u) != nil {
		return 0, 0
	}
	return ticks(u.Utime), ticks(u.Stime)
}

func ticks(t syscall.Timeval) float64 { return float64(t.Nano()/1e7) / 100 }

// loadAverages are the machine's over 1, 5 and 15 minutes; zeros where there is no /proc.
func loadAverages() (load [3]float64) {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return load
	}
	for i, word := range strings.Fields(string(text)) {
		if i < len(load) {
			load[i], _ = strconv.ParseFloat(word, 64)
		}
	}
	return load
}
