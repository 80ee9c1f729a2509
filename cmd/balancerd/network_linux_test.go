package main

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
	"unsafe"
)

// ownNetwork runs the test once more, in a process that has a network of its own, and reports whether this is that process: all
// ports are free there. It skips the test, with a word, where the system does not allow that.
func ownNetwork(t *testing.T) bool {
	t.Helper()
	const inside = "BALANCERD_TEST_NETWORK"
	if os.Getenv(inside) == t.Name() {
		loopbackUp(t)
		return true
	}
	args := []string{"-test.run=^" + t.Name() + "$", "-test.count=1"}
	if testing.Verbose() {
		args = append(args, "-test.v")
	}
	c := exec.Command(os.Args[0], args...)
	c.Env = append(os.Environ(), inside+"="+t.Name())
	dieWithUs(c)
	c.SysProcAttr.Cloneflags = syscall.CLONE_NEWNET
	if uid := os.Getuid(); uid != 0 {
		c.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		c.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: uid, Size: 1}}
	}
	said := &output{}
	c.Stdout, c.Stderr = said, said
	if err := c.Start(); err != nil {
		t.Skipf("no network of the test's own: %v", err)
	}
	switch err := c.Wait(); {
	case err != nil:
		t.Errorf("%v\n%s", err, said)
	case testing.Verbose():
		t.Log(said)
	}
	return false
}

// loopbackUp has the network's own addresses work.
func loopbackUp(t *testing.T) {
	t.Helper()
	s, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(s)
	request := struct {
		name  [16]byte
		flags uint16
		_     [22]byte
	}{flags: syscall.IFF_UP | syscall.IFF_RUNNING}
	copy(request.name[:], "lo")
	if _, _, e := syscall.Syscall(syscall.SYS_IOCTL, uintptr(s), syscall.SIOCSIFFLAGS, uintptr(unsafe.Pointer(&request))); e != 0 {
		t.Fatal(e)
	}
}
