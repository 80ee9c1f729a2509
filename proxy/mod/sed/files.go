package sed

import (
	"io"
	"os"
	"syscall"

	"balancerd/proxy/exchange"
)

// openFiles opens what w writes, as httpd does when a body begins: from its beginning, without cutting it. It does not wait
// for who might read it.
func (m *machine) openFiles() error {
	for _, name := range m.script.files[len(m.files):] {
		m.x.Block()
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|syscall.O_NONBLOCK, 0o666)
		if err != nil {
			m.x.Log("sed", exchange.Error, nil, m.x.Arena.Join("AH02998: cannot open ", name))
			return errUnopened
		}
		m.files = append(m.files, f)
	}
	return nil
}

// write is w.
func (m *machine) write(c *command) error {
	m.store(c)
	return nil
}

// store writes the pattern space to the file that a command names. What can't be written is lost, as in httpd, and so is what
// a pipe has no room for.
func (m *machine) store(c *command) {
	if c.file < 0 {
		return
	}
	m.x.Block()
	t := m.text()
	m.spend(fileSteps + len(t))
	m.made = append(append(m.made[:0], t...), '\n')
	writeNow(m.files[c.file], m.made)
}

// writeNow writes what a file has room for at once. (Write of an os.File waits until a pipe's reader took all.)
func writeNow(f *os.File, p []byte) {
	raw, err := f.SyscallConn()
	if err != nil {
		return
	}
	raw.Write(func(fd uintptr) bool {
		for {
			if _, err := syscall.Write(int(fd), p); err != syscall.EINTR {
				return true
			}
		}
	})
}

// queue is r: a file that comes behind the line.
func (m *machine) queue(c *command) error {
	if len(m.reads) == mostAppends {
		if m.told {
			return nil
		}
		m.told = true
		m.x.Log("sed", exchange.Error, nil, m.x.Arena.Join("AH02998: too many reads after line ", m.x.Arena.Int(m.number)))
		return nil
	}
	m.reads = append(m.reads, c.path)
	return nil
}

// readSize is how much is read at a time.
const readSize = 8 << 10

// drain gives a piece of the first file that is queued. Only files are read, which have an end.
func (m *machine) drain() {
	m.x.Block()
	if m.reading == nil {
		m.reading = m.open(m.reads[0])
	}
	m.spend(fileSteps)
	n, err := 0, io.EOF
	if m.reading != nil {
		size := len(m.out)
		m.out = append(m.out, make([]byte, readSize)...)
		n, err = m.reading.Read(m.out[size:])
		m.out = m.out[:size+n]
		m.spend(n / bytesAStep)
	}
	if n > 0 && err == nil {
		return
	}
	if m.reading != nil {
		m.reading.Close()
		m.reading = nil
	}
	if m.reads = m.reads[1:]; len(m.reads) == 0 {
		m.draining, m.reads = false, nil
	}
}

// open opens a file; nil: it can't be, or it is none.
func (m *machine) open(name string) *os.File {
	m.x.Block()
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil
	}
	if facts, err := f.Stat(); err != nil || !facts.Mode().IsRegular() {
		f.Close()
		return nil
	}
	return f
}

// release closes all files.
func (m *machine) release() {
	for _, f := range m.files {
		f.Close()
	}
	if m.reading != nil {
		m.reading.Close()
	}
	m.files, m.reading = nil, nil
}
