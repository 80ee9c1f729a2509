//go:build !linux

package sink

import (
	"os"
	"syscall"
)

// ThreadID is the process: threads have no number that others would know.
func ThreadID() int { return os.Getpid() }

// Duplicate makes descriptor to mean what from does.
func Duplicate(from, to int) error { return syscall.Dup2(from, to) }
