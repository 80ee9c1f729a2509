package cli

import (
	"path/filepath"
	"slices"
	"strings"

	"balancerd/proxy/exchange"
)

// Options are httpd's command line (httpd: main.c, mpm_unix.c ap_mpm_rewrite_args).
type Options struct {
	Argv0     string         // the program as it was called
	Name      string         // the last part of Argv0: the name in messages
	Args      []string       // all words after Argv0
	Config    string         // -f; "" for the compiled default
	Root      string         // -d; "" for the compiled default
	Defines   []string       // -D
	Before    []string       // -C
	After     []string       // -c
	Verb      string         // -k; "" for none
	Level     exchange.Level // -e
	ErrorFile string         // -E; "" for none
	Rendered  []string       // the command line as the log shows it

	Test, Dump, Version, Settings bool // -t, any dump, -v, -V
	ListModules, ListDirectives   bool // -l, -L
	SkipDocumentRoot              bool // -T
	Debug                         bool // -X
}

// letters are the options; a colon asks for an argument.
const letters = "k:C:c:D:d:E:e:f:vVlLtTSMh?X"

// verbs are what -k takes.
var verbs = []string{"start", "stop", "restart", "graceful", "graceful-stop"}

// dumps are the names that turn a start into a printed answer.
var dumps = []string{"DUMP_VHOSTS", "DUMP_RUN_CFG", "DUMP_MODULES", "DUMP_INCLUDES"}

// Mistake is a command line that ends in the usage text, after a sentence if there is one.
type Mistake struct{ Sentence string }

func (m *Mistake) Error() string { return m.Sentence }

// Parse reads the command line as getopt does: flags may be glued to their argument and to
// each other, and the first word that is no option is a mistake. Behind -v and -l, which httpd answers as soon
// as it meets them, only -k can be one. The error is a *Mistake.
func Parse(argv []string) (*Options, error) {
	o, err := parse(argv)
	if err != nil && (o.Version || o.ListModules) && err.Error() != o.badVerb().Error() {
		return o, nil
	}
	return o, err
}

func parse(argv []string) (*Options, error) {
	o := &Options{Argv0: argv[0], Name: filepath.Base(argv[0]), Args: argv[1:], Level: exchange.Warn}
	o.Rendered = []string{argv[0]}
	words := argv[1:]
	for len(words) > 0 {
		w := words[0]
		if w == "--" {
			words = words[1:]
			break
		}
		if len(w) < 2 || w[0] != '-' || w[1] == '-' {
			break
		}
		used, err := o.cluster(w[1:], words[1:])
		if err != nil {
			return o, err
		}
		words = words[1+used:]
	}
	if len(words) > 0 {
		return o, &Mistake{}
	}
	return o, nil
}

// cluster reads the letters of one word; used is how many of the words that follow were arguments.
func (o *Options) cluster(word string, next []string) (used int, err error) {
	for ; word != ""; word = word[1:] {
		c := word[0]
		i := strings.IndexByte(letters, c)
		if i < 0 || c == ':' {
			return 0, &Mistake{o.Name + ": illegal option -- " + word[:1]}
		}
		if i+1 == len(letters) || letters[i+1] != ':' {
			if err := o.set(c, ""); err != nil {
				return 0, err
			}
			continue
		}
		arg := word[1:]
		if arg == "" {
			if len(next) == 0 {
				return 0, o.missing(c)
			}
			arg, used = next[0], 1
		}
		return used, o.set(c, arg)
	}
	return 0, nil
}

func (o *Options) missing(c byte) error {
	if c == 'k' {
		return o.badVerb()
	}
	return &Mistake{o.Name + ": option requires an argument -- " + string(c)}
}

func (o *Options) badVerb() error { return &Mistake{o.Name + ": illegal option -- k"} }

// set takes one option. What the log will show as the command line is put together on the way,
// without -k and one word each (httpd: log.c ap_log_command_line).
func (o *Options) set(c byte, arg string) error {
	if c == 'k' {
		if o.Verb != "" || !slices.Contains(verbs, arg) {
			return o.badVerb()
		}
		o.Verb = arg
		return nil
	}
	o.Rendered = append(o.Rendered, "-"+string(c))
	if arg != "" {
		o.Rendered = append(o.Rendered, arg)
	}
	switch c {
	case 'c':
		o.After = append(o.After, arg)
	case 'C':
		o.Before = append(o.Before, arg)
	case 'd':
		o.Root = arg
	case 'D':
		o.define(arg)
	case 'e':
		level, ok := exchange.ParseLevel(arg)
		if !ok {
			return &Mistake{}
		}
		o.Level = level
	case 'E':
		o.ErrorFile = arg
	case 'f':
		o.Config = arg
	case 'h', '?':
		return &Mistake{}
	default:
		o.flag(c)
	}
	return nil
}

func (o *Options) flag(c byte) {
	switch c {
	case 'l':
		o.ListModules = !o.Version // the first one of both is answered
	case 'L':
		o.ListDirectives, o.Dump = true, true
	case 'M':
		o.define("DUMP_MODULES")
	case 'S':
		o.define("DUMP_VHOSTS")
		o.define("DUMP_RUN_CFG")
	case 't':
		o.Test = true
	case 'T':
		o.SkipDocumentRoot = true
	case 'v':
		o.Version = !o.ListModules
	case 'V':
		o.Settings, o.Dump = true, true
	case 'X':
		o.Debug = true
		o.define("DEBUG")
	}
}

func (o *Options) define(name string) {
	o.Defines = append(o.Defines, name)
	o.Dump = o.Dump || slices.Contains(dumps, name)
}

// Defined reports whether -D name was given, or an option that stands for it.
func (o *Options) Defined(name string) bool { return slices.Contains(o.Defines, name) }

// Foreground reports whether the process that was called stays the main process of the server.
func (o *Options) Foreground() bool {
	return o.Debug || o.Defined("FOREGROUND") || o.Defined("NO_DETACH") || o.Defined("ONE_PROCESS")
}

// OneProcess reports whether the server is one process, for debugging; the pid file stays behind then.
func (o *Options) OneProcess() bool { return o.Debug || o.Defined("ONE_PROCESS") }

// SpeaksHTTPD reports whether a program of this name takes httpd's command line alone.
func SpeaksHTTPD(argv0 string) bool {
	name := filepath.Base(argv0)
	return name == "httpd" || name == "apache2"
}
