package sed

import (
	"bytes"
	"strconv"
)

// actions are what the commands do, by letter (httpd: sed1.c command). } and : are no commands any more.
var actions map[byte]func(*machine, *command) error

func init() {
	actions = map[byte]func(*machine, *command) error{
		'{': (*machine).jump, 'b': (*machine).jump, 't': (*machine).test,
		'=': (*machine).printNumber, 'l': (*machine).list, 'p': (*machine).printSpace, 'P': (*machine).printFirst,
		'd': (*machine).delete, 'D': (*machine).deleteFirst, 'n': (*machine).nextLine, 'N': (*machine).appendLine, 'q': (*machine).end,
		'g': (*machine).fromHold, 'G': (*machine).addHold, 'h': (*machine).toHold, 'H': (*machine).addToHold, 'x': (*machine).swap,
		's': (*machine).substitute, 'y': (*machine).transform, 'r': (*machine).queue, 'w': (*machine).write,
	}
}

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
	first, _, _ := bytes.Cut(text(m.line), newline)
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
	_, rest, more := bytes.Cut(text(m.line), newline)
	if !more {
		return m.delete(c)
	}
	m.spend(len(rest) / bytesAStep)
	m.line = append(m.line[:0], rest...)
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

func (m *machine) fromHold(*command) (err error) {
	m.line, err = m.grown(m.line[:0], m.hold)
	return err
}

func (m *machine) addHold(*command) (err error) {
	if m.line, err = m.grown(m.line, newline); err == nil {
		m.line, err = m.grown(m.line, m.hold)
	}
	return err
}

func (m *machine) toHold(*command) (err error) {
	m.hold, err = m.grown(m.hold[:0], text(m.line))
	return err
}

func (m *machine) addToHold(*command) (err error) {
	if m.hold, err = m.grown(m.hold, newline); err == nil {
		m.hold, err = m.grown(m.hold, text(m.line))
	}
	return err
}

func (m *machine) swap(*command) error {
	m.line, m.hold = m.hold, text(m.line)
	return nil
}

func (m *machine) transform(c *command) error {
	t := text(m.line)
	for i, b := range t {
		t[i] = c.table[b]
	}
	m.spend(len(t) / bytesAStep)
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
func (m *machine) replace(c *command) error {
	s := &m.found
	made, at := m.made[:0], 0
	for n := 1; ; n++ {
		if c.nth == 0 || c.nth == allMatches || c.nth == n {
			made = append(made, s.text[at:s.begin]...)
			made = m.fill(made, c.to)
			m.replaced, at = true, s.end
			if len(made)+len(s.text)-at >= mostSpace {
				return errTooLong
			}
		}
		if c.nth == 0 || c.nth == n || c.re.anchored || s.end == len(s.text) {
			break
		}
		s.behind = true
		if !s.find(c.re, s.end) {
			break
		}
	}
	if m.replaced {
		m.line, m.made = append(made, s.text[at:]...), m.line
		m.spend(len(m.line) / bytesAStep)
	}
	return nil
}

// fill appends a replacement: & is what was found, \1 a group, and a backslash hides any other byte.
func (m *machine) fill(made []byte, to string) []byte {
	s := &m.found
	for i := 0; i < len(to); i++ {
		switch b := to[i]; b {
		case '&':
			made = append(made, s.text[s.begin:s.end]...)
		case '\\':
			i++
			if b = to[i]; '1' <= b && b <= '9' {
				g := s.groups[b-'1']
				made = append(made, s.text[g.begin:g.end]...)
			} else {
				made = append(made, b)
			}
		default:
			made = append(made, b)
		}
	}
	return made
}
