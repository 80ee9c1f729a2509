package sed

import (
	"bytes"
	"strconv"
)

func (m *machine) jump(c *command) error {
	if m.at = c.branch; c.branch == endOfScript {
		m.at = len(m.commands)
	}
	return nil
}

func (m *machine) test(c *command) error {
	if !m.replaced {
		return nil
	}
	m.replaced = false
	return m.jump(c)
}

func (m *machine) printNumber(*command) error {
	m.print(strconv.AppendInt(nil, int64(int32(m.number)), 10))
	return nil
}

func (m *machine) printSpace(*command) error {
	m.print(m.line)
	return nil
}

// firstLine is the pattern space up to its first newline.
func (m *machine) firstLine() []byte {
	first, _, _ := bytes.Cut(m.text(), newline)
	m.spend(len(first) / bytesAStep)
	return first
}

func (m *machine) printFirst(*command) error {
	m.print(m.firstLine())
	return nil
}

func (m *machine) delete(*command) error {
	m.deleted = true
	m.at = len(m.commands)
	return nil
}

// deleteFirst takes the first line of several away and begins again with the rest.
func (m *machine) deleteFirst(c *command) error {
	text := m.text()
	_, rest, more := bytes.Cut(text, newline)
	m.spend(len(text) / bytesAStep)
	if !more {
		return m.delete(c)
	}
	m.setLine(append(m.line[:0], rest...), len(rest))
	m.at = 0
	return nil
}

func (m *machine) nextLine(*command) error {
	resume := m.at
	m.endLine()
	m.resume = resume
	return nil
}

func (m *machine) appendLine(*command) (err error) {
	m.draining = len(m.reads) > 0
	m.line, err = m.grown(m.line, newline)
	m.resume, m.at = m.at, idle
	return err
}

func (m *machine) end(*command) error {
	m.endLine()
	m.quit = true
	return nil
}

// grown appends to a space (httpd: sed1.c grow_buffer; there is a 0 at its end).
func (m *machine) grown(to, b []byte) ([]byte, error) {
	if len(to)+len(b) >= mostSpace {
		return to, errTooLong
	}
	m.spend(len(b) / bytesAStep)
	return append(to, b...), nil
}

func (m *machine) fromHold(*command) error {
	line, err := m.grown(m.line[:0], m.hold)
	m.setLine(line, len(line))
	return err
}

func (m *machine) addHold(*command) (err error) {
	if m.line, err = m.grown(m.line, newline); err == nil {
		m.line, err = m.grown(m.line, m.hold)
	}
	return err
}

func (m *machine) toHold(*command) (err error) {
	m.hold, err = m.grown(m.hold[:0], m.text())
	return err
}

func (m *machine) addToHold(*command) (err error) {
	if m.hold, err = m.grown(m.hold, newline); err == nil {
		m.hold, err = m.grown(m.hold, m.text())
	}
	return err
}

func (m *machine) swap(*command) error {
	line := m.hold
	m.hold = m.text()
	m.setLine(line, len(line))
	return nil
}

func (m *machine) transform(c *command) error {
	t := m.text()
	m.spend(len(t))
	for i, b := range t {
		t[i] = c.table[b]
	}
	m.edition++
	return nil
}

// substitute is s. The pattern space ends at a 0 when something was replaced.
func (m *machine) substitute(c *command) error {
	if !m.search(c.re) {
		return nil
	}
	m.replaced = false
	if err := m.replace(c); err != nil {
		return err
	}
	if !m.replaced {
		return nil
	}
	if m.quiet && c.print == 'p' {
		m.print(m.line)
	}
	if m.quiet && c.print == 'P' {
		m.print(m.firstLine())
	}
	m.store(c)
	return nil
}

// replace replaces the match that was found, or those behind it.
func (m *machine) replace(c *command) (err error) {
	s := &m.found
	made, at := m.made[:0], 0
	for n := 1; ; n++ {
		if c.nth == 0 || c.nth == allMatches || c.nth == n {
			if made, err = m.grown(made, s.text[at:s.begin]); err != nil {
				return err
			}
			if made, err = m.fill(made, c.to); err != nil {
				return err
			}
			m.replaced, at = true, s.end
		}
		if c.nth == 0 || c.nth == n || c.re.anchored || s.end == len(s.text) {
			break
		}
		s.behind = true
		if !s.find(c.re, s.end) {
			break
		}
	}
	if !m.replaced {
		return nil
	}
	if made, err = m.grown(made, s.text[at:]); err != nil {
		return err
	}
	m.made = m.line
	m.setLine(made, 0)
	return nil
}

// fill appends a replacement.
func (m *machine) fill(made []byte, to []part) (_ []byte, err error) {
	s := &m.found
	m.spend(len(to))
	for i := range to {
		switch p := &to[i]; {
		case p.found:
			made, err = m.grown(made, s.text[s.begin:s.end])
		case p.group > 0:
			g := s.groups[p.group-1]
			made, err = m.grown(made, s.text[g.begin:g.end])
		default:
			made, err = m.grown(made, p.text)
		}
		if err != nil {
			return made, err
		}
	}
	return made, nil
}
