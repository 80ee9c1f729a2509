package process

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"

	"balancerd/balancer/store/memory"
	"balancerd/cmd/balancerd/cli"
)

// kind is what a message between two of the server's processes says.
type kind string

// The messages. Each names who sends it to whom.
const (
	// the reader to the main process
	msgRead       kind = "read"  // a file: the bundle
	msgNotRead    kind = "wrong" // Failure: why there is none
	msgLogsOpened kind = "logs"  // Names with their files, or Errnos

	// the main process to the reader
	msgOpenLogs kind = "open" // the configuration is sound so far: open its logs

	// the main process to the one that serves
	msgBegin   kind = "begin"   // Begin: once, before all else
	msgBefore  kind = "before"  // files: what the process before has left, by Memory
	msgLoad    kind = "load"    // Load, and a file: the bundle
	msgLogs    kind = "logs"    // Names with their files, or Errnos
	msgSockets kind = "sockets" // Names (addresses) with their files; or Failure
	msgServe   kind = "serve"   // requests may be served: the pid file is written
	msgRelease kind = "release" // Names: close these sockets
	msgResume  kind = "resume"  // Names with their files: they were released in vain
	msgDrain   kind = "drain"   // a graceful stop
	msgHalt    kind = "halt"

	// the one that serves to the main process
	msgBound    kind = "bound"    // the directives are sound: open the logs
	msgBuilt    kind = "built"    // the site is: open the sockets
	msgLoaded   kind = "loaded"   // it is in force
	msgRefused  kind = "refused"  // Failure; the one before is in force, if any
	msgReleased kind = "released" // those sockets are closed
	msgOver     kind = "over"     // Generation has no request any more
	msgKeep     kind = "keep"     // a file: Memory
	msgHalted   kind = "halted"   // no request is served any more
)

// message goes from one of the server's processes to another. Only the fields that its kind names are set.
type message struct {
	Kind       kind
	Names      []string     `json:",omitempty"`
	Errnos     []int        `json:",omitempty"` // by Names; 0: there is a file
	Failure    *cli.Failure `json:",omitempty"`
	Begin      *beginning   `json:",omitempty"`
	Load       *loadOrder   `json:",omitempty"`
	Generation int          `json:",omitempty"`
	More       int          `json:",omitempty"` // names that follow in messages of the same kind
	KeepsState bool         `json:",omitempty"`
	Notes      []string     `json:",omitempty"` // lines for the error log
	Memory     memory.Kind  `json:",omitempty"`
}

// link is one end of a stream between two processes that carries messages and open files. Sending is for
// all goroutines, receiving for one.
type link struct {
	c *net.UnixConn

	mu sync.Mutex // one message at a time is sent
}

// newLink is a link's end here, and the other end as a file for another process.
func newLink() (*link, *os.File, error) {
	syscall.ForkLock.RLock()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fds[0])
		syscall.CloseOnExec(fds[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	other := os.NewFile(uintptr(fds[1]), "link")
	l, err := openLink(os.NewFile(uintptr(fds[0]), "link"))
	if err != nil {
		other.Close()
		return nil, nil, err
	}
	return l, other, nil
}

// openLink takes a link's end over; f is closed.
func openLink(f *os.File) (*link, error) {
	defer f.Close()
	c, err := net.FileConn(f)
	if err != nil {
		return nil, err
	}
	u, ok := c.(*net.UnixConn)
	if !ok {
		c.Close()
		return nil, errors.New("not a link")
	}
	return &link{c: u}, nil
}

func (l *link) close() { l.c.Close() }

const (
	mostFiles   = 128     // in one message: Linux takes 253
	longestText = 4 << 20 // bytes of a message: what a process that serves can have the main one hold
)

// send sends a message with files, which stay the sender's.
func (l *link) send(m *message, fds ...int) error {
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	b := binary.LittleEndian.AppendUint32(nil, uint32(len(text)))
	b = append(b, text...)
	var rights []byte
	if len(fds) > 0 {
		rights = syscall.UnixRights(fds...)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	n, _, err := l.c.WriteMsgUnix(b, rights, nil)
	if err == nil && n < len(b) {
		_, err = l.c.Write(b[n:])
	}
	return err
}

// sendNamed sends names with a file or an errno each, in as many messages as it takes.
func (l *link) sendNamed(k kind, list []named) error {
	for first := true; first || len(list) > 0; first = false {
		n := min(mostFiles, len(list))
		m := &message{Kind: k}
		var fds []int
		for _, f := range list[:n] {
			m.Names, m.Errnos = append(m.Names, f.name), append(m.Errnos, int(f.errno))
			if f.errno == 0 {
				fds = append(fds, f.fd)
			}
		}
		list = list[n:]
		m.More = len(list)
		if err := l.send(m, fds...); err != nil {
			return err
		}
	}
	return nil
}

// named is a file by the name that the configuration gave it, or why it could not be opened.
type named struct {
	name  string
	fd    int
	errno syscall.Errno // 0: fd is there
}

func closeAll(list []named) {
	for _, f := range list {
		if f.errno == 0 {
			syscall.Close(f.fd)
		}
	}
}

// files are the names of a message with their files.
func (m *message) files(fds []int) ([]named, error) {
	var list []named
	for i, name := range m.Names {
		f := named{name: name}
		if i < len(m.Errnos) {
			f.errno = syscall.Errno(m.Errnos[i])
		}
		if f.errno == 0 {
			if len(fds) == 0 {
				return list, errors.New("a message without its files")
			}
			f.fd, fds = fds[0], fds[1:]
		}
		list = append(list, f)
	}
	for _, fd := range fds {
		syscall.Close(fd)
	}
	return list, nil
}

// receive waits for the next message. Its files are the receiver's, and closed on exec. io.EOF: the other
// end is gone.
func (l *link) receive() (*message, []int, error) {
	head := make([]byte, 4)
	rights := make([]byte, syscall.CmsgSpace(mostFiles*4))
	n, rn, flags, _, err := l.c.ReadMsgUnix(head, rights)
	if err != nil || n == 0 {
		return nil, nil, ended(err)
	}
	fds, err := parseRights(rights[:rn])
	if err == nil && flags&syscall.MSG_CTRUNC != 0 {
		err = errors.New("files of a message were lost: too many are open")
	}
	var text []byte
	if err == nil {
		text, err = l.rest(head, n)
	}
	var m message
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	if err != nil {
		for _, fd := range fds {
			syscall.Close(fd)
		}
		return nil, nil, err
	}
	return &m, fds, nil
}

// rest reads what follows the first n bytes of a message's head.
func (l *link) rest(head []byte, n int) ([]byte, error) {
	if _, err := io.ReadFull(l.c, head[n:]); err != nil {
		return nil, ended(err)
	}
	size := binary.LittleEndian.Uint32(head)
	if size > longestText {
		return nil, fmt.Errorf("a message of %d bytes", size)
	}
	text := make([]byte, size)
	_, err := io.ReadFull(l.c, text)
	return text, ended(err)
}

// ended makes the end of the other process io.EOF, however it shows.
func ended(err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) {
		return io.EOF
	}
	return err
}

func parseRights(b []byte) (fds []int, err error) {
	if len(b) == 0 {
		return nil, nil
	}
	list, err := syscall.ParseSocketControlMessage(b)
	for i := range list {
		more, perr := syscall.ParseUnixRights(&list[i])
		fds, err = append(fds, more...), errors.Join(err, perr)
	}
	return fds, err
}
