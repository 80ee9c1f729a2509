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

// TestFullDisk runs what follows in a mount namespace of its own, where that may be made.
func TestFullDisk(t *testing.T) {
	const name = "CACHE_FULL_DISK"
	if root := os.Getenv(name); root != "" {
		t.Run("many", func(t *testing.T) { fillDisk(t, root) })
		t.Run("head", func(t *testing.T) { fillHead(t, root) })
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

// small is a store on a disk of 2 MiB.
func small(t *testing.T, root string, report func(error)) *Store {
	if err := syscall.Mount("tmpfs", root, "tmpfs", 0, fmt.Sprint("size=", 2<<20)); err != nil {
		t.Skip("no mounts: ", err)
	}
	s, err := OpenFolder(root, Limits{Bytes: 1 << 30, Entries: 1 << 20, Heads: 1 << 30}, report)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// fillDisk: on a disk that is full the answers that nobody asks for make room, what cannot be written leaves nothing behind,
// and it is told once.
func fillDisk(t *testing.T, root string) {
	var told atomic.Int32
	s := small(t, root, func(error) { told.Add(1) })
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

// fillHead: an answer whose body fits makes room for its head.
func fillHead(t *testing.T, root string) {
	s := small(t, root, nil)
	long := strings.Repeat("x", 200_000)
	for i := range 4 {
		keep(s, entry(fmt.Sprint("k", i), "max-age=60"), long)
	}
	settle(s)
	var disk syscall.Statfs_t
	if err := syscall.Statfs(root, &disk); err != nil {
		t.Fatal(err)
	}
	block := int64(disk.Bsize)
	body := (int64(len(long)) + block - 1) / block
	if err := os.WriteFile(root+"/ballast", make([]byte, (int64(disk.Bfree)-body)*block), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		keep(s, entry("late", "max-age=60"), long)
		settle(s)
	}
	if s.Lookup("late", &noFields, true) == nil {
		t.Error("it is not kept, nor does anything make room for it")
	}
}
