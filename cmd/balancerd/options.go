package main

import (
	"path/filepath"
	"slices"
	"strings"

	"balancerd/proxy/exchange"
)

// options are httpd's command line (httpd: main.c, mpm_unix.c ap_mpm_rewrite_args).
type options struct {
	argv0     string // the program as it was called
	name      string // its last part: the name in messages
	args      []string
	config    string // -f; "" for the compiled default
	root      string // -d; "" for the compiled default
	defines   []string
	before    []string // -C
	after     []string // -c
	verb      string   // -k; "" for none
	level     exchange.Level
	errorFile string // -E
	rendered  []string

	test, dump, version, settings   bool // -t, any dump, -v, -V
	modules, directives, noRootTest bool // -l, -L, -T
	debug                           bool // -X
}

// letters are the options; a colon asks for an argument.
const letters = "k:C:c:D:d:E:e:f:vVlLtTSMh?X"

// verbs are what -k takes.
var verbs = []string{"start", "stop", "restart", "graceful", "graceful-stop"}

// dumps are the names that turn a start into a printed answer.
var dumps = []string{"DUMP_VHOSTS", "DUMP_RUN_CFG", "DUMP_MODULES", "DUMP_INCLUDES"}

// mistake is a command line that ends in the usage text, after a sentence of its own if there is one.
type mistake struct{ says string }

func (m *mistake) Error() string { return m.says }

// parseOptions reads the command line as getopt does: flags may be glued to their argument and to
// each other, and the first word that is no option is a mistake.
func parseOptions(argv []string) (*options, error) {
	o := &options{argv0: argv[0], name: filepath.Base(argv[0]), args: argv[1:], level: exchange.Warn}
	o.rendered = []string{argv[0]}
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
		return o, &mistake{}
	}
	return o, nil
}

// cluster reads the letters of one word; used is how many of the words that follow were arguments.
func (o *options) cluster(word string, next []string) (used int, err error) {
	for ; word != ""; word = word[1:] {
		c := word[0]
		i := strings.IndexByte(letters, c)
		if i < 0 || c == ':' {
			return 0, &mistake{o.name + ": illegal option -- " + word[:1]}
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

func (o *options) missing(c byte) error {
	if c == 'k' {
		return o.badVerb()
	}
	return &mistake{o.name + ": option requires an argument -- " + string(c)}
}

func (o *options) badVerb() error { return &mistake{o.name + ": illegal option -- k"} }

// set takes one option. What the log will show as the command line is put together on the way,
// without -k and one word each (httpd: log.c ap_log_command_line).
func (o *options) set(c byte, arg string) error {
	if c == 'k' {
		if o.verb != "" || !slices.Contains(verbs, arg) {
			return o.badVerb()
		}
		o.verb = arg
		return nil
	}
	o.rendered = append(o.rendered, "-"+string(c))
	if arg != "" {
		o.rendered = append(o.rendered, arg)
	}
	switch c {
	case 'c':
		o.after = append(o.after, arg)
	case 'C':
		o.before = append(o.before, arg)
	case 'd':
		o.root = arg
	case 'D':
		o.define(arg)
	case 'e':
		level, ok := exchange.ParseLevel(arg)
		if !ok {
			return &mistake{}
		}
		o.level = level
	case 'E':
		o.errorFile = arg
	case 'f':
		o.config = arg
	case 'h', '?':
		return &mistake{}
	default:
		o.flag(c)
	}
	return nil
}

func (o *options) flag(c byte) {
	switch c {
	case 'l':
		o.modules = true
	case 'L':
		o.directives, o.dump = true, true
	case 'M':
		o.define("DUMP_MODULES")
	case 'S':
		o.define("DUMP_VHOSTS")
		o.define("DUMP_RUN_CFG")
	case 't':
		o.test = true
	case 'T':
		o.noRootTest = true
	case 'v':
		o.version = true
	case 'V':
		o.settings, o.dump = true, true
	case 'X':
		o.debug = true
		o.define("DEBUG")
	}
}

func (o *options) define(name string) {
	o.defines = append(o.defines, name)
	o.dump = o.dump || slices.Contains(dumps, name)
}

func (o *options) defined(name string) bool { return slices.Contains(o.defines, name) }

// foreground tells whether the process that was called is the one that serves.
func (o *options) foreground() bool {
	return o.debug || o.defined("FOREGROUND") || o.defined("NO_DETACH") || o.defined("ONE_PROCESS")
}

// oneProcess is debugging: the pid file stays behind.
func (o *options) oneProcess() bool { return o.debug || o.defined("ONE_PROCESS") }

// plain tells whether the program speaks httpd's command line alone.
func plain(argv0 string) bool {
	name := filepath.Base(argv0)
	return name == "httpd" || name == "apache2"
}
