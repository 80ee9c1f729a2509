package sys

import (
	"net/netip"
	"syscall"
	"unsafe"
)

// Accept accepts a connection of a non-blocking listening socket; the connection is non-blocking and
// closed on exec. EAGAIN: there is none.
func Accept(fd uintptr) (conn uintptr, remote netip.AddrPort, e syscall.Errno) {
	var sa syscall.RawSockaddrInet6
	n := uint32(unsafe.Sizeof(sa))
	for {
		r, _, e := syscall.RawSyscall6(syscall.SYS_ACCEPT4, fd, uintptr(unsafe.Pointer(&sa)), uintptr(unsafe.Pointer(&n)),
			syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0, 0)
		if e == 0 {
			return r, address(&sa), 0
		}
		if e != syscall.EINTR {
			return 0, remote, e
		}
	}
}

// Local is a socket's own address.
func Local(fd uintptr) netip.AddrPort {
	var sa syscall.RawSockaddrInet6
	n := uint32(unsafe.Sizeof(sa))
	syscall.RawSyscall(syscall.SYS_GETSOCKNAME, fd, uintptr(unsafe.Pointer(&sa)), uintptr(unsafe.Pointer(&n)))
	return address(&sa)
}

// address converts a socket address; an IPv4-mapped one (RFC 4291 section 2.5.5.2) becomes IPv4.
func address(sa *syscall.RawSockaddrInet6) netip.AddrPort {
	port := func(p *uint16) uint16 {
		b := (*[2]byte)(unsafe.Pointer(p))
		return uint16(b[0])<<8 | uint16(b[1])
	}
	switch sa.Family {
	case syscall.AF_INET:
		v4 := (*syscall.RawSockaddrInet4)(unsafe.Pointer(sa))
		return netip.AddrPortFrom(netip.AddrFrom4(v4.Addr), port(&v4.Port))
	case syscall.AF_INET6:
		return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr).Unmap(), port(&sa.Port))
	}
	return netip.AddrPort{}
}

const tcpDeferAccept = 9 // TCP_DEFER_ACCEPT

// Prepare switches Nagle's algorithm off for the connections of a listening socket. With wait they are
// accepted only once their first bytes have come in (TCP_DEFER_ACCEPT).
func Prepare(fd uintptr, wait bool) {
	SetOption(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1)
	if wait {
		SetOption(fd, syscall.IPPROTO_TCP, tcpDeferAccept, 1)
	}
}

// Reset has Close send a TCP reset in place of FIN, so that the other side sees the connection fail.
func Reset(fd uintptr) {
	now := syscall.Linger{Onoff: 1}
	syscall.RawSyscall6(syscall.SYS_SETSOCKOPT, fd, syscall.SOL_SOCKET, syscall.SO_LINGER, uintptr(unsafe.Pointer(&now)), unsafe.Sizeof(now), 0)
}
