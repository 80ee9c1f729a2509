package cache

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

// TestFullDisk: on a disk that is full the answers that nobody asks for make room, what cannot be written leaves nothing
// behind, and it is told once. It runs in a mount namespace of its own, where that may be made.
func TestFullDisk(t *testing.T) {
	const name = "CACHE_FULL_DISK"
	if root := os.Getenv(name); root != "" {
		fillDisk(t, root)
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestFullDisk$", "-test.v")
	cmd.Env = append(os.Environ(), name+"="+t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) || strings.Contains(string(out), "no mounts") {
		t.Skip("no mount namespace here: ", err)
	}
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func fillDisk(t *testing.T, root string) {
	const disk = 2 << 20
	if err := syscall.Mount("tmpfs", root, "tmpfs", 0, fmt.Sprint("size=", disk)); err != nil {
		t.Skip("no mounts: ", err)
	}
	var told atomic.Int32
	s, err := OpenFolder(root, Limits{Bytes: 1 << 30, Entries: 1 << 20, Heads: 1 << 30}, func(error) { told.Add(1) })
	if err != nil {
		t.Fatal(err)
	}
	sizes := []int{100, 5000, 40_000, 200_000}
	for i := range 400 {
		keep(s, entry(fmt.Sprint("k", i), "max-age=60"), strings.Repeat("x", sizes[i%len(sizes)]))
		settle(s)
	}
	var fits int
	for i := range 400 {
		if e := s.Lookup(fmt.Sprint("k", i), &noFields, true); e != nil {
			fits++
			if body, err := s.Body(e); err != nil {
				t.Error(i, err)
			} else {
				body.Close()
			}
		}
	}
	late := 0
	for i := 380; i < 400; i++ {
		if s.Lookup(fmt.Sprint("k", i), &noFields, true) != nil {
			late++
		}
	}
	if fits < 20 || late < 10 || told.Load() != 1 {
		t.Errorf("%d are kept, %d of the last 20; told %d times", fits, late, told.Load())
	}
	left, _ := exec.Command("find", root, "-name", "*"+newSuffix).Output()
	if len(left) > 0 {
		t.Errorf("left behind: %s", left)
	}
}
