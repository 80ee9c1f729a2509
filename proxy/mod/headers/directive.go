package headers

import (
	"errors"
	"strings"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
	"balancerd/apacheconf/pattern"
	"balancerd/proxy/exchange"
	"balancerd/proxy/expr"
)

// reader reads one directive (httpd: mod_headers.c header_cmd, header_inout_cmd). Its checks stand in
// httpd's order: the first that fails is what the user reads.
type reader struct {
	scope   *directive.Scope
	args    directive.Args
	request bool // RequestHeader
	tls     bool // mod_ssl is loaded

	e    edit
	rest []string // the words behind the field's name that are not used up yet
}

func newReader(s *directive.Scope, a directive.Args, request bool) *reader {
	return &reader{scope: s, args: a, request: request, tls: s.Config.Loaded("ssl_module")}
}

func (d *reader) options() expr.Options {
	return expr.Options{File: d.args.Pos.File, Line: d.args.Pos.Line, Module: "headers", AccessFile: d.scope.Config.InAccessFile(), NoTLS: !d.tls}
}

func setRequest(s *directive.Scope, a directive.Args) error {
	d := newReader(s, a, true)
	word, rest := apacheconf.Word(a.Raw)
	if err := d.read(word, rest); err != nil {
		return err
	}
	l := settings.In(s)
	l.request = append(l.request, d.e)
	return nil
}

func setResponse(s *directive.Scope, a directive.Args) error {
	d := newReader(s, a, false)
	word, rest := apacheconf.Word(a.Raw)
	l := settings.In(s)
	list := &l.response
	switch {
	case exchange.EqualFold(word, "always"):
		list = &l.always
		word, rest = apacheconf.Word(rest)
	case exchange.EqualFold(word, "onsuccess"):
		word, rest = apacheconf.Word(rest)
	}
	if err := d.read(word, rest); err != nil {
		return err
	}
	*list = append(*list, d.e)
	return nil
}

// read makes the edit of an action's word and what follows.
func (d *reader) read(word, rest string) error {
	d.e.name, rest = apacheconf.Word(rest)
	for rest != "" {
		if len(d.rest) == 3 {
			return errors.New(d.args.Name + " has too many arguments")
		}
		word, more := apacheconf.Word(rest)
		d.rest, rest = append(d.rest, word), more
	}
	d.e.act = actionOf(word)
	if err := d.checkAction(); err != nil {
		return err
	}
	text, err := d.readText()
	if err != nil {
		return err
	}
	if err := d.readCondition(); err != nil {
		return err
	}
	d.e.name, _, _ = strings.Cut(d.e.name, ":")
	d.e.isType = !d.request && exchange.EqualFold(d.e.name, "Content-Type")
	d.e.value, err = d.parseValue(text)
	return err
}

func (d *reader) checkAction() error {
	switch {
	case d.e.act == unknown:
		return errors.New("first argument must be 'add', 'set', 'setifempty', 'append', 'merge', 'unset', 'echo', 'note', 'edit', or 'edit*'.")
	case d.request && d.e.act == note:
		return errors.New("RequestHeader does not support the 'note' action")
	}
	return nil
}

// word takes the next of the words behind the name.
func (d *reader) word() string {
	w := d.rest[0]
	d.rest = d.rest[1:]
	return w
}

// readText takes what the action needs and leaves a condition at most; it returns the value's text.
func (d *reader) readText() (text string, err error) {
	switch d.e.act {
	case editOnce, editAll:
		return d.readEdit()
	case unset:
		return "", d.alone("header unset takes two arguments")
	case echo:
		return "", d.readEcho()
	}
	if len(d.rest) > 2 {
		return "", errors.New("Too many arguments to directive")
	}
	if len(d.rest) == 0 {
		return "", errors.New("Header requires three arguments")
	}
	return d.word(), nil
}

func (d *reader) readEdit() (text string, err error) {
	if len(d.rest) < 2 {
		return "", errors.New("Header edit requires a match and a substitution")
	}
	if d.e.re, err = pattern.Compile(d.word(), pattern.Options{}); err != nil {
		return "", errors.New("Header edit regex could not be compiled")
	}
	return d.word(), nil
}

func (d *reader) readEcho() (err error) {
	if err := d.alone("Header echo takes two arguments"); err != nil {
		return err
	}
	if d.request {
		return errors.New("Header echo only valid on Header directives")
	}
	if d.e.re, err = pattern.Compile(d.e.name, pattern.Options{}); err != nil {
		return errors.New("Header echo regex could not be compiled")
	}
	return nil
}

// alone is for actions without a value: a condition may follow the name.
func (d *reader) alone(message string) error {
	switch len(d.rest) {
	case 3:
		return errors.New("Too many arguments to directive")
	case 2:
		return errors.New(message)
	}
	return nil
}

// readCondition takes early, env=NAME or expr=….
func (d *reader) readCondition() (err error) {
	if len(d.rest) == 0 {
		return nil
	}
	word := d.word()
	key, arg, _ := strings.Cut(word, "=")
	switch {
	case exchange.EqualFold(word, "early"):
		d.e.early = true
	case len(key) < len(word) && exchange.EqualFold(key, "env"):
		if d.e.env, d.e.absent = strings.CutPrefix(arg, "!"); d.e.env == "" {
			return errors.New("error: missing environment variable name. envclause should be in the form env=envar ")
		}
	case len(key) < len(word) && exchange.EqualFold(key, "expr"):
		if d.e.cond, err = expr.Compile(arg, d.options()); err != nil {
			return errors.New("Can't parse envclause/expression: " + err.Error())
		}
	default:
		return errors.New("Unknown parameter: " + word)
	}
	return nil
}
