package errorlog

import (
	"errors"
	"strings"

	"balancerd/proxy/exchange"
)

// formats are what ErrorLogFormat said in one server.
type formats struct {
	main                *format   // nil: the default line
	connection, request []*format // lines before the first message of a connection, of a request
}

// format is one ErrorLogFormat, compiled.
type format struct{ items []item }

// item is a piece of a line.
type item struct {
	add      func(b []byte, e *entry, arg string) []byte // nil for the message
	arg      string
	field    bool           // a field begins here: what stands since is left out when an item is empty
	required bool           // "+": without it there is no line
	hyphen   bool           // "-": an empty item is "-"
	level    exchange.Level // left out for messages graver than this
}

// append builds a line: a field whose item has nothing to say is left out as a whole, with the
// separator before it (httpd: log.c do_errorlog_format).
func (f *format) append(b []byte, e *entry) []byte {
	start, skipping := len(b), false
	for i := range f.items {
		it := &f.items[i]
		if it.field {
			if !skipping {
				start = len(b)
			}
			skipping = false
		}
		if it.add == nil {
			b = escape(b, e.Message)
			continue
		}
		if skipping {
			continue
		}
		if e.Level >= 0 && it.level > e.Level {
			b, skipping = b[:start], true
			continue
		}
		n := len(b)
		if b = it.add(b, e, it.arg); len(b) > n {
			continue
		}
		switch {
		case it.required:
			return b[:0]
		case it.hyphen:
			b = append(b, '-')
		default:
			b, skipping = b[:start], true
		}
	}
	return b
}

// compile reads a format; main is the format of messages, which must have %M (httpd: core.c
// parse_errorlog_string).
func compile(text string, main bool) (*format, error) {
	f, seen := &format{}, false
	for text != "" {
		var it item
		var err error
		if it, text, err = parse(text); err != nil {
			return nil, err
		}
		if err := it.fits(main); err != nil {
			return nil, err
		}
		seen = seen || it.add == nil
		f.items = append(f.items, it)
	}
	if main && !seen {
		return nil, errors.New("main ErrorLogFormat must contain message format string '%M'")
	}
	return f, nil
}

func (it *item) fits(main bool) error {
	switch {
	case it.add == nil && !main:
		return errors.New("%M cannot be used in once-per-request or once-per-connection formats")
	case it.required && main:
		return errors.New("The '+' flag cannot be used in the main error log format")
	case it.level != 0 && !main:
		return errors.New("The loglevel cannot be used as a condition in once-per-request or once-per-connection formats")
	case it.level > exchange.Trace8 || it.level < 0:
		return errors.New("The specified loglevel modifier is out of range")
	}
	return nil
}

func parse(s string) (it item, rest string, err error) {
	switch {
	case s[0] != '%':
		it.field = s[0] == ' '
		it.add = constant
		it.arg, rest = literal(s)
		return it, rest, nil
	case strings.HasPrefix(s, "% "):
		if s = s[2:]; s == "" {
			return item{add: constant, field: true}, "", nil
		}
		it, rest, err = parse(s)
		it.field = true
		return it, rest, err
	case strings.HasPrefix(s, "%%"):
		return item{add: constant, arg: "%"}, s[2:], nil
	}
	return directed(s[1:])
}

// directed is what follows a percent sign: flags, argument and level in any order, then a letter.
func directed(s string) (it item, rest string, err error) {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '{':
			n := strings.IndexByte(s[i:], '}')
			if n < 0 {
				i = len(s)
				break
			}
			it.arg = s[i+1 : i+n]
			i += n
		case c == '+':
			it.required = true
		case c == '-':
			it.hyphen = true
		case '0' <= c && c <= '9':
			n := 0
			for ; i < len(s) && '0' <= s[i] && s[i] <= '9'; i++ {
				n = min(n*10+int(s[i]-'0'), 100)
			}
			it.level = exchange.Level(n)
			i--
		case c == 'M':
			return it, s[i+1:], nil
		case letters[c] == nil:
			return it, "", errors.New("Unrecognized error log format directive %" + string(rune(c)))
		default:
			it.add = letters[c]
			return it, s[i+1:], nil
		}
	}
	return it, "", errors.New("Ran off end of error log format parsing args to some directive")
}

// literal is plain text up to a percent sign, or to a blank, which begins the next field; blanks at
// its own beginning belong to it.
func literal(s string) (text, rest string) {
	var b strings.Builder
	start := true
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '%' || c == ' ' && !start:
			return b.String(), s[i:]
		case c == '\\' && i+1 < len(s):
			i++
			b.WriteByte(unescaped(s[i]))
			start = start && s[i] == ' '
		default:
			start = start && c == ' '
			b.WriteByte(c)
		}
	}
	return b.String(), ""
}

func unescaped(c byte) byte {
	switch c {
	case 'r':
		return '\r'
	case 'n':
		return '\n'
	case 't':
		return '\t'
	}
	return c
}
