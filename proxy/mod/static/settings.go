package static

import (
	"errors"
	"strings"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
)

// dirSettings is what one scope says of files (httpd: core.c core_dir_config).
type dirSettings struct {
	options   options
	etag      etagChoice
	forceType directive.Opt[string] // "none" for none
	charset   directive.Opt[string] // AddDefaultCharset; "" is Off
	pathInfo  directive.Opt[pathInfo]
	md5       directive.Opt[bool]
	ranges    directive.Opt[int] // MaxRanges: 0 none, below 0 unlimited
	overlaps  directive.Opt[int]
	reversals directive.Opt[int]
}

var dirs = directive.NewKey[dirSettings]("core_files", mergeDirs)

func mergeDirs(outer, inner dirSettings) dirSettings {
	return dirSettings{
		options:   inner.options.over(outer.options),
		etag:      inner.etag.over(outer.etag),
		forceType: inner.forceType.Over(outer.forceType),
		charset:   inner.charset.Over(outer.charset),
		pathInfo:  inner.pathInfo.Over(outer.pathInfo),
		md5:       inner.md5.Over(outer.md5),
		ranges:    inner.ranges.Over(outer.ranges),
		overlaps:  inner.overlaps.Over(outer.overlaps),
		reversals: inner.reversals.Over(outer.reversals),
	}
}

// pathInfo is AcceptPathInfo.
type pathInfo uint8

const (
	pathInfoDefault pathInfo = iota // files take none
	pathInfoAccept
	pathInfoReject
)

// forced is ForceType's type; "" for none.
func (d *dirSettings) forced() string {
	if t := d.forceType.Or(""); t != "none" {
		return t
	}
	return ""
}

const (
	defaultRanges = 200
	defaultMerges = 20 // of MaxRangeOverlaps and MaxRangeReversals
)

// rangesBy is how a Range field is heeded, with a load's boundary between several ranges.
func (d *dirSettings) rangesBy(boundary string) exchange.Ranges {
	return exchange.Ranges{Most: d.ranges.Or(defaultRanges), Overlaps: d.overlaps.Or(defaultMerges), Reversals: d.reversals.Or(defaultMerges), Boundary: boundary}
}

func (d *dirSettings) acceptRanges() string {
	if d.ranges.Or(defaultRanges) == 0 {
		return "none"
	}
	return "bytes"
}

// setter is how most directives here store their one word.
type setter = func(*directive.Scope, directive.Args) error

func setFlag(of func(*dirSettings) *directive.Opt[bool]) setter {
	return func(s *directive.Scope, a directive.Args) error {
		of(dirs.In(s)).Set(a.On)
		return nil
	}
}

func setForceType(s *directive.Scope, a directive.Args) error {
	dirs.In(s).forceType.Set(a.Words[0])
	return nil
}

// setDefaultCharset: On means httpd's own default (httpd: core.c set_add_default_charset).
func setDefaultCharset(s *directive.Scope, a directive.Args) error {
	name := a.Words[0]
	switch strings.ToLower(name) {
	case "off":
		name = ""
	case "on":
		name = "iso-8859-1"
	}
	dirs.In(s).charset.Set(name)
	return nil
}

func setPathInfo(s *directive.Scope, a directive.Args) error {
	v, ok := map[string]pathInfo{"on": pathInfoAccept, "off": pathInfoReject, "default": pathInfoDefault}[strings.ToLower(a.Words[0])]
	if !ok {
		return errors.New("AcceptPathInfo must be set to on, off or default")
	}
	dirs.In(s).pathInfo.Set(v)
	return nil
}

// setMax is MaxRanges and the two that bound how they may be shuffled (httpd: core.c set_max_ranges).
func setMax(of func(*dirSettings) *directive.Opt[int], standard int) setter {
	return func(s *directive.Scope, a directive.Args) error {
		n, ok := map[string]int{"none": 0, "default": standard, "unlimited": -1}[strings.ToLower(a.Words[0])]
		if !ok {
			if n = directive.Atoi(a.Words[0]); n <= 0 {
				return errors.New(a.Name + " requires 'none', 'default', 'unlimited' or a positive integer")
			}
		}
		of(dirs.In(s)).Set(n)
		return nil
	}
}

// checkOnOff is for switches of the system calls that httpd would use: the words are checked.
func checkOnOff(s *directive.Scope, a directive.Args) error {
	if w := strings.ToLower(a.Words[0]); w != "on" && w != "off" {
		return errors.New("parameter must be 'on' or 'off'")
	}
	return nil
}

func checkBuffer(s *directive.Scope, a directive.Args) error {
	w := a.Words[0]
	for _, c := range w {
		if c < '0' || c > '9' {
			w = ""
			break
		}
	}
	if w == "" || len(w) > 10 || len(w) == 10 && w > "4294967295" {
		return errors.New("parameter must be a number between 0 and (4294967295U)): " + a.Words[0])
	}
	return nil
}
