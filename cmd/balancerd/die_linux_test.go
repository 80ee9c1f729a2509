package main

import (
	"os/exec"
	"syscall"
)

// dieWithUs has a command killed when this test program ends before it, however that comes about.
func dieWithUs(c *exec.Cmd) {
	if c.SysProcAttr == nil {
		c.SysProcAttr = &syscall.SysProcAttr{}
	}
	c.SysProcAttr.Pdeathsig = syscall.SIGKILL
}
