package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"balancerd/apacheconf"
	"balancerd/proxy/exchange"
	"balancerd/proxy/log/sink"
	"balancerd/proxy/server"
	"balancerd/proxy/site"
)

// Failure is why a configuration is not put in force, as a start prints it. One process of the server sends it
// to another as JSON.
type Failure struct {
	Noticed []site.Notice `json:",omitempty"` // what came before
	Hints   []string      `json:",omitempty"` // lines
	Words   string        // lines, with httpd's own words
	After   string        `json:",omitempty"` // the line after them; "" for none
	Hint    string        `json:",omitempty"` // our line after that
}

// Error makes a failure an error: a configuration that is not put in force, in the words of another process.
func (f *Failure) Error() string { return f.Words }

// Refuse prints why nothing will be served. It returns the exit status.
func (c *Command) Refuse(f *Failure) int {
	c.Report(f.Noticed, f.Hints)
	fmt.Fprintln(c.Errs, f.Words)
	if f.After != "" {
		fmt.Fprintln(c.Errs, f.After)
	}
	if f.Hint != "" {
		fmt.Fprintln(c.Errs, f.Hint)
	}
	if c.Settings {
		PrintSettings(c.Out, c.Layout, false)
	}
	for _, hint := range []string{c.envHint(), c.folderHint()} {
		if hint != "" {
			fmt.Fprintln(c.Errs, "hint: "+hint)
		}
	}
	return 1
}

// Words is an error as httpd says it.
func (c *Command) Words(err error) string {
	var e *apacheconf.Error
	if errors.As(err, &e) {
		return e.Text(c.Name)
	}
	return err.Error()
}

// ErrnoOf is the operating system's part of a startup message: "(2)No such file or directory".
func ErrnoOf(err error) string {
	if text := exchange.ErrnoText(err); text != "" {
		return text
	}
	return err.Error()
}

// AfterCheck is the line after an error of the check; "" after an error of the reading or of a directive.
func AfterCheck(err error) string {
	if inText(err) {
		return ""
	}
	return "AH00014: Configuration check failed"
}

// configurationFailed is the line after most errors of a start.
const configurationFailed = "AH00016: Configuration Failed"

// AfterStart is the line after an error of a start (httpd: main.c); "" for none.
func AfterStart(err error) string {
	var log *sink.OpenError
	var socket *server.ListenError
	switch {
	case inText(err):
		return ""
	case errors.As(err, &log), errors.As(err, &socket):
		return "AH00015: Unable to open logs"
	case strings.HasSuffix(err.Error(), configurationFailed): // mod_ssl has said so
		return ""
	}
	return configurationFailed
}

// inText reports whether an error is one of the configuration's text.
func inText(err error) bool {
	var e *apacheconf.Error
	var f *apacheconf.Fatal
	return errors.As(err, &e) || errors.As(err, &f)
}

// folderHint tells who means a file of the current folder that -f counts from ServerRoot; "" for nobody.
func (c *Command) folderHint() string {
	name := c.Config
	if name == "" || filepath.IsAbs(name) {
		return ""
	}
	if _, err := os.Stat(c.File); err == nil {
		return ""
	}
	here, err := filepath.Abs(name)
	if err != nil {
		return ""
	}
	if _, err := os.Stat(here); err != nil {
		return ""
	}
	return "a relative -f counts from ServerRoot " + c.ServerRoot + ": -f " + here + " is the file that is here"
}

// envHint tells people on Debian what their configuration lacks when it is read without apachectl; "" for nothing.
func (c *Command) envHint() string {
	envvars := filepath.Join(filepath.Dir(c.File), "envvars")
	if _, missing := os.Stat(envvars); missing != nil || os.Getenv("APACHE_RUN_DIR") != "" {
		return ""
	}
	if text, err := os.ReadFile(c.File); err != nil || !strings.Contains(string(text), "${APACHE_RUN_DIR}") {
		return ""
	}
	return "${APACHE_RUN_DIR} is not defined: " + envvars + " sets it; call apachectl, or \". " + envvars + "\" first, or start this program under the name balancerd"
}

// Notices are the warnings of the reading and of the directives as notices.
func Notices(list []apacheconf.Warning) (out []site.Notice) {
	for _, w := range list {
		level, _ := exchange.ParseLevel(w.Level)
		out = append(out, site.Notice{Module: w.Module, Level: level, Message: w.Msg})
	}
	return out
}
