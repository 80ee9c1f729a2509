//go:build !linux

package socket

import (
	"errors"
	"syscall"
	"time"
)

// Supported tells whether the functions of this package work on this system.
const Supported = false

// Task is what nobody has here.
type Task struct{}

// Leave does nothing.
func (*Task) Leave() {}

// Apart does nothing.
func (*Task) Apart() {}

// Stream is empty here: IsOpen is always false, and nothing else may be called.
type Stream struct{ Sent int64 }

// Poller is a connection that the runtime's poller knows.
type Poller interface{ syscall.Conn }

// ErrEarly never happens here.
var ErrEarly = errors.New("socket: the other side answers before all was sent")

// Look is what is to be seen on a connection.
type Look uint8

// What may be seen.
const (
	Quiet Look = iota
	Bytes
	End
)

var errNone = errors.New("socket: not on this system")

func (s *Stream) Open(Poller) error                        { return errNone }
func (s *Stream) IsOpen() bool                             { return false }
func (s *Stream) Read([]byte, time.Duration) (int, error)  { return 0, errNone }
func (s *Stream) Try([]byte) (int, error)                  { return 0, errNone }
func (s *Stream) Look() Look                               { return Quiet }
func (s *Stream) Write(_, _ []byte, _ time.Duration) error { return errNone }
func (s *Stream) Watch(_, _ []byte, _ time.Duration) error { return errNone }
func (s *Stream) Talk(_ time.Time, _, _, _ []byte, _ time.Duration) (int, bool, error) {
	return 0, false, errNone
}
func (s *Stream) Undelivered(int64) bool { return false }
