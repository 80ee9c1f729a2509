package expr

import "strings"

// mode is what the scanner is inside of.
type mode uint8

const (
	plain    mode = iota
	inString      // '…', "…", or a string expression as a whole
	inVar         // the name in %{name}
	inArg         // the argument in %{func:argument}
)

// maxText bounds a string or regular expression, in bytes (httpd: MAX_STRING_LEN).
const maxText = 8192

// scanner cuts an expression into tokens (httpd: util_expr_scan.l).
type scanner struct {
	src   string
	pos   int
	mode  mode
	outer []mode // what an open %{ returns to
	delim byte   // that ends the string
	whole bool   // the source is a string expression
	buf   []byte // the part of a string collected so far

	// of the token found last:
	text   string
	around byte   // around a regular expression
	fault  string // what was wrong, with tError
}

// next finds the next token.
func (s *scanner) next() token {
	switch s.mode {
	case plain:
		return s.plain()
	case inVar:
		return s.name()
	}
	return s.chars()
}

func (s *scanner) error(what string) token {
	s.fault = what
	return tError
}

// peek is the character i places on; 0 behind the end. A NUL cannot be in the source.
func (s *scanner) peek(i int) byte {
	if s.pos+i < len(s.src) {
		return s.src[s.pos+i]
	}
	return 0
}

// begins are the tokens outside of strings, by their first byte; what is not here is a symbol.
var begins = func() (t [256]func(*scanner) token) {
	for c := range t {
		switch c := byte(c); {
		case isDigit(c):
			t[c] = (*scanner).number
		case isLetter(c):
			t[c] = (*scanner).word
		default:
			t[c] = (*scanner).symbol
		}
	}
	t['"'], t['\''] = (*scanner).quote, (*scanner).quote
	t['%'], t['$'], t['-'] = (*scanner).percent, (*scanner).dollar, (*scanner).dash
	t['/'], t['m'] = (*scanner).slash, (*scanner).letterM
	return t
}()

// plain is a token outside of strings.
func (s *scanner) plain() token {
	for c := s.peek(0); c == ' ' || c == '\t' || c == '\n'; c = s.peek(0) {
		s.pos++
	}
	if s.pos >= len(s.src) {
		return tEnd
	}
	return begins[s.src[s.pos]](s)
}

func (s *scanner) quote() token {
	s.delim, s.mode = s.src[s.pos], inString
	s.pos++
	return tStrBegin
}

func (s *scanner) percent() token {
	if s.peek(1) == '{' {
		return s.enter()
	}
	return s.symbol()
}

func (s *scanner) dollar() token {
	if isDigit(s.peek(1)) {
		return s.backref()
	}
	return s.symbol()
}

func (s *scanner) slash() token { return s.regex(1) }

// letterM begins m#regex#, or a word.
func (s *scanner) letterM() token {
	c := s.peek(1)
	if c != 0 && strings.IndexByte("/#$%^,;:_?|-!.'\"", c) >= 0 && !(c == '_' && isWord(s.peek(2))) {
		return s.regex(2)
	}
	return s.word()
}

// dash begins an operator or a number.
func (s *scanner) dash() token {
	switch c := s.peek(1); {
	case isLetter(c) || c == '_':
		return s.dashed()
	case isDigit(c):
		return s.number()
	}
	return s.symbol()
}

func (s *scanner) number() token {
	s.take(1, isDigit)
	return tDigit
}

func (s *scanner) word() token {
	s.take(1, isWord)
	if t, ok := keywords[s.text]; ok {
		return t
	}
	return tID
}

// take makes the token's text of n characters and those behind them for which more holds.
func (s *scanner) take(n int, more func(byte) bool) {
	end := s.pos + n
	for end < len(s.src) && more(s.src[end]) {
		end++
	}
	s.text = s.src[s.pos:end]
	s.pos = end
}

func (s *scanner) dashed() token {
	s.take(2, isWord)
	s.text = s.text[1:]
	if t, ok := dashed[s.text]; ok {
		return t
	}
	if len(s.text) == 1 {
		return tUnary
	}
	return tBinary
}

func (s *scanner) symbol() token {
	for i := range symbols {
		if y := &symbols[i]; strings.HasPrefix(s.src[s.pos:], y.text) {
			s.pos += len(y.text)
			return y.t
		}
	}
	return s.error("Parse error near '" + s.src[s.pos:s.pos+1] + "'")
}

