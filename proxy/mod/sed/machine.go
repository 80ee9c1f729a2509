package sed

import (
	"bytes"
	"errors"
	"os"
	"syscall"

	"balancerd/proxy/exchange"
)

// machine runs a script over one body (httpd: sed1.c). It is given the body's pieces, and stops when much has come of them
// that nobody took. Owned by whoever gives them.
type machine struct {
	*script
	x *exchange.Exchange

	in     []byte // of the body, what was not read
	own    []byte // storage for it when the machine stops
	out    []byte // what came of it
	closed bool   // the body is over

	line     []byte // the pattern space
	whole    bool   // it is a line of which is not known yet whether it is the last one
	hold     []byte
	made     []byte // storage of s
	number   int64  // of the line
	last     bool
	inside   []bool // by command: its second address was not found yet
	replaced bool   // since the line was read, or the last t

	at       int      // the command that comes next; idle: a line is needed first
	resume   int      // where the next line begins
	deleted  bool     // the line is not printed
	quit     bool     // nothing comes any more
	reads    []string // the files that come behind the line
	reading  *os.File // the first of them, while it is being read
	draining bool     // they come now

	files []*os.File // by script.files
	ready bool       // they were opened
	found match
	left  int // how much may still be done; below 0 the script is taken to have no end
	since int // what was done since the event loop went on without the exchange
}

const idle = -1

func newMachine(s *script, x *exchange.Exchange) *machine {
	m := &machine{script: s, x: x, at: idle, left: startSteps, inside: make([]bool, len(s.commands))}
	m.found.m = m
	return m
}

// What a script may do before it is taken for one that never ends: a step is a command, a node of an expression that is
// tried, a byte that is printed, or bytesAStep bytes that are copied or searched. Each byte of the body gives it more to do.
const (
	startSteps   = 1 << 26
	stepsPerByte = 1 << 12
	mostSteps    = 1 << 30
	bytesAStep   = 16
	turnSteps    = 1 << 16 // after so many an event loop goes on without the exchange
)

func (m *machine) spend(n int) {
	m.left -= n
	if m.since += n; m.since > turnSteps {
		m.since = 0
		m.x.Block()
	}
}

func (m *machine) spent() bool { return m.left < 0 }

// mostOut is how much may come out before who takes it does.
const mostOut = 32 << 10

var (
	errTooLong  error = syscall.ENOMEM
	errEndless        = errors.New("the script has no end")
	errLacking        = errors.New("the script is not whole")
	errUnopened       = errors.New("a file can't be written")
)

// feed gives a piece of the body. After it, and after close, run is called until it has not stopped.
func (m *machine) feed(p []byte) {
	m.in = p
	m.left = min(m.left+len(p)*stepsPerByte, mostSteps)
}

func (m *machine) close() { m.closed = true }

// run goes on with what was given. It reports whether it has stopped: what came out must be taken first.
func (m *machine) run() (stopped bool, err error) {
	if err := m.prepare(); err != nil {
		return false, err
	}
	for len(m.out) < mostOut {
		switch {
		case m.draining:
			m.drain()
		case m.quit:
			m.in = nil
			return false, nil
		case m.at != idle:
			err = m.step()
		default:
			more, err := m.take()
			if err != nil || !more {
				return false, err
			}
		}
		if m.spent() {
			err = errEndless
		}
		if err != nil {
			return false, err
		}
	}
	m.own = append(m.own[:0], m.in...)
	m.in = m.own
	return true, nil
}

// prepare has what a script needs before its first byte.
func (m *machine) prepare() error {
	if m.ready {
		return nil
	}
	if err := m.openFiles(); err != nil {
		return err
	}
	if why := m.unfinished(); why != "" {
		m.x.Log("sed", exchange.Error, nil, m.x.Arena.Join("AH02998: ", why))
		return errLacking
	}
	m.ready = true
	return nil
}

// take takes a line of what was given to the pattern space. One at whose end nothing more is there waits: it may be the last.
func (m *machine) take() (bool, error) {
	if m.last {
		m.quit = true
		return true, nil
	}
	if m.whole && len(m.in) > 0 {
		m.begin()
		return true, nil
	}
	n := bytes.IndexByte(m.in, '\n')
	end := n < 0 || n == len(m.in)-1
	piece := m.in
	if !end {
		piece = m.in[:n+1]
	}
	if len(m.line)+len(piece) > mostSpace {
		return false, errTooLong
	}
	m.in = m.in[len(piece):]
	m.line = append(m.line, bytes.TrimSuffix(piece, newline)...)
	m.whole = m.whole || n >= 0
	switch {
	case !end:
		m.begin()
		return true, nil
	case !m.closed:
		return false, nil
	case m.whole || len(m.line) > 0:
		if len(m.line) >= mostSpace {
			return false, errTooLong
		}
		m.last = true
		m.begin()
		return true, nil
	}
	m.quit = true
	return true, nil
}

var newline = []byte("\n")

// begin begins with the line in the pattern space.
func (m *machine) begin() {
	m.whole, m.replaced = false, false
	m.number++
	m.at, m.resume = m.resume, 0
}

// step is one command, or the script's end.
func (m *machine) step() error {
	if m.at >= len(m.commands) {
		m.endLine()
		return nil
	}
	m.spend(1)
	here := m.at
	m.at++
	c := &m.commands[here]
	if m.selects(c, here) == c.negated {
		return nil
	}
	return actions[c.name](m, c)
}

// selects reports whether the addresses of a command hold for the line.
func (m *machine) selects(c *command, i int) bool {
	if c.first.kind == noAddress {
		return true
	}
	if !m.inside[i] {
		if !m.meets(&c.first) {
			return false
		}
		m.inside[i] = c.second.kind != noAddress
		return true
	}
	switch c.second.kind {
	case lastLine:
	case lineNumber:
		m.inside[i] = m.number < c.second.number
		return m.number <= c.second.number
	default:
		m.inside[i] = !m.meets(&c.second)
	}
	return true
}

func (m *machine) meets(a *address) bool {
	switch a.kind {
	case lastLine:
		return m.last
	case lineNumber:
		return m.number == a.number
	}
	return m.search(a.re)
}

// search looks for an expression in the pattern space.
func (m *machine) search(e *expr) bool {
	m.found.text, m.found.behind = text(m.line), false
	return m.found.find(e, 0)
}

// text is a space as C sees it: up to a 0.
func text(b []byte) []byte {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		return b[:i]
	}
	return b
}

// print prints a line.
func (m *machine) print(b []byte) {
	m.out = append(append(m.out, b...), '\n')
	m.spend(len(b) + 1)
}

// endLine is what follows a script's last command.
func (m *machine) endLine() {
	if !m.quiet && !m.deleted {
		m.print(m.line)
	}
	m.deleted = false
	m.draining = len(m.reads) > 0
	m.line = m.line[:0]
	m.at = idle
}
