package cache

import (
	"strconv"
	"strings"

	"balancerd/proxy/exchange"
)

// Control is what Cache-Control and Pragma say (httpd: cache_control_t). Seconds are -1 where nothing is said.
type Control struct {
	MaxAge, SMaxAge, MinFresh int64
	MaxStale                  int64 // -1: however stale, or not said: see AnyStale
	HasMaxStale               bool
	NoCache                   bool // without a list of fields
	NoStore                   bool
	Public                    bool
	Private                   bool // without a list of fields
	MustRevalidate            bool
	ProxyRevalidate           bool
	OnlyIfCached              bool
	NoTransform               bool
	Said                      bool     // either field is there
	Fields                    []string // that no-cache="…" and private="…" name: they are not kept
}

// Parse reads the values of the two fields (httpd: cache_util.c ap_cache_control). Of a directive that is there twice
// the last one counts; a number that is none is passed over.
func Parse(control, pragma string) Control {
	c := Control{MaxAge: -1, SMaxAge: -1, MinFresh: -1, MaxStale: -1, Said: control != "" || pragma != ""}
	for rest := pragma; ; {
		var d directive
		var ok bool
		if d, rest, ok = next(rest); !ok {
			break
		}
		c.NoCache = c.NoCache || exchange.EqualFold(d.name, "no-cache")
	}
	for rest := control; ; {
		var d directive
		var ok bool
		if d, rest, ok = next(rest); !ok {
			return c
		}
		c.obey(d)
	}
}

func (c *Control) obey(d directive) {
	flag, seconds := c.directiveOf(strings.ToLower(d.name), d.has)
	switch {
	case flag != nil && seconds == nil:
		*flag = true
	case seconds != nil:
		n, ok := number(d.value)
		if !ok && (d.has || flag == nil) {
			return
		}
		if *seconds = n; !ok {
			*seconds = -1
		}
		if flag != nil {
			*flag = true
		}
	case d.has:
		c.Fields = append(c.Fields, fieldNames(d.value)...)
	}
}

// directiveOf is what a directive sets: a flag, seconds, or both; neither for a list of fields, and for what nobody knows
// (which has no fields then: see obey).
func (c *Control) directiveOf(name string, has bool) (flag *bool, seconds *int64) {
	switch name {
	case "no-cache":
		if !has {
			return &c.NoCache, nil
		}
	case "private":
		if !has {
			return &c.Private, nil
		}
	case "no-store":
		return &c.NoStore, nil
	case "no-transform":
		return &c.NoTransform, nil
	case "must-revalidate":
		return &c.MustRevalidate, nil
	case "proxy-revalidate":
		return &c.ProxyRevalidate, nil
	case "public":
		return &c.Public, nil
	case "only-if-cached":
		return &c.OnlyIfCached, nil
	case "max-age":
		return nil, &c.MaxAge
	case "s-maxage":
		return nil, &c.SMaxAge
	case "min-fresh":
		return nil, &c.MinFresh
	case "max-stale":
		return &c.HasMaxStale, &c.MaxStale
	default:
		return new(bool), nil
	}
	return nil, nil
}

// number is all of a text as a decimal number, which may be negative.
func number(s string) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

func fieldNames(list string) (names []string) {
	for {
		d, rest, ok := next(list)
		if !ok {
			return names
		}
		names, list = append(names, d.name), rest
	}
}

// directive is one element of the fields: name, or name=value, whose quotes are taken off.
type directive struct {
	name, value string
	has         bool // a "=" was there
}

// next cuts the first element off; ok is false at the end, and at what is none: the rest is not looked at then
// (httpd: cache_util.c cache_strqtok; RFC 9111 section 5.2).
func next(s string) (d directive, rest string, ok bool) {
	s = strings.TrimLeft(s, "\t ,")
	n := 0
	for n < len(s) && s[n] != '=' && !stops(s[n]) {
		n++
	}
	if n == 0 && (s == "" || s[0] != '=') {
		return d, "", false
	}
	d.name, s = s[:n], s[n:]
	if strings.HasPrefix(s, "=") {
		d.has = true
		d.value, s = value(s[1:])
	}
	s = strings.TrimLeft(s, "\t ")
	if s != "" && s[0] != ',' {
		s = "" // httpd ends there, with what it has so far
	}
	return d, s, true
}

// value is a token or a quoted text, and what follows it.
func value(s string) (v, rest string) {
	if !strings.HasPrefix(s, `"`) {
		n := 0
		for n < len(s) && !stops(s[n]) {
			n++
		}
		return s[:n], s[n:]
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return b.String(), s[i+1:]
		case c == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), ""
}

// stops reports whether a byte ends a token (httpd: T_HTTP_TOKEN_STOP).
func stops(c byte) bool {
	return c <= ' ' || c >= 0x7f || strings.IndexByte(`()<>@,;:\"/[]?={}`, c) >= 0
}