// regex is /…/ or m#…#; the n-th character is its delimiter, and nothing escapes it.
func (s *scanner) regex(n int) token {
	s.around = s.src[s.pos+n-1]
	s.pos += n
	length := strings.IndexByte(s.src[s.pos:], s.around)
	switch {
	case length >= maxText || length < 0 && len(s.src)-s.pos >= maxText:
		return s.error("Regexp too long")
	case length < 0:
		s.pos = len(s.src)
		return tEnd
	}
	s.text = s.src[s.pos : s.pos+length]
	s.pos += length + 1
	if s.peek(0) == 'i' {
		s.pos++
		return tRegexI
	}
	return tRegex
}

func (s *scanner) backref() token {
	s.text = s.src[s.pos+1 : s.pos+2]
	s.pos += 2
	return tBackref
}

// enter begins %{.
func (s *scanner) enter() token {
	s.pos += 2
	s.outer = append(s.outer, s.mode)
	s.mode = inVar
	return tVarBegin
}

// leave ends it at }.
func (s *scanner) leave() token {
	s.pos++
	s.mode = s.outer[len(s.outer)-1]
	s.outer = s.outer[:len(s.outer)-1]
	return tVarEnd
}

const unterminated = "Unterminated string or variable"

// name is a token between %{ and } or :.
func (s *scanner) name() token {
	c := s.peek(0)
	switch {
	case s.pos >= len(s.src) || c == '\n':
		return s.error(unterminated)
	case isLetter(c):
		s.take(1, isWord)
		return tID
	case c == '}':
		return s.leave()
	case c == ':':
		s.pos++
		s.mode = inArg
		return tColon
	}
	return s.error("Invalid character in variable name '" + s.src[s.pos:s.pos+1] + "'")
}

// chars is a token in a string or in a function's argument: a run of text, or what ends it.
func (s *scanner) chars() token {
	for {
		if len(s.buf) >= maxText {
			return s.error("String too long")
		}
		c := s.peek(0)
		switch {
		case s.pos >= len(s.src):
			return s.atEnd()
		case c == '\n':
			return s.error(unterminated)
		case s.ends(c):
			if len(s.buf) > 0 {
				return s.flush()
			}
			return s.close(c)
		case c == '\\' && s.pos+1 < len(s.src):
			if t := s.escape(); t == tError {
				return t
			}
		default:
			s.buf = append(s.buf, c)
			s.pos++
		}
	}
}

// ends reports whether the text stops at c: at the delimiter, a group's number or another variable.
func (s *scanner) ends(c byte) bool {
	switch c {
	case '"', '\'':
		return s.mode == inString && !s.whole && c == s.delim
	case '}':
		return s.mode == inArg
	case '$':
		return isDigit(s.peek(1))
	case '%':
		return s.peek(1) == '{'
	}
	return false
}

// close is the token that c begins, nothing being collected.
func (s *scanner) close(c byte) token {
	switch c {
	case '$':
		return s.backref()
	case '%':
		return s.enter()
	case '}':
		return s.leave()
	}
	s.pos++
	s.mode = plain
	return tStrEnd
}

// atEnd is the end of the source inside a string: that of a string expression, or an error.
func (s *scanner) atEnd() token {
	if s.mode != inString || !s.whole {
		return s.error(unterminated)
	}
	s.mode = plain
	return s.flush()
}

// flush is the text collected so far. As a C string it ends at a NUL, which "\0" can put there.
func (s *scanner) flush() token {
	s.text, _, _ = strings.Cut(string(s.buf), "\x00")
	s.buf = s.buf[:0]
	return tString
}

// escape reads a backslash and what belongs to it: up to three octal digits, or one character.
func (s *scanner) escape() token {
	if !isDigit(s.peek(1)) {
		c := s.peek(1)
		if i := strings.IndexByte("nrtbf", c); i >= 0 {
			c = "\n\r\t\b\f"[i]
		}
		s.buf = append(s.buf, c)
		s.pos += 2
		return tString
	}
	n, digits, octal := 0, 0, 0
	for ; isDigit(s.peek(1 + digits)); digits++ {
		if c := s.peek(1 + digits); digits == octal && octal < 3 && c < '8' {
			n = n*8 + int(c-'0')
			octal++
		}
	}
	switch {
	case digits > octal:
		return s.error("Bad escape sequence")
	case n > 0xff:
		return s.error("Escape sequence out of bound")
	}
	s.buf = append(s.buf, byte(n))
	s.pos += 1 + digits
	return tString
}

func isDigit(c byte) bool  { return '0' <= c && c <= '9' }
func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }
func isWord(c byte) bool   { return isLetter(c) || isDigit(c) || c == '_' }
