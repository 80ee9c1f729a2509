package server

import (
	"context"
	"errors"
	"net"
	"os"
	"syscall"
	"time"

	"balancerd/proxy/site"
)

// Sockets are the listening sockets as the main process holds them: it accepts nothing from them, so that
// connections wait in them while no process serves. Owned by one goroutine.
type Sockets struct {
	fds map[string]int // descriptors by site.Listener.Address; no poller watches them
}

// Descriptors are all that are open, by address. They stay the Sockets'.
func (k *Sockets) Descriptors() map[string]int { return k.fds }

// Open opens what next names and is not open yet. Sockets of ours that took a port which next wants for
// another address have to be closed first: release is told of their addresses first, and must not return
// before nobody else has them open. The error is a *ListenError; all is as it was before then, but that
// those in again were opened anew, and have to be given to whoever had released them.
func (k *Sockets) Open(next *site.Site, release func(addresses []string) error) (opened, again map[string]int, err error) {
	if k.fds == nil {
		k.fds = map[string]int{}
	}
	opened, again = map[string]int{}, map[string]int{}
	var gone []string
	defer func() {
		if err != nil {
			k.undo(opened, gone, again, &next.Settings)
		}
	}()
	if len(next.Listeners) == 0 {
		return opened, again, &ListenError{Message: NoSockets}
	}
	for _, at := range next.Listeners {
		if _, has := k.fds[at.Address]; has {
			continue
		}
		fd, err := listenFD(at, &next.Settings)
		if blocking := k.blocking(next, at, err); len(blocking) > 0 {
			if err := release(blocking); err != nil {
				return opened, again, unable(at, err)
			}
			for _, a := range blocking {
				k.close(a)
			}
			gone = append(gone, blocking...)
			fd, err = listenFreed(at, &next.Settings)
		}
		if err != nil {
			return opened, again, err
		}
		k.fds[at.Address], opened[at.Address] = fd, fd
	}
	return opened, again, nil
}

// undo closes what was opened and opens again what had been closed for it.
func (k *Sockets) undo(opened map[string]int, gone []string, again map[string]int, s *site.Settings) {
	for a := range opened {
		k.close(a)
	}
	for _, a := range gone {
		if fd, err := listenFreed(site.Listener{Address: a}, s); err == nil {
			k.fds[a], again[a] = fd, fd
		}
	}
}

// blocking are the addresses of ours that took an address's port and that next names no more: 127.0.0.1:80
// and *:80 can't be open at once.
func (k *Sockets) blocking(next *site.Site, at site.Listener, taken error) (addresses []string) {
	if !errors.Is(taken, syscall.EADDRINUSE) {
		return nil
	}
	for a := range k.fds {
		if !named(next, a) && Port(a) == Port(at.Address) {
			addresses = append(addresses, a)
		}
	}
	return addresses
}

// Drop closes those that next does not name.
func (k *Sockets) Drop(next *site.Site) {
	for a := range k.fds {
		if !named(next, a) {
			k.close(a)
		}
	}
}

// Close closes them all.
func (k *Sockets) Close() {
	for a := range k.fds {
		k.close(a)
	}
}

func (k *Sockets) close(address string) {
	syscall.Close(k.fds[address])
	delete(k.fds, address)
}

// listenFD is Listen without the runtime's poller, which would wake this process for each connection.
func listenFD(at site.Listener, s *site.Settings) (fd int, err error) {
	l, err := Listen(context.Background(), at, s)
	if err != nil {
		return 0, err
	}
	defer l.Close()
	c, err := l.SyscallConn()
	if err != nil {
		return 0, unable(at, err)
	}
	var derr error
	err = c.Control(func(own uintptr) { fd, derr = Duplicate(int(own)) })
	if err = errors.Join(err, derr); err != nil {
		return 0, unable(at, err)
	}
	return fd, nil
}

// forkTime is how long a program that is being started may have a socket open that was closed here: until it is in place.
const forkTime = time.Second

// listenFreed is listenFD for a port that was freed just now.
func listenFreed(at site.Listener, s *site.Settings) (fd int, err error) {
	for end := time.Now().Add(forkTime); ; time.Sleep(time.Millisecond) {
		if fd, err = listenFD(at, s); !errors.Is(err, syscall.EADDRINUSE) || time.Now().After(end) {
			return fd, err
		}
	}
}

// Duplicate is another descriptor of the same file, which no program that is started gets.
func Duplicate(fd int) (int, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	n, err := syscall.Dup(fd)
	if err == nil {
		syscall.CloseOnExec(n)
	}
	return n, err
}

// Listener is a socket that another process opened and this one got as a descriptor, which it takes over.
func Listener(fd int) (*net.TCPListener, error) {
	f := os.NewFile(uintptr(fd), "socket")
	defer f.Close()
	l, err := net.FileListener(f)
	if err != nil {
		return nil, err
	}
	t, ok := l.(*net.TCPListener)
	if !ok {
		l.Close()
		return nil, errors.New("not a listening TCP socket")
	}
	return t, nil
}
