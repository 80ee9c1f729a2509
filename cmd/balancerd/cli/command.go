package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"balancerd/proxy/exchange"
	"balancerd/proxy/log/errorlog"
	"balancerd/proxy/site"
)

// Command is a call of the program: its options, what it reads, and where it prints. Owned by the main goroutine
// of a process; a part of the same process (-X) has a copy.
type Command struct {
	*Options
	Layout     Layout
	ServerRoot string // the first one, absolute
	File       string // the configuration, absolute
	Alone      bool   // the server is this process alone: -X, or the demonstration
	Out, Errs  io.Writer
}

// NewCommand is the call with options that prints on out and errs.
func NewCommand(o *Options, out, errs io.Writer) *Command {
	c := &Command{Options: o, Layout: SystemLayout(), Alone: o.OneProcess(), Out: out, Errs: errs}
	c.ServerRoot, c.File = o.Files(c.Layout)
	return c
}

// RedirectErrors is -E: what a start has to say goes to a file. It returns the exit status, 0 for success.
func (c *Command) RedirectErrors() int {
	if c.ErrorFile == "" {
		return 0
	}
	name := c.ErrorFile
	if !filepath.IsAbs(name) {
		name = filepath.Join(c.ServerRoot, name)
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o666)
	if err != nil {
		fmt.Fprintf(c.Errs, "%s: AH00086: %s: could not open error log file %s.\n", ErrnoOf(err), c.Name, c.ErrorFile)
		return 1
	}
	c.Errs = f
	return 0
}

// Notice prints a line of the start on stderr if -e lets it pass. Without a module it stands alone
// (httpd: APLOG_STARTUP); else it looks as in the error log.
func (c *Command) Notice(module string, level exchange.Level, message string) {
	switch {
	case level > c.Level && level != exchange.Notice:
	case module == "":
		fmt.Fprintln(c.Errs, message)
	default:
		errorlog.Console(c.Errs).Write(&exchange.LogEntry{Time: time.Now(), Module: module, Level: level, Message: message})
	}
}

// Report prints what was noticed, and hints.
func (c *Command) Report(noticed []site.Notice, hints []string) {
	for _, n := range noticed {
		c.Notice(n.Module, n.Level, n.Message)
	}
	for _, line := range hints {
		fmt.Fprintln(c.Errs, line)
	}
}

// Complain prints an error that is not the configuration's on the process's stderr. It returns the exit status.
func Complain(name string, err error) int {
	fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
	return 1
}
