package accesslog

import (
	"errors"
	"strings"
	"time"

	"balancerd/proxy/exchange"
)

// piece appends its part of a line.
type piece func(b []byte, v *view) []byte

// view is the exchange as a line sees it.
type view struct {
	x     *exchange.Exchange
	end   time.Time // when the request was over; one for all logs of an exchange
	track bool      // LogIOTrackTTFB
	line  []byte    // storage
}

func (v *view) over() time.Time {
	if v.end.IsZero() {
		v.end = time.Now()
	}
	return v.end
}

// Format is a compiled log format. Immutable.
type Format struct{ pieces []piece }

// SSL makes the piece for an SSL variable (%{SSL_PROTOCOL}x); nil when mod_ssl is not loaded.
type SSL func(name string) func(*exchange.Exchange) string

// Options of Compile: what other modules have to do with a format.
type Options struct {
	SSL SSL
	// Peeks: mod_reqtimeout looks at a kept connection's first byte before the request is read, and
	// mod_logio counts that byte twice.
	Peeks bool
}

// Compile reads a log format. The error is httpd's sentence (httpd: mod_log_config.c
// parse_log_string).
func Compile(text string, o Options) (*Format, error) {
	f := &Format{}
	for text != "" {
		p, rest, err := parse(text, &o)
		if err != nil {
			return nil, err
		}
		f.pieces, text = append(f.pieces, p), rest
	}
	return f, nil
}

// Append appends the exchange's line and its end.
func (f *Format) append(b []byte, v *view) []byte {
	for _, p := range f.pieces {
		b = p(b, v)
	}
	return append(b, '\n')
}

func constant(s string) piece { return func(b []byte, _ *view) []byte { return append(b, s...) } }

func parse(s string, o *Options) (piece, string, error) {
	switch {
	case s[0] != '%':
		text, rest := literal(s)
		return constant(text), rest, nil
	case strings.HasPrefix(s, "%%"):
		return constant("%"), s[2:], nil
	}
	return parseItem(s[1:], o)
}

// literal is the text up to the next percent sign, with the escapes \\ \n \r \t; others stay.
func literal(s string) (text, rest string) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '%':
			return b.String(), s[i:]
		case s[i] == '\\' && i+1 < len(s) && strings.IndexByte(`\nrt`, s[i+1]) >= 0:
			i++
			b.WriteByte(escaped[s[i]])
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String(), ""
}

var escaped = map[byte]byte{'\\': '\\', 'n': '\n', 'r': '\r', 't': '\t'}

// item is what stands between a percent sign and the letter.
type item struct {
	arg      string
	negated  bool
	statuses []int
	original bool // "<" or the letter's default: of the client's own request, before internal redirects
	chosen   bool // "<" or ">" was there
	with     *Options
}

func parseItem(s string, o *Options) (piece, string, error) {
	it := item{with: o}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '!':
			it.negated = !it.negated
		case c == '<', c == '>':
			it.original, it.chosen = c == '<', true
		case c == ',':
		case c == '{':
			n := strings.IndexByte(s[i:], '}')
			if n < 0 {
				i = len(s)
				break
			}
			it.arg = s[i+1 : i+n]
			i += n
		case '0' <= c && c <= '9':
			n := 0
			for ; i < len(s) && '0' <= s[i] && s[i] <= '9'; i++ {
				n = min(n*10+int(s[i]-'0'), 9999)
			}
			it.statuses = append(it.statuses, n)
			i--
		default:
			return it.finish(s[i:])
		}
	}
	return nil, "", errors.New("Ran off end of LogFormat parsing args to some directive")
}

// finish looks the letter up: a caret with two more, or one.
func (it *item) finish(s string) (piece, string, error) {
	for _, n := range []int{3, 1} {
		if n == 3 && s[0] != '^' || len(s) < n {
			continue
		}
		l, ok := letters[s[:n]]
		if !ok || l.ssl && it.with.SSL == nil {
			continue
		}
		if !it.chosen {
			it.original = l.original
		}
		return it.conditional(l.make(it)), s[n:], nil
	}
	return nil, "", errors.New("Unrecognized LogFormat directive %" + s[:1])
}

// conditional prints "-" unless the final status is among the item's, or with "!" is not.
func (it *item) conditional(p piece) piece {
	if len(it.statuses) == 0 {
		return p
	}
	statuses, negated := it.statuses, it.negated
	return func(b []byte, v *view) []byte {
		in := false
		for _, s := range statuses {
			in = in || s == v.x.Res.Status
		}
		if in == negated {
			return append(b, '-')
		}
		return p(b, v)
	}
}
