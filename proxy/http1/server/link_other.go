//go:build !linux

package server

import (
	"os"
	"syscall"
	"time"
)

// fdStream is nothing here.
type fdStream = struct{}

// system is empty here.
type system struct{ file *os.File }

func (l *link) begun() bool { return false }

func (c *conn) leave() {}

func (c *conn) leaveWhole() {}

func (c *conn) plug() {}

func (c *conn) unplug() {}

func (l *link) pace(time.Duration) bool { return false }

func (l *link) paceOut(time.Duration) bool { return false }

func (l *link) below() error { return nil }

func (l *link) rawWrite(_, _ []byte, _ time.Duration) error { return syscall.ENOTSUP }

func (l *link) rawCloseWrite() error { return syscall.ENOTSUP }

func (l *link) rawClose() {}

func (l *link) reset() {}

func (l *link) silent() bool { return true }
