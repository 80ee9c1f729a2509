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
	owned  bool   // it lies there
	out    []byte // what came of it
	closed bool   // the body is over

	line     []byte // the pattern space
	known    int    // so many bytes at its beginning are not 0
	edition  int    // another one whenever the pattern space was changed, but for what was added at its end
	whole    bool   // it is a line of which is not known yet whether it is the last one
	hold     []byte
	made     []byte // storage of s
	number   int64  // of the line
	last     bool
	inside   []bool    // by command: its second address was not found yet
	failures []failure // by expr.id
	replaced bool      // since the line was read, or the last t

	at       int      // the command that comes next; idle: a line is needed first
	resume   int      // where the next line begins
	deleted  bool     // the line is not printed
	quit     bool     // nothing comes any more
	told     bool     // that a line queues too many files
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
	m := &machine{script: s, x: x, at: idle, left: startSteps, inside: make([]bool, len(s.commands)), failures: make([]failure, s.exprs)}
	m.found.m = m
	return m
}

// What a script may do before it is taken for one that never ends: a step is a command, a node of an expression that is
// tried, a byte that is printed, or bytesAStep bytes that are copied or searched; a call for a file is fileSteps. Each byte of
// the body gives it more to do. What takes long is counted before it is done, or in between.
const (
	startSteps   = 1 << 26
	stepsPerByte = 1 << 12
	mostSteps    = 1 << 30
	bytesAStep   = 16
	fileSteps    = 1 << 8
	turnSteps    = 1 << 16 // after so many an event loop goes on without the exchange
)

// spend counts n steps. It does without exchange.Turn, with which it would not be inlined into the matcher's loops.
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
	m.in, m.owned = p, false
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
	if !m.owned {
		m.own = append(m.own[:0], m.in...)
		m.in, m.owned = m.own, true
	}
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
	return c.do(m, c)
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

// failure is what a search for an expression that was not found says of the next one: until the pattern space has another
// edition, no match begins in front of a place.
type failure struct{ edition, from int }

// search looks for an expression in the pattern space. What was added at its end alone is not looked at again and again: a
// script that gathers lines until one is found takes no time by the square of their number.
func (m *machine) search(e *expr) bool {
	s := &m.found
	s.text, s.behind = m.text(), false
	if e.anchored {
		return s.find(e, 0)
	}
	f := &m.failures[e.id]
	if f.edition != m.edition {
		*f = failure{edition: m.edition}
	}
	if s.find(e, f.from) {
		return true
	}
	f.from = s.next(e)
	return false
}

// setLine has another text in the pattern space, of which some bytes at its beginning are known not to be 0.
func (m *machine) setLine(line []byte, known int) {
	m.line, m.known = line, known
	m.edition++
}

// text is the pattern space as C sees it: up to a 0.
func (m *machine) text() []byte {
	n := bytes.IndexByte(m.line[m.known:], 0)
	if n < 0 {
		n = len(m.line) - m.known
	}
	m.known += n
	m.spend(n / bytesAStep)
	return m.line[:m.known]
}

// print prints a line.
func (m *machine) print(b []byte) {
	m.spend(len(b) + 1)
	m.out = append(append(m.out, b...), '\n')
}

// endLine is what follows a script's last command.
func (m *machine) endLine() {
	if !m.quiet && !m.deleted {
		m.print(m.line)
	}
	m.deleted = false
	m.draining = len(m.reads) > 0
	m.setLine(m.line[:0], 0)
	m.at = idle
}
