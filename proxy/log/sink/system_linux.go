package sink

import "syscall"

// ThreadID is the number of the operating system's thread that runs just now: tid of log lines.
func ThreadID() int { return syscall.Gettid() }

// Duplicate makes descriptor to mean what from does.
func Duplicate(from, to int) error { return syscall.Dup3(from, to, 0) }
