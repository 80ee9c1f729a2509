package process

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// alive reports whether the process of the file is a server that runs. The file of a server that was killed may name a
// process that has ended and that nobody has waited for, or another program that was given the number since, in a
// container or after a boot. Where /proc does not tell, whoever has the number is believed to be the server.
func (p *PidFile) alive(pid int) bool {
	if pid <= 0 || pid == os.Getpid() || syscall.Kill(pid, 0) != nil {
		return false
	}
	ended, began := statOf(pid)
	return !ended && !p.outlived(began, programOf(pid))
}

// outlived reports whether another program than a server began after the file was written.
func (p *PidFile) outlived(began time.Time, program string) bool {
	st, err := os.Stat(p.Path)
	if err != nil || began.IsZero() || program == "" {
		return false
	}
	own := []string{programOf(os.Getpid()), "balancerd", "httpd", "apache2"}
	return began.After(st.ModTime().Add(2*time.Second)) && !slices.Contains(own, program)
}

// programOf is the name of a process's executable, "" if it is not to be had.
func programOf(pid int) string {
	exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
	if err != nil {
		return ""
	}
	return filepath.Base(strings.TrimSuffix(exe, " (deleted)"))
}

// statOf reports whether a process has ended and waits for its parent, and when it began (proc(5), /proc/pid/stat).
func statOf(pid int) (ended bool, began time.Time) {
	fields := statFields(pid)
	if len(fields) < 20 {
		return false, time.Time{}
	}
	ended = fields[0] == "Z" || fields[0] == "X"
	ticks, err := strconv.ParseInt(fields[19], 10, 64)
	boot, ok := bootTime()
	if err != nil || !ok {
		return ended, time.Time{}
	}
	return ended, boot.Add(time.Duration(ticks) * time.Second / 100) // 100 a second for every program (USER_HZ)
}

// statFields are the fields of /proc/pid/stat behind the program's name: state, parent, …
func statFields(pid int) []string {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
}

// parentOf is a process's parent; 0 if it is not to be had.
func parentOf(pid int) int {
	fields := statFields(pid)
	if len(fields) < 2 {
		return 0
	}
	parent, _ := strconv.Atoi(fields[1])
	return parent
}

// bootTime is when the system began, by the clock of now.
func bootTime() (time.Time, bool) {
	b, _ := os.ReadFile("/proc/stat")
	_, rest, _ := strings.Cut(string(b), "\nbtime ")
	line, _, _ := strings.Cut(rest, "\n")
	n, err := strconv.ParseInt(line, 10, 64)
	return time.Unix(n, 0), err == nil
}
