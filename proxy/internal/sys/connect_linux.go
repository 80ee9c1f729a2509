package sys

import (
	"cmp"
	"fmt"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"unsafe"
)

// Address is a socket's address as the system reads it, with its length. The zero value is none.
type Address struct {
	raw syscall.RawSockaddrAny
	n   uint32
}

// TCPAddress is an address of TCP. A zone (of IPv6) is left out.
func TCPAddress(at netip.AddrPort) (a Address) {
	if at.Addr().Is4() {
		to := (*syscall.RawSockaddrInet4)(unsafe.Pointer(&a.raw))
		to.Family, to.Addr = syscall.AF_INET, at.Addr().As4()
		setPort(&to.Port, at.Port())
		a.n = syscall.SizeofSockaddrInet4
		return a
	}
	to := (*syscall.RawSockaddrInet6)(unsafe.Pointer(&a.raw))
	to.Family, to.Addr = syscall.AF_INET6, at.Addr().As16()
	setPort(&to.Port, at.Port())
	a.n = syscall.SizeofSockaddrInet6
	return a
}

// UnixAddress is that of a unix socket; a path that begins with "@" is a name without a file, as in package net. false:
// the path is too long.
func UnixAddress(path string) (a Address, ok bool) {
	to := (*syscall.RawSockaddrUnix)(unsafe.Pointer(&a.raw))
	room := (*[len(to.Path)]byte)(unsafe.Pointer(&to.Path))
	if len(path) >= len(room) {
		return a, false
	}
	to.Family = syscall.AF_UNIX
	a.n = uint32(unsafe.Offsetof(to.Path)) + uint32(copy(room[:], path)) + 1
	if path != "" && path[0] == '@' {
		room[0] = 0
		a.n--
	}
	return a, true
}

func setPort(to *uint16, port uint16) {
	b := (*[2]byte)(unsafe.Pointer(to))
	b[0], b[1] = byte(port>>8), byte(port)
}

// Socket is a non-blocking socket for connections with an address, closed on exec.
func Socket(to *Address) (uintptr, syscall.Errno) {
	fd, _, e := syscall.RawSyscall(syscall.SYS_SOCKET, uintptr(to.raw.Addr.Family), syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	return fd, e
}

// Bind gives a socket its own address.
func Bind(fd uintptr, a *Address) syscall.Errno {
	_, _, e := syscall.RawSyscall(syscall.SYS_BIND, fd, uintptr(unsafe.Pointer(&a.raw)), uintptr(a.n))
	return e
}

// Connect begins to connect a socket. 0: it is connected. EINPROGRESS: Connected tells what becomes of that; it can be
// written to then. EAGAIN: as many wait for the unix socket's owner to accept them as may, and this one does not.
func Connect(fd uintptr, to *Address) syscall.Errno {
	for {
		_, _, e := syscall.RawSyscall(syscall.SYS_CONNECT, fd, uintptr(unsafe.Pointer(&to.raw)), uintptr(to.n))
		if e != syscall.EINTR {
			return e
		}
	}
}

// Connected is what became of a Connect: 0, or why it failed; EINPROGRESS: not yet.
func Connected(fd uintptr) syscall.Errno {
	var sa syscall.RawSockaddrInet6
	n := uint32(unsafe.Sizeof(sa))
	if _, _, e := syscall.RawSyscall(syscall.SYS_GETPEERNAME, fd, uintptr(unsafe.Pointer(&sa)), uintptr(unsafe.Pointer(&n))); e != syscall.ENOTCONN {
		return e
	}
	failed, size := int32(0), uint32(4)
	_, _, e := syscall.RawSyscall6(syscall.SYS_GETSOCKOPT, fd, syscall.SOL_SOCKET, syscall.SO_ERROR, uintptr(unsafe.Pointer(&failed)),
		uintptr(unsafe.Pointer(&size)), 0)
	if e != 0 {
		return e
	}
	return cmp.Or(syscall.Errno(failed), syscall.EINPROGRESS)
}

// Ephemeral reports whether the system may choose a port for a socket that is connected, so that one which is connected to
// it may meet itself. It is asked for the range once (/proc/sys/net/ipv4/ip_local_port_range).
func Ephemeral(port uint16) bool {
	r := ephemeral()
	return r.least <= port && port <= r.most
}

type portRange struct{ least, most uint16 }

var ephemeral = sync.OnceValue(ephemeralPorts)

func ephemeralPorts() (r portRange) {
	text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err == nil {
		_, err = fmt.Sscan(string(text), &r.least, &r.most)
	}
	if err != nil {
		return portRange{0, 1<<16 - 1}
	}
	return r
}

// DelayAck has a connection's first bytes, once it is connected, tell that they follow, in place of a packet of its own: it
// is to be set before Connect by who writes at once (tcp(7), TCP_QUICKACK).
func DelayAck(fd uintptr) {
	SetOption(fd, syscall.IPPROTO_TCP, syscall.TCP_QUICKACK, 0)
}
