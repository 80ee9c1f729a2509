package cli

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"
)

const (
	// Product is the httpd whose configurations and command line balancerd speaks: scripts ask for
	// "Apache/2.4.N (…)".
	Product = "Apache/2.4.71 (Unix)"
	// Release is balancerd's own version.
	Release = "0.1.0"
	// magic is the module API of that httpd; tools print it.
	magic = "20120211:142"
)

// Built is when this program was made: the commit's time when it is known, else the file's ("2006-01-02T15:04:05").
func Built() string {
	const layout = "2006-01-02T15:04:05"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if t, err := time.Parse(time.RFC3339, s.Value); err == nil && s.Key == "vcs.time" {
				return t.Format(layout)
			}
		}
	}
	if name, err := os.Executable(); err == nil {
		if st, err := os.Stat(name); err == nil {
			return st.ModTime().UTC().Format(layout)
		}
	}
	return "unknown"
}

// PrintVersion is -v.
func PrintVersion(w io.Writer) {
	fmt.Fprintf(w, "Server version: %s\nServer built:   %s\n", Product, Built())
}

// PrintOwnVersion is --version: which balancerd this is.
func PrintOwnVersion(w io.Writer) {
	fmt.Fprintf(w, "balancerd %s\n", Release)
	printOrigin(w)
}

// printOrigin is the commit that this program was made of, and Go's version.
func printOrigin(w io.Writer) {
	commit, changed := "unknown", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				commit = s.Value
			case s.Key == "vcs.modified" && s.Value == "true":
				changed = ", changed since"
			}
		}
	}
	fmt.Fprintf(w, "commit %s%s\n%s %s/%s\n", commit, changed, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// PrintSettings is -V: what tools look for stands where they look for it. loaded: a configuration was read.
func PrintSettings(w io.Writer, l Layout, loaded bool) {
	PrintVersion(w)
	fmt.Fprintf(w, "Server's Module Magic Number: %s\n", magic)
	for _, head := range []string{"Server loaded: ", "Compiled using:"} {
		fmt.Fprintf(w, "%s balancerd %s, %s\n", head, Release, runtime.Version())
	}
	fmt.Fprintf(w, "Architecture:   %d-bit\n", strconv.IntSize)
	if loaded {
		io.WriteString(w, "Server MPM:     event\n  threaded:     yes (fixed thread count)\n    forked:     yes (variable process count)\n")
	} else {
		io.WriteString(w, "Server MPM:     \n")
	}
	io.WriteString(w, "Server compiled with....\n -D APR_HAVE_IPV6 (IPv4-mapped addresses enabled)\n -D AP_HAVE_RELIABLE_PIPED_LOGS\n")
	for _, d := range []struct{ name, value string }{
		{"HTTPD_ROOT", l.Root}, {"DEFAULT_PIDLOG", l.Pid}, {"DEFAULT_SCOREBOARD", l.Score}, {"DEFAULT_ERRORLOG", l.Errors},
		{"AP_TYPES_CONFIG_FILE", l.Types}, {"SERVER_CONFIG_FILE", l.Config},
	} {
		fmt.Fprintf(w, " -D %s=%q\n", d.name, d.value)
	}
}
