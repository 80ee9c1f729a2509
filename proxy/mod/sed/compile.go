package sed

import (
	"errors"
	"slices"
	"strings"
)

// compiler reads the commands of one directive (httpd: sed0.c fcomp). Behind the end of the line stands 0.
type compiler struct {
	*script
	line string
	at   int
}

// add compiles the commands of a directive behind those that are there. note is what httpd does not say of them.
func (s *script) add(line string) (note string, err error) {
	s.given = true
	switch {
	case endsInBackslash(line):
		return "what ends in a backslash is taken for nothing, as in httpd", nil
	case len(line) > mostLine:
		return "more than 1000 bytes are taken for nothing, as in httpd", nil
	case strings.HasPrefix(line, "#"):
		s.quiet = s.quiet || strings.HasPrefix(line, "#n")
		return "", nil
	}
	c := compiler{script: s, line: line}
	return "", c.compile()
}

// endsInBackslash reports whether the last backslash hides nothing.
func endsInBackslash(line string) bool {
	n := len(line) - len(strings.TrimRight(line, `\`))
	return n%2 == 1
}

func (c *compiler) peek() byte {
	if c.at < len(c.line) {
		return c.line[c.at]
	}
	return 0
}

func (c *compiler) next() byte {
	b := c.peek()
	c.at++
	return b
}

func (c *compiler) skip(set string) {
	for c.at < len(c.line) && strings.IndexByte(set, c.line[c.at]) >= 0 {
		c.at++
	}
}

// rest takes what is left of the line.
func (c *compiler) rest() string {
	text := c.line[min(c.at, len(c.line)):]
	c.at = len(c.line)
	return text
}

// wrong is httpd's sentence about the line.
func (c *compiler) wrong(what string) error { return errors.New(what + ": " + c.line) }

func (c *compiler) garbled() error { return c.wrong("command garbled") }

func (c *compiler) tooMuch() error { return c.wrong("too much command text") }

var errNoExpression = errors.New("first RE may not be null")

func (c *compiler) compile() error {
	for {
		c.skip(" \t;")
		if b := c.peek(); b == 0 || b == '#' {
			return nil
		}
		if err := c.command(); err != nil {
			return err
		}
	}
}

// kind is how a command is written, and what it does: how many addresses it may have, what follows its letter (nil: nothing,
// to the next command), and what the machine does at it (httpd: sed1.c command; nil: it is none once it is compiled).
type kind struct {
	most   int
	follow func(*compiler, *command) error
	do     func(*machine, *command) error
}

// kinds are the commands. a, c and i want a newline, which no configuration can hold.
var kinds = map[byte]kind{
	'{': {2, (*compiler).open, (*machine).jump}, '}': {0, (*compiler).close, nil}, ':': {0, (*compiler).define, nil},
	'a': {1, newlineWanted, nil}, 'i': {1, newlineWanted, nil}, 'c': {2, newlineWanted, nil},
	'b': {2, (*compiler).jump, (*machine).jump}, 't': {2, (*compiler).jump, (*machine).test},
	'=': {1, nil, (*machine).printNumber}, 'l': {2, nil, (*machine).list}, 'p': {2, nil, (*machine).printSpace}, 'P': {2, nil, (*machine).printFirst},
	'd': {2, nil, (*machine).delete}, 'D': {2, nil, (*machine).deleteFirst}, 'q': {1, nil, (*machine).end},
	'n': {2, nil, (*machine).nextLine}, 'N': {2, nil, (*machine).appendLine},
	'g': {2, nil, (*machine).fromHold}, 'G': {2, nil, (*machine).addHold}, 'x': {2, nil, (*machine).swap},
	'h': {2, nil, (*machine).toHold}, 'H': {2, nil, (*machine).addToHold},
	'r': {1, (*compiler).readFile, (*machine).queue}, 'w': {2, (*compiler).writeFile, (*machine).write},
	's': {2, (*compiler).substitution, (*machine).substitute}, 'y': {2, (*compiler).transform, (*machine).transform},
}

func newlineWanted(c *compiler, _ *command) error { return c.garbled() }

// command compiles one command, and what ends it.
func (c *compiler) command() error {
	cmd := command{file: -1, branch: endOfScript}
	if err := c.addresses(&cmd); err != nil {
		return err
	}
	c.skip(" \t")
	for c.peek() == '!' {
		cmd.negated = true
		c.at++
	}
	letter := c.next()
	k, ok := kinds[letter]
	cmd.do = k.do
	switch {
	case !ok:
		return c.wrong("unrecognized command")
	case k.most == 0 && cmd.first.kind != noAddress:
		return c.wrong("no addresses allowed")
	case k.most == 1 && cmd.second.kind != noAddress:
		return c.wrong("only one address allowed")
	}
	if k.follow != nil {
		if err := k.follow(c, &cmd); err != nil {
			return err
		}
	}
	if letter == '}' || letter == ':' { // what follows on the line counts for nothing
		c.rest()
		return nil
	}
	c.commands = append(c.commands, cmd)
	if letter == '{' {
		return nil
	}
	if b := c.next(); b != 0 && b != ';' {
		return c.garbled()
	}
	return nil
}

// addresses reads none, one, or two with a comma or a semicolon between. A first one whose expression is wrong counts as
// none: what follows its delimiter is read as the command, as in httpd.
func (c *compiler) addresses(cmd *command) error {
	a, found, err := c.address()
	switch {
	case err != nil:
		return c.garbled()
	case !found:
		return nil
	case a.kind == expression && a.re == nil:
		if c.last.kind == noAddress {
			return errNoExpression
		}
		cmd.first = c.last
		return nil
	}
	cmd.first, c.last = a, a
	if b := c.peek(); b != ',' && b != ';' {
		return nil
	}
	c.at++
	a, found, err = c.address()
	switch {
	case err != nil, !found:
		return c.garbled()
	case a.kind == expression && a.re == nil:
		a = c.last
	}
	cmd.second, c.last = a, a
	return nil
}

// address reads one. The expression of an empty one is nil.
func (c *compiler) address() (a address, found bool, err error) {
	switch b := c.peek(); {
	case b == '$':
		c.at++
		c.size += 2
		return address{kind: lastLine}, true, c.fits()
	case b == '/', b == '\\':
		if c.at++; b == '\\' {
			b = c.next()
		}
		re, err := c.expression(b)
		return address{kind: expression, re: re}, err == nil, nil
	case '0' <= b && b <= '9':
		return c.number()
	}
	return address{}, false, nil
}

func (c *compiler) number() (a address, found bool, err error) {
	a.kind = lineNumber
	for '0' <= c.peek() && c.peek() <= '9' {
		a.number = a.number*10 + int64(c.next()-'0')
	}
	c.size += 3
	if c.numbers++; c.numbers >= mostLines {
		return a, true, c.garbled()
	}
	return a, true, c.fits()
}

// fits fails when the commands are too much.
func (c *compiler) fits() error {
	if c.size >= mostText {
		return c.tooMuch()
	}
	return nil
}

// open begins a block, which is a jump behind its end for lines that it is not for.
func (c *compiler) open(cmd *command) error {
	if len(c.blocks) == mostDepth {
		return errors.New("too many {'s")
	}
	c.blocks = append(c.blocks, len(c.commands))
	cmd.negated = !cmd.negated
	return nil
}

func (c *compiler) close(*command) error {
	n := len(c.blocks) - 1
	if n < 0 {
		return errors.New("too many }'s")
	}
	c.commands[c.blocks[n]].branch = len(c.commands)
	c.blocks = c.blocks[:n]
	return nil
}

// define is a label, to the end of the line.
func (c *compiler) define(*command) error {
	name, err := c.labelName()
	if err != nil {
		return err
	}
	l := c.label(name)
	switch {
	case name == "", l != nil && l.defined:
		return c.wrong("duplicate labels")
	case l == nil:
		if l, err = c.newLabel(name); err != nil {
			return err
		}
	}
	l.defined, l.at = true, len(c.commands)
	for _, i := range l.waiting {
		c.commands[i].branch = l.at
	}
	l.waiting = nil
	return nil
}

func (c *compiler) labelName() (string, error) {
	c.skip(" ")
	name := c.rest()
	if len(name) > mostLabel {
		return "", c.wrong("label too long")
	}
	return name, nil
}

func (c *compiler) newLabel(name string) (*label, error) {
	if len(c.labels) == mostLabels {
		return nil, c.wrong("too many labels")
	}
	c.labels = append(c.labels, label{name: name})
	return &c.labels[len(c.labels)-1], nil
}

// jump is b or t. One without a label leads to the next one without a label, the last of them to the script's end, as in
// httpd, whose list of such commands is made of the places where they lead.
func (c *compiler) jump(cmd *command) error {
	name, err := c.labelName()
	if err != nil {
		return err
	}
	here := len(c.commands)
	if name == "" {
		if c.unnamed > 0 {
			c.commands[c.unnamed-1].branch = here
		}
		c.unnamed = here + 1
		return nil
	}
	l := c.label(name)
	if l == nil {
		if l, err = c.newLabel(name); err != nil {
			return err
		}
	}
	if l.defined {
		cmd.branch = l.at
	} else {
		l.waiting = append(l.waiting, here)
	}
	return nil
}

// text is the rest of the line without its indentation, and without backslashes that hide a character.
func (c *compiler) text() string {
	c.skip(" \t")
	var b strings.Builder
	for c.at < len(c.line) {
		if c.line[c.at] == '\\' {
			c.at++
		}
		b.WriteByte(c.next())
	}
	return b.String()
}

func (c *compiler) readFile(cmd *command) error {
	if c.next() != ' ' {
		return c.garbled()
	}
	cmd.path = c.text()
	c.size += len(cmd.path) + 1
	return c.fits()
}

func (c *compiler) writeFile(cmd *command) (err error) {
	if c.next() != ' ' {
		return c.wrong("Space missing before filename")
	}
	name := c.text()
	if cmd.file = slices.Index(c.files, name); cmd.file >= 0 {
		return nil
	}
	if len(c.files) == mostFiles {
		return errors.New("too many files in w commands")
	}
	c.files = append(c.files, name)
	cmd.file = len(c.files) - 1
	return nil
}

// substitution is what follows an s: expression, replacement, and the flags g, a number, p, P and w, in this order.
func (c *compiler) substitution(cmd *command) (err error) {
	delimiter := c.next()
	if cmd.re, err = c.expression(delimiter); err != nil {
		return err
	}
	if cmd.re == nil {
		if c.last.kind == noAddress {
			return errNoExpression
		}
		cmd.re = c.last.expr()
	} else {
		c.last = address{kind: expression, re: cmd.re}
	}
	text, err := c.replacement(delimiter, cmd.re.groups)
	if err != nil {
		return err
	}
	cmd.to = partsOf(text)
	if err = c.suffix(cmd); err != nil {
		return err
	}
	for _, b := range []byte("pP") {
		if c.peek() == b {
			c.at++
			cmd.print = b
		}
	}
	if c.peek() == 'w' {
		c.at++
		return c.writeFile(cmd)
	}
	return nil
}

// replacement reads up to the delimiter. Backslashes stay in front of what they hide.
func (c *compiler) replacement(delimiter byte, groups int) (string, error) {
	begin := c.at
	for {
		switch b := c.next(); {
		case b == '\\':
			if d := c.next(); d > byte(groups)+'0' && d <= '9' {
				return "", c.wrong("``\\digit'' out of range")
			}
		case b == delimiter:
			text := c.line[min(begin, len(c.line)):min(c.at-1, len(c.line))]
			c.size += len(text) + 1
			return text, c.fits()
		case b == 0:
			return "", c.wrong("ending delimiter missing on substitution")
		}
	}
}

// partsOf takes a replacement apart: & is what was found, \1 a group, and a backslash hides any other byte.
func partsOf(text string) (parts []part) {
	literal := func(b byte) {
		if n := len(parts); n > 0 && parts[n-1].text != nil {
			parts[n-1].text = append(parts[n-1].text, b)
			return
		}
		parts = append(parts, part{text: []byte{b}})
	}
	for i := 0; i < len(text); i++ {
		switch b := text[i]; b {
		case '&':
			parts = append(parts, part{found: true})
		case '\\':
			if i++; '1' <= text[i] && text[i] <= '9' {
				parts = append(parts, part{group: int(text[i] - '0')})
			} else {
				literal(text[i])
			}
		default:
			literal(b)
		}
	}
	return parts
}

// suffix says which matches are replaced.
func (c *compiler) suffix(cmd *command) error {
	if c.peek() == 'g' {
		c.at++
		cmd.nth = allMatches
	}
	if c.peek() < '1' || c.peek() > '9' {
		return nil
	}
	cmd.nth = 0
	for '0' <= c.peek() && c.peek() <= '9' {
		if cmd.nth = cmd.nth*10 + int(c.next()-'0'); cmd.nth > mostSuffix {
			return c.wrong("suffix too large")
		}
	}
	return nil
}

// transform is what follows a y: two texts of which the second has a byte for each of the first's (httpd: sed0.c ycomp). A
// backslash is a byte, but for \n; in front of the delimiter it hides that when the first text's end is looked for, and no more.
func (c *compiler) transform(cmd *command) error {
	delimiter := c.next()
	if c.size+255 >= mostText {
		return c.tooMuch()
	}
	to := compiler{line: c.line, at: c.at}
	for b := to.next(); b != delimiter; b = to.next() {
		if b == '\\' {
			to.at++
		}
		if b == 0 {
			return c.wrong("ending delimiter missing on string")
		}
	}
	var table [256]byte
	for c.peek() != delimiter {
		if c.at >= len(c.line) { // \n hid what ended the first text
			return c.wrong("transform strings not the same size")
		}
		table[c.transformed()] = to.transformed()
	}
	switch to.next() {
	case delimiter:
	case 0:
		return c.wrong("ending delimiter missing on string")
	default:
		return c.wrong("transform strings not the same size")
	}
	c.at = to.at
	c.size += 256
	for i := range table {
		if table[i] == 0 {
			table[i] = byte(i)
		}
	}
	cmd.table = &table
	return nil
}

// transformed is the next byte of a text of y.
func (c *compiler) transformed() byte {
	b := c.next()
	if b == '\\' && c.peek() == 'n' {
		c.at++
		return '\n'
	}
	return b
}
