package sys

import (
	"syscall"
	"unsafe"
)

// RawSyscall keeps the scheduler out of calls that cannot wait: with Syscall the monitor takes the
// processor away from calls that last longer than 20 µs, and giving it back costs more than the call.
// It must not be used on a descriptor that blocks.

// Read reads once. 0 and no error: the other side has ended its direction. EAGAIN: nothing has come in.
// (The kernel gets from recv to a socket by fewer steps than from read.)
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

// Write writes once, perhaps less than all of p; EAGAIN: nothing was written.
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

// Vec is the two pieces of one write. Its user keeps it, so that a call allocates nothing.
type Vec struct{ v [2]syscall.Iovec }

// Writev writes a and then b with one system call, perhaps less than all; EAGAIN: nothing was written.
func (v *Vec) Writev(fd uintptr, a, b []byte) (int, syscall.Errno) {
	if len(b) == 0 {
		return Write(fd, a)
	}
	for i, p := range [...][]byte{a, b} {
		v.v[i].Base = unsafe.SliceData(p)
		v.v[i].SetLen(len(p))
	}
	n, e := v.write(fd)
	clear(v.v[:])
	return n, e
}

func (v *Vec) write(fd uintptr) (int, syscall.Errno) {
	for {
		n, _, e := syscall.RawSyscall(syscall.SYS_WRITEV, fd, uintptr(unsafe.Pointer(&v.v)), uintptr(len(v.v)))
		if e == 0 {
			return int(n), 0
		}
		if e != syscall.EINTR {
			return 0, e
		}
	}
}

// Peek is how many bytes can be read, at most 1, and leaves them there. 0 and no error: the other side
// has ended its direction. EAGAIN: nothing has come in.
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

// Acked is how many bytes the other side's TCP has acknowledged since the connection was opened; false
// when the system does not say (TCP_INFO, tcpi_bytes_acked).
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

// CloseWrite ends our direction (shutdown with SHUT_WR).
func CloseWrite(fd uintptr) error {
	if _, _, e := syscall.RawSyscall(syscall.SYS_SHUTDOWN, fd, syscall.SHUT_WR, 0); e != 0 {
		return e
	}
	return nil
}

// SetOption sets an integer option of a socket. An option that the socket does not have is left out. (syscall.SetsockoptInt tells
// the scheduler, which wakes its monitor for that on a server that was idle.)
func SetOption(fd uintptr, level, name, value int) {
	v := int32(value)
	syscall.RawSyscall6(syscall.SYS_SETSOCKOPT, fd, uintptr(level), uintptr(name), uintptr(unsafe.Pointer(&v)), unsafe.Sizeof(v), 0)
}

// Close closes a descriptor that the runtime's poller does not watch.
func Close(fd uintptr) { syscall.RawSyscall(syscall.SYS_CLOSE, fd, 0, 0) }

// Dup is another descriptor of the same socket.
func Dup(fd uintptr) (uintptr, syscall.Errno) {
	n, _, e := syscall.RawSyscall(syscall.SYS_FCNTL, fd, syscall.F_DUPFD_CLOEXEC, 0)
	return n, e
}
