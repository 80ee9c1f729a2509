package sys

import (
	"errors"
	"sync"
	"syscall"
)

// Pipe holds spliced bytes between two sockets. Get one of Pipes, and Put it back empty.
type Pipe struct {
	r, w int
	held int // bytes inside
}

// pipeSize is what fits into a pipe. The system allows an ordinary user 64 MiB of them.
const pipeSize = 256 << 10

// maxPipes is how many empty pipes are kept, mostPipes how many are open at a time: a slow reader keeps its
// pipe, which is two descriptors and up to pipeSize bytes.
const (
	maxPipes  = 64
	mostPipes = 1024
)

var errPipes = errors.New("sys: enough pipes are in use")

// Pipes is a pool of empty pipes. The zero value is ready.
type Pipes struct {
	mu   sync.Mutex
	free []*Pipe // under mu
	open int     // under mu: in use and free
}

// Get is an empty pipe. With an error the caller copies the bytes itself.
func (s *Pipes) Get() (*Pipe, error) {
	s.mu.Lock()
	if n := len(s.free); n > 0 {
		p := s.free[n-1]
		s.free = s.free[:n-1]
		s.mu.Unlock()
		return p, nil
	}
	if s.open == mostPipes {
		s.mu.Unlock()
		return nil, errPipes
	}
	s.open++
	s.mu.Unlock()
	var fds [2]int
	if err := syscall.Pipe2(fds[:], syscall.O_NONBLOCK|syscall.O_CLOEXEC); err != nil {
		s.mu.Lock()
		s.open--
		s.mu.Unlock()
		return nil, err
	}
	syscall.Syscall(syscall.SYS_FCNTL, uintptr(fds[1]), syscall.F_SETPIPE_SZ, pipeSize) // fails when the user has too many: then it is smaller
	return &Pipe{r: fds[0], w: fds[1]}, nil
}

// Put takes a pipe back, or closes it when bytes are left inside.
func (s *Pipes) Put(p *Pipe) {
	s.mu.Lock()
	if p.held == 0 && len(s.free) < maxPipes {
		s.free = append(s.free, p)
		s.mu.Unlock()
		return
	}
	s.open--
	s.mu.Unlock()
	syscall.Close(p.r)
	syscall.Close(p.w)
}

const spliceFlags = 0x1 | 0x2 // SPLICE_F_MOVE | SPLICE_F_NONBLOCK

// Fill moves up to n bytes from a socket into the pipe. 0 and no error: the other side has ended its
// direction. EAGAIN: nothing has come in, or the pipe is full.
func (p *Pipe) Fill(fd uintptr, n int) (int, syscall.Errno) {
	k, e := splice(fd, uintptr(p.w), min(n, pipeSize))
	p.held += k
	return k, e
}

// Drain moves what the pipe holds to a socket, perhaps less than all; EAGAIN: nothing was moved.
func (p *Pipe) Drain(fd uintptr) (int, syscall.Errno) {
	k, e := splice(uintptr(p.r), fd, p.held)
	p.held -= k
	return k, e
}

// Held is how many bytes are inside.
func (p *Pipe) Held() int { return p.held }

func splice(from, to uintptr, n int) (int, syscall.Errno) {
	for {
		k, _, e := syscall.RawSyscall6(syscall.SYS_SPLICE, from, 0, to, 0, uintptr(n), spliceFlags)
		if e == 0 {
			return int(k), 0
		}
		if e != syscall.EINTR {
			return 0, e
		}
	}
}
