package process

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// What a killed server's pid file names need not be a server: nobody else is signalled, and the next server starts.
func TestPidFileThatWasLeft(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("no /proc")
	}
	ended, other := exec.Command("true"), exec.Command("sleep", "60")
	for _, c := range []*exec.Cmd{ended, other} {
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		defer c.Wait()
	}
	defer other.Process.Kill()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		if over, _ := statOf(ended.Process.Pid); over {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("it does not end")
		}
	}
	now, before := time.Now(), time.Now().Add(-time.Hour)
	for _, c := range []struct {
		what    string
		pid     int
		written time.Time
		running bool
	}{
		{"one that has ended", ended.Process.Pid, now, false},
		{"another program that has got the number", other.Process.Pid, before, false},
		{"the process that was there when it was written", other.Process.Pid, now, true},
	} {
		p := &PidFile{Path: filepath.Join(t.TempDir(), "pid")}
		if err := os.WriteFile(p.Path, []byte(strconv.Itoa(c.pid)+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		os.Chtimes(p.Path, c.written, c.written)
		var said strings.Builder
		if start, exit := Control("start", p, &said, &said); start == c.running || exit != 0 {
			t.Errorf("%s: start %v %d %s", c.what, start, exit, &said)
		}
		said.Reset()
		if Control("graceful-stop", p, &said, &said); strings.Contains(said.String(), "not running") == c.running {
			t.Errorf("%s: %s", c.what, &said)
		}
	}
	if err := syscall.Kill(other.Process.Pid, 0); err != nil {
		t.Error("it was signalled:", err)
	}
}
