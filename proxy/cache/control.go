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
	Aged                      bool     // max-age or s-maxage is there
	Shared                    bool     // s-maxage is there
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

// obey takes one directive in: "no-store", "max-age=60", "private=\"X-A, X-B\"". One with a value that has none, or the other way
// round, is none.
func (c *Control) obey(d directive) {
	name := strings.ToLower(d.name)
	if flag := c.flag(name); flag != nil && !d.has {
		*flag = true
	}
	switch n, ok := number(d.value); {
	case !d.has:
		if name == "max-stale" {
			c.MaxStale = -1
		}
	case name == "no-cache", name == "private":
		c.Fields = append(c.Fields, fieldNames(d.value)...)
	case ok:
		c.number(name, n)
	}
}

// flag is what a directive without a value sets; nil for none.
func (c *Control) flag(name string) *bool {
	switch name {
	case "no-cache":
		return &c.NoCache
	case "no-store":
		return &c.NoStore
	case "no-transform":
		return &c.NoTransform
	case "private":
		return &c.Private
	case "public":
		return &c.Public
	case "must-revalidate":
		return &c.MustRevalidate
	case "proxy-revalidate":
		return &c.ProxyRevalidate
	case "only-if-cached":
		return &c.OnlyIfCached
	case "max-stale":
		return &c.HasMaxStale
	}
	return nil
}

// number sets what a directive with a number says.
func (c *Control) number(name string, n int64) {
	switch name {
	case "max-age":
		c.MaxAge, c.Aged = n, true
	case "s-maxage":
		c.SMaxAge, c.Aged, c.Shared = n, true, true
	case "min-fresh":
		c.MinFresh = n
	case "max-stale":
		c.MaxStale, c.HasMaxStale = n, true
	}
}

// number is all of a text as a decimal number, which may be negative.
func number(s string) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

// fieldNames are the names in a list, which may be quoted.
func fieldNames(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return strings.ContainsRune(separators+`"`, r) })
}

// directive is one element of the fields: name, or name=value, as it is written.
type directive struct {
	name, value string
	has         bool // a "=" was there
}

const separators = ", \t"

// next cuts the first element off; ok is false at the end. Within quotes nothing separates (httpd: cache_util.c
// cache_strqtok).
func next(s string) (d directive, rest string, ok bool) {
	s = strings.TrimLeft(s, separators)
	if s == "" {
		return d, "", false
	}
	n, quoted := 0, false
	for ; n < len(s) && (quoted || strings.IndexByte(separators, s[n]) < 0); n++ {
		switch {
		case s[n] == '"':
			quoted = !quoted
		case s[n] == '\\' && quoted:
			n++
		}
	}
	n = min(n, len(s))
	d.name, d.value, d.has = strings.Cut(s[:n], "=")
	return d, s[n:], true
}
