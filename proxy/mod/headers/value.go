package headers

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"balancerd/proxy/exchange"
	"balancerd/proxy/expr"
)

// value is the text that a directive puts in: a format, or an expression. Immutable.
type value struct {
	constant string
	items    []item       // of a format that is not constant
	expr     *expr.String // of "expr=…"
	request  bool         // for a request: line ends become blanks
}

// item is one part of a format.
type item func(*exchange.Exchange) string

// text is the value for x.
func (v *value) text(x *exchange.Exchange) string {
	switch {
	case v.expr != nil:
		return v.eval(x)
	case v.items == nil:
		return v.constant
	}
	var few [8]string
	parts := few[:0]
	for _, it := range v.items {
		parts = append(parts, it(x))
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return x.Arena.Join(parts...)
}

// eval is an expression's text, "" when it fails.
func (v *value) eval(x *exchange.Exchange) string {
	text, err := v.expr.Eval(x)
	if err != nil {
		x.Log("headers", exchange.Error, nil, "AH02557: Can't evaluate value expression: "+err.Error())
		return ""
	}
	if v.request {
		return oneLine(x, text)
	}
	return text
}

// safe reports whether the value can never have a character in it that a field must not have, the
// values of matched fields aside.
func (v *value) safe() bool {
	return v.expr == nil && v.items == nil && validValue(v.constant)
}

// oneLine makes line ends and NULs blanks, so that a value cannot begin a field or request of its own.
func oneLine(x *exchange.Exchange, s string) string {
	if !strings.ContainsAny(s, "\r\n\x00") {
		return s
	}
	b := append(x.Arena.Scratch(len(s)), s...)
	for i, c := range b {
		if c == '\r' || c == '\n' || c == 0 {
			b[i] = ' '
		}
	}
	return x.Arena.Keep(b)
}

// parseValue reads a format: text with \\ \n \r \t and %D %t %{name}e %{name}s %l %i %b %%, or expr=
// and an expression (httpd: mod_headers.c parse_format_string).
func (d *reader) parseValue(s string) (v value, err error) {
	v.request = d.request
	if text, ok := strings.CutPrefix(s, "expr="); ok {
		if v.expr, err = expr.CompileString(text, d.options()); err != nil {
			return v, errors.New("Can't parse value expression : " + err.Error())
		}
		return v, nil
	}
	var constant strings.Builder
	for s != "" {
		var it item
		if s[0] != '%' {
			n := strings.IndexByte(s, '%')
			if n < 0 {
				n = len(s)
			}
			constant.WriteString(d.literal(s[:n]))
			s = s[n:]
			continue
		}
		if s == "%" || s[1] == '%' {
			constant.WriteByte('%')
			s = s[min(2, len(s)):]
			continue
		}
		if it, s, err = d.parseTag(s[1:]); err != nil {
			return v, err
		}
		if constant.Len() > 0 {
			v.items = append(v.items, fixed(constant.String()))
			constant.Reset()
		}
		v.items = append(v.items, it)
	}
	if v.items == nil {
		v.constant = constant.String()
	} else if constant.Len() > 0 {
		v.items = append(v.items, fixed(constant.String()))
	}
	return v, nil
}

func fixed(s string) item { return func(*exchange.Exchange) string { return s } }

// parseTag reads what stands behind a %.
func (d *reader) parseTag(s string) (it item, rest string, err error) {
	arg := ""
	if s[0] == '{' {
		arg, s, _ = strings.Cut(s[1:], "}")
	}
	if s == "" {
		return nil, "", errors.New("Unrecognized header format %")
	}
	switch s[0] {
	case 'D':
		it = duration
	case 't':
		it = started
	case 'e':
		it = variable(arg)
	case 's':
		it = tlsVariable(arg, d.tls)
	case 'l':
		it = loadAverage
	case 'i', 'b':
		it = d.usage(s[0])
	default:
		return nil, "", errors.New("Unrecognized header format %" + s[:1])
	}
	return it, s[1:], nil
}

// literal is a format's text. In a request's field a line end is a blank.
func (d *reader) literal(s string) string {
	s = unescape(s)
	if d.request {
		s = strings.NewReplacer("\r", " ", "\n", " ", "\x00", " ").Replace(s)
	}
	return s
}

// unescape undoes \\ \n \r \t.
func unescape(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '\\' && i+1 < len(s) {
			if j := strings.IndexByte(`\nrt`, s[i+1]); j >= 0 {
				c = "\\\n\r\t"[j]
				i++
			}
		}
		b = append(b, c)
	}
	return string(b)
}

func duration(x *exchange.Exchange) string {
	return labelled(x, "D=", time.Since(x.Start).Microseconds())
}
func started(x *exchange.Exchange) string { return labelled(x, "t=", x.Start.UnixMicro()) }

func labelled(x *exchange.Exchange, label string, n int64) string {
	return x.Arena.Keep(strconv.AppendInt(append(x.Arena.Scratch(len(label)+20), label...), n, 10))
}

func variable(name string) item {
	return func(x *exchange.Exchange) string {
		if v, ok := x.Env.Get(name); ok {
			return oneLine(x, v)
		}
		return "(null)"
	}
}

// tlsVariable is what mod_ssl knows by that name, when it is loaded.
func tlsVariable(name string, loaded bool) item {
	if !loaded {
		return fixed("(null)")
	}
	return func(x *exchange.Exchange) string {
		if v := expr.SSL(x, name); v != "" {
			return oneLine(x, v)
		}
		return "(null)"
	}
}
