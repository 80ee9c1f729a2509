package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"balancerd/cmd/balancerd/cli"
	"balancerd/cmd/balancerd/demo"
	"balancerd/cmd/balancerd/process"
)

func main() { os.Exit(run(os.Args, os.Stdout, os.Stderr)) }

// run is main, with the status to exit with.
func run(argv []string, out, errs io.Writer) int {
	if !cli.SpeaksHTTPD(argv[0]) && len(argv) > 1 {
		switch first := argv[1]; {
		case first == "--help":
			cli.Help(out)
			return 0
		case first == "--version":
			cli.PrintOwnVersion(out)
			return 0
		case first != "" && first[0] != '-':
			return cli.Subcommand(argv, out, errs, func() int { return demo.Run(argv[0], out, errs, assemble) })
		}
	}
	o, err := cli.Parse(argv)
	var m *cli.Mistake
	switch {
	case errors.As(err, &m):
		if m.Sentence != "" {
			fmt.Fprintln(errs, m.Sentence)
		}
		cli.Usage(errs, o.Argv0)
		return 1
	case o.Version && (!o.Test || cli.SpeaksHTTPD(o.Argv0)):
		cli.PrintVersion(out)
		return 0
	case o.ListModules:
		cli.PrintModules(out)
		return 0
	}
	return start(cli.NewCommand(o, out, errs))
}

// start does what the command line asks for, or what the role of this process is.
func start(c *cli.Command) int {
	if exit := c.RedirectErrors(); exit != 0 {
		return exit
	}
	if exit, has := process.Run(c, assemble); has {
		return exit
	}
	launcher := process.OwnLauncher()
	if launcher.Background() {
		return process.Supervise(c, assemble, launcher, nil)
	}
	if !cli.SpeaksHTTPD(c.Argv0) {
		cli.Apachectl(c.File)
	}
	if c.Dump || c.Test || process.SignalsServer(c.Verb) {
		if start, exit := newLoader(c).check(); !start {
			return exit
		}
	}
	if c.Foreground() {
		return process.Supervise(c, assemble, process.Launcher{}, nil)
	}
	return process.Detach(c.Options)
}
