//go:build !linux

package server

import (
	"os"
	"syscall"
	"time"

	"balancerd/proxy/internal/loop"
)

// fdStream is nothing here.
type fdStream = struct{}

// system is empty here.
type system struct{ file *os.File }

func (t *transport) served() *loop.Task { return nil }

func (t *transport) begun() bool { return false }

func (c *conn) leave() {}

func (c *conn) leaveWhole() {}

func (c *conn) plug() {}

func (c *conn) unplug() {}

func (t *transport) pace(time.Duration) bool { return false }

func (t *transport) paceOut(time.Duration) bool { return false }

func (t *transport) below() error { return nil }

func (t *transport) rawWrite(_, _ []byte, _ time.Duration) error { return syscall.ENOTSUP }

func (t *transport) rawCloseWrite() error { return syscall.ENOTSUP }

func (t *transport) rawClose() {}

func (t *transport) reset() {}

func (t *transport) silent() bool { return true }
