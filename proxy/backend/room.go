package backend

import (
	"errors"
	"math"
	"os"
	"sync/atomic"
	"syscall"
)

// A system gives a new descriptor the lowest number that is free. So a number tells, without any
// counting, that all below it are taken: when a new connection's is beyond the room for connections,
// some that idle have to go. It is more than one at a time, because the next ones get the numbers that
// become free so: with batches of k, when all connections are to members and in turn, those beyond the
// room come to rest at a part of k-1 of those within.

// roomShift is the share of the descriptors that stays out of bounds for clients and for idle
// connections to members: one in four. What is in it serves requests under way: their connections to
// members, files, logs, name lookups.
const roomShift = 2

// room is the first descriptor beyond the room for connections; 0: not asked yet.
var room atomic.Int64

// roomOf is room, from the process's limit of descriptors when it is asked for first.
func roomOf() int64 {
	if n := room.Load(); n != 0 {
		return n
	}
	n := int64(math.MaxInt64)
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err == nil && uint64(l.Cur) < math.MaxInt32 {
		n = int64(l.Cur) - int64(l.Cur)>>roomShift
	}
	room.Store(n)
	return n
}

// How many health checks may be under way: a part of the descriptors, and never more than mostProbes, whose
// memory is bounded by that.
const (
	probeShift  = 2
	leastProbes = 16
	mostProbes  = 4096
)

// ProbeRoom is how many health checks may be under way at a time.
func ProbeRoom() int { return int(min(max(roomOf()>>probeShift, leastProbes), mostProbes)) }

// batch is how many idle connections make room at a time.
func batch(room int64) int { return int(min(max(room/16, 8), 32)) }

// RoomFor reports whether more clients may be let in after one that got this descriptor. When there are
// hardly any left, the connections to members that idled longest make room.
func RoomFor(descriptor uintptr) bool {
	room := roomOf()
	if int64(descriptor) < room {
		return true
	}
	n := 0
	for n < batch(room) && idles.evict() {
		n++
	}
	return n > 0
}

// makeRoom has idle connections go for a new one to a member, if it has a descriptor beyond the room.
func (s socket) makeRoom() {
	if s.nc == nil {
		RoomFor(s.fd.N())
		return
	}
	if sc, ok := s.nc.(syscall.Conn); ok {
		if rc, err := sc.SyscallConn(); err == nil {
			rc.Control(func(fd uintptr) { RoomFor(fd) })
		}
	}
}

// short reports that there was no descriptor.
func short(err error) bool { return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) }

// starved reports whether there is no descriptor now: some errors, as those of name lookups, do not say so.
func starved() bool {
	f, err := os.Open(os.DevNull)
	if err == nil {
		f.Close()
	}
	return short(err)
}

// mostRetries bounds how often one connection is tried again after others have been closed for it: who
// else wants descriptors may be faster.
const mostRetries = 8

// makingRoom runs f, and again when it failed for want of a descriptor and an idle connection could be
// closed for it.
func makingRoom(f func() error) error {
	err := f()
	for n := 0; n < mostRetries && short(err) && idles.evict(); n++ {
		err = f()
	}
	return err
}
