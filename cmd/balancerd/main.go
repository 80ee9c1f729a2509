package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
	"balancerd/balancer"
	"balancerd/proxy/exchange"
	"balancerd/proxy/logfile"
	"balancerd/proxy/server"
	"balancerd/proxy/site"
)

func main() { os.Exit(run(os.Args, os.Stdout, os.Stderr)) }

// program is this process, whatever its role. Owned by the main goroutine.
type program struct {
	o          *options
	sys        layout
	root, file string // the first ServerRoot and the configuration
	modules    []site.Module
	farm       *balancer.Farm
	server     *server.Server
	own        atomic.Pointer[site.Site] // of the main process: what it obeys of the configuration in force
	pace       pace
	pid        pidFile
	stateDir   string // where balancers' state is kept; "": nowhere
	alone      bool   // there are no other processes: -X, or the demo
	background bool   // stderr is the error log
	started    func() // told once that requests are served; nil is fine
	out, errs  io.Writer
}

// run is main, with what it would exit with.
func run(argv []string, out, errs io.Writer) int {
	if !plain(argv[0]) && len(argv) > 1 {
		switch argv[1] {
		case "--help":
			printHelp(out)
			return 0
		case "--version":
			printOwnVersion(out)
			return 0
		}
		if argv[1] != "" && argv[1][0] != '-' {
			return subcommand(argv, out, errs)
		}
	}
	o, err := parseOptions(argv)
	var m *mistake
	switch {
	case errors.As(err, &m):
		if m.says != "" {
			fmt.Fprintln(errs, m.says)
		}
		usage(errs, o.argv0)
		return 1
	case o.version && (!o.test || plain(o.argv0)):
		printVersion(out)
		return 0
	case o.modules:
		printBuiltins(out)
		return 0
	}
	return newProgram(o, out, errs).run()
}

func newProgram(o *options, out, errs io.Writer) *program {
	p := &program{o: o, sys: systemLayout(), alone: o.oneProcess(), out: out, errs: errs}
	p.root, p.file = o.file(p.sys)
	p.house()
	return p
}

// run does what the command line asks for, or what a role is for.
func (p *program) run() int {
	if p.o.errorFile != "" {
		if exit := p.redirect(); exit != 0 {
			return exit
		}
	}
	if r, l, err := ownRole(); r != mainRole {
		if err != nil {
			return complain(p.o.name, err)
		}
		return p.do(r, l)
	}
	own := ownLauncher()
	if own.background() {
		return p.supervise(own)
	}
	if !plain(p.o.argv0) {
		debian(p.file)
	}
	if p.o.dump || p.o.test || tells[p.o.verb] {
		if start, exit := p.check(); !start {
			return exit
		}
	}
	if p.o.foreground() {
		return p.supervise(launcher{})
	}
	return detachServer(p.o)
}

// redirect is -E: what a start has to say goes to a file.
func (p *program) redirect() int {
	name := p.o.errorFile
	if !filepath.IsAbs(name) {
		name = filepath.Join(p.root, name)
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o666)
	if err != nil {
		fmt.Fprintf(p.errs, "%s: AH00086: %s: could not open error log file %s.\n", errnoOf(err), p.o.name, p.o.errorFile)
		return 1
	}
	p.errs = f
	return 0
}

// failedCheck is the line after an error of the check; the reading's and the walk's have none.
func (p *program) failedCheck(err error) string {
	var e *apacheconf.Error
	var f *apacheconf.Fatal
	if errors.As(err, &e) || errors.As(err, &f) {
		return ""
	}
	return "AH00014: Configuration check failed"
}

// failedStart is the line after an error of a start (httpd: main.c).
func failedStart(err error) string {
	var e *apacheconf.Error
	var f *apacheconf.Fatal
	var log *logfile.OpenError
	var socket *server.ListenError
	switch {
	case errors.As(err, &e), errors.As(err, &f):
		return ""
	case errors.As(err, &log), errors.As(err, &socket):
		return "AH00015: Unable to open logs"
	case strings.HasSuffix(err.Error(), failed): // mod_ssl has said so
		return ""
	}
	return failed
}

const failed = "AH00016: Configuration Failed"

// refuse says why nothing will be served.
func (p *program) refuse(f *failure) int {
	p.tell(f.Noticed, f.Hints)
	fmt.Fprintln(p.errs, f.Words)
	if f.After != "" {
		fmt.Fprintln(p.errs, f.After)
	}
	if f.Hint != "" {
		fmt.Fprintln(p.errs, f.Hint)
	}
	if p.o.settings {
		printSettings(p.out, p.sys, false)
	}
	for _, hint := range []string{p.envHint(), p.folderHint()} {
		if hint != "" {
			fmt.Fprintln(p.errs, "hint: "+hint)
		}
	}
	return 1
}

func (p *program) words(err error) string {
	var e *apacheconf.Error
	if errors.As(err, &e) {
		return e.Text(p.o.name)
	}
	return err.Error()
}

// folderHint tells who means a file of the folder that he is in: -f counts from ServerRoot.
func (p *program) folderHint() string {
	name := p.o.config
	if name == "" || filepath.IsAbs(name) {
		return ""
	}
	if _, err := os.Stat(p.file); err == nil {
		return ""
	}
	here, err := filepath.Abs(name)
	if err != nil {
		return ""
	}
	if _, err := os.Stat(here); err != nil {
		return ""
	}
	return "a relative -f counts from ServerRoot " + p.root + ": -f " + here + " is the file that is here"
}

// envHint tells people on Debian what their configuration lacks when it is read without apachectl.
func (p *program) envHint() string {
	envvars := filepath.Join(filepath.Dir(p.file), "envvars")
	if _, missing := os.Stat(envvars); missing != nil || os.Getenv("APACHE_RUN_DIR") != "" {
		return ""
	}
	if text, err := os.ReadFile(p.file); err != nil || !strings.Contains(string(text), "${APACHE_RUN_DIR}") {
		return ""
	}
	return "${APACHE_RUN_DIR} is not defined: " + envvars + " sets it; call apachectl, or \". " + envvars + "\" first, or start this program under the name balancerd"
}

// tell prints what was noticed, and hints.
func (p *program) tell(noticed []site.Notice, hints []string) {
	for _, n := range noticed {
		p.notice(n.Module, n.Level, n.Message)
	}
	for _, line := range hints {
		fmt.Fprintln(p.errs, line)
	}
}

// noticesOf are warnings of the reading and the walk as notices.
func noticesOf(list []apacheconf.Warning) (out []site.Notice) {
	for _, w := range list {
		level, _ := exchange.ParseLevel(w.Level)
		out = append(out, site.Notice{Module: w.Module, Level: level, Message: w.Msg})
	}
	return out
}

// noted logs what the start printed, but for what stands alone there. httpd reads everything twice, and says
// it twice. told: it was printed.
func (p *program) noted(s *site.Site, a *attempt, told bool) {
	if told && s.Settings.ErrorLogFile == "/dev/stderr" {
		return // it stands there already
	}
	for _, n := range a.noticed {
		if n.Module != "" {
			logTo(s, n.Module, n.Level, n.Message)
		}
	}
	for _, line := range a.hints {
		logTo(s, directive.HintModule, exchange.Warn, line)
	}
}
