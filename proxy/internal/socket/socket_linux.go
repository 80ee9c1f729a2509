package socket

import (
	"syscall"
	"unsafe"
)

// Supported tells whether the functions of this package work on this system.
const Supported = true

// RawSyscall keeps the scheduler out of calls that cannot wait: with Syscall the monitor takes the
// processor away from calls that last longer than 20 µs, and giving it back costs more than the call.
// It must not be used on a descriptor that blocks.

// Read reads once. 0 and no error is the end; EAGAIN: nothing is there. (recv is the shorter way to a
// socket than read.)
func Read(fd uintptr, p []byte) (int, syscall.Errno) {
	for {
		n, _, e := syscall.RawSyscall6(syscall.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), 0, 0, 0)
		if e == 0 {
			return int(n), 0
		}
		if e != syscall.EINTR {
			return 0, e
		}
	}
}

// Write writes once, perhaps less than all; EAGAIN: nothing.
func Write(fd uintptr, p []byte) (int, syscall.Errno) {
	for {
		n, _, e := syscall.RawSyscall6(syscall.SYS_SENDTO, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), syscall.MSG_NOSIGNAL, 0, 0)
		if e == 0 {
			return int(n), 0
		}
		if e != syscall.EINTR {
			return 0, e
		}
	}
}

// Vec is the pieces of one write. It belongs to its user, so that nothing is allocated for a call.
type Vec struct{ v [4]syscall.Iovec }

// Writev writes the pieces once, as far as they go; EAGAIN: nothing.
func (v *Vec) Writev(fd uintptr, pieces [][]byte) (int, syscall.Errno) {
	k := 0
	for _, p := range pieces {
		if len(p) > 0 && k < len(v.v) {
			v.v[k].Base = unsafe.SliceData(p)
			v.v[k].SetLen(len(p))
			k++
		}
	}
	n, e := v.write(fd, k)
	clear(v.v[:k])
	return n, e
}

func (v *Vec) write(fd uintptr, k int) (int, syscall.Errno) {
	for {
		n, _, e := syscall.RawSyscall(syscall.SYS_WRITEV, fd, uintptr(unsafe.Pointer(&v.v)), uintptr(k))
		if e == 0 {
			return int(n), 0
		}
		if e != syscall.EINTR {
			return 0, e
		}
	}
}

// Peek tells how many bytes are there, at most 1: 0 and no error is the end, EAGAIN nothing yet.
func Peek(fd uintptr) (int, syscall.Errno) {
	var b [1]byte
	for {
		n, _, e := syscall.RawSyscall6(syscall.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(&b)), 1, syscall.MSG_PEEK|syscall.MSG_DONTWAIT, 0, 0)
		if e == 0 {
			return int(n), 0
		}
		if e != syscall.EINTR {
			return 0, e
		}
	}
}

// Acked is how many bytes of a TCP connection the other side's system has confirmed since it was
// opened; false when that can't be told.
func Acked(fd uintptr) (int64, bool) {
	const bytesAcked = 120 // in struct tcp_info
	var info [bytesAcked + 8]byte
	n := uint32(len(info))
	_, _, e := syscall.RawSyscall6(syscall.SYS_GETSOCKOPT, fd, syscall.IPPROTO_TCP, syscall.TCP_INFO, uintptr(unsafe.Pointer(&info)),
		uintptr(unsafe.Pointer(&n)), 0)
	if e != 0 || int(n) < len(info) {
		return 0, false
	}
	return int64(*(*uint64)(unsafe.Pointer(&info[bytesAcked]))) - 1, true // the SYN counts as one
}

// CloseWrite ends our direction.
func CloseWrite(fd uintptr) error {
	if _, _, e := syscall.RawSyscall(syscall.SYS_SHUTDOWN, fd, syscall.SHUT_WR, 0); e != 0 {
		return e
	}
	return nil
}

// Close closes a descriptor that the poller does not know.
func Close(fd uintptr) { syscall.RawSyscall(syscall.SYS_CLOSE, fd, 0, 0) }

// Dup is another descriptor of the same socket.
func Dup(fd uintptr) (uintptr, syscall.Errno) {
	n, _, e := syscall.RawSyscall(syscall.SYS_FCNTL, fd, syscall.F_DUPFD_CLOEXEC, 0)
	return n, e
}
