//go:build !linux

package http1

import (
	"syscall"
	"time"
)

// system is empty here.
type system struct{}

func (l *link) register() error { return nil }

func (l *link) rawWrite(_, _ []byte, _ time.Duration) error { return syscall.ENOTSUP }

func (l *link) rawCloseWrite() error { return syscall.ENOTSUP }

func closeFD(uintptr) {}

func (l *link) reset() {}

func (l *link) silent() bool { return true }
