package backend

import (
	"context"
	"net/netip"
	"os"
	"syscall"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/loop"
	"balancerd/proxy/internal/sys"
)

// open connects once. The far ends of an event loop's sockets have no zone: names of interfaces are looked up in a list
// of them.
func (d *dialer) open(ctx context.Context, to endpoint) (socket, error) {
	if d.task == nil || to.addr.Addr().Zone() != "" {
		d.task.Block()
		return d.dialNet(ctx, to)
	}
	addr, err := to.address()
	if err != nil {
		return socket{}, err
	}
	fd, e := sys.Socket(&addr)
	if e != 0 {
		return socket{}, os.NewSyscallError("socket", e)
	}
	f := d.task.NewFd(fd)
	if err = d.prepare(fd, to); err == nil {
		err = d.connect(ctx, f, &addr)
	}
	if err == nil && to.path == "" && sys.Ephemeral(to.addr.Port()) && sys.Local(fd) == to.addr { // nobody listens there: it has met itself
		err = os.NewSyscallError("connect", syscall.ECONNREFUSED)
	}
	if err != nil {
		f.Close(nil)
		return socket{}, err
	}
	return socket{fd: f}, nil
}

// address is where it is, as the system reads it.
func (p endpoint) address() (sys.Address, error) {
	if p.path == "" {
		return sys.TCPAddress(p.addr), nil
	}
	a, ok := sys.UnixAddress(p.path)
	if !ok {
		return a, os.NewSyscallError("connect", syscall.EINVAL)
	}
	return a, nil
}

// connect connects, and waits until that is done or the client is gone.
func (d *dialer) connect(ctx context.Context, f *loop.Fd, to *sys.Address) error {
	switch e := sys.Connect(f.N(), to); e {
	case 0:
		return nil
	case syscall.EINPROGRESS:
	default:
		return os.NewSyscallError("connect", e)
	}
	life, ok := ctx.(exchange.Abortable)
	if !ok {
		return f.Connected(d.task, d.timeout)
	}
	cut := cutter{f}
	life.Watch(cut)
	err := f.Connected(d.task, d.timeout)
	if !life.Unwatch(cut) {
		return context.Canceled
	}
	return err
}

// cutter ends what goes on on a socket.
type cutter struct{ fd *loop.Fd }

// Abort is exchange.Aborter's.
func (c cutter) Abort() { c.fd.Cut() }

// prepare sets what has to be set before a socket is connected, as package net does.
func (d *dialer) prepare(fd uintptr, to endpoint) error {
	if d.receive > 0 {
		sys.SetOption(fd, syscall.SOL_SOCKET, syscall.SO_RCVBUF, d.receive)
	}
	if to.path != "" {
		return nil
	}
	sys.SetOption(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1)
	sys.DelayAck(fd)
	if d.alive {
		keepAlive(fd)
	}
	if !d.source.IsValid() {
		return nil
	}
	own := sys.TCPAddress(netip.AddrPortFrom(d.source, 0))
	if e := sys.Bind(fd, &own); e != 0 {
		return os.NewSyscallError("bind", e)
	}
	return nil
}

// keepAlive has the system look whether the other side is still there, in package net's intervals.
func keepAlive(fd uintptr) {
	const idle, interval, count = 15, 15, 9
	sys.SetOption(fd, syscall.SOL_SOCKET, syscall.SO_KEEPALIVE, 1)
	sys.SetOption(fd, syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE, idle)
	sys.SetOption(fd, syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL, interval)
	sys.SetOption(fd, syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT, count)
}
