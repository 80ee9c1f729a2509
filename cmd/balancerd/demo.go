package main

import (
	_ "embed"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

// quickstart is testdata/quickstart/httpd.conf.
//
//go:embed quickstart.conf
var quickstart string

// subcommand runs what a first word without a dash names.
func subcommand(argv []string, out, errs io.Writer) int {
	exit := 0
	root := &cobra.Command{Use: filepath.Base(argv[0]), SilenceErrors: true, SilenceUsage: true}
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetOut(out)
	root.SetErr(errs)
	root.SetHelpFunc(func(c *cobra.Command, _ []string) {
		if c == root {
			printHelp(out)
			return
		}
		fmt.Fprintf(out, "%s\n\n%s", c.Long, c.UsageString())
	})
	root.AddCommand(demoCommand(argv[0], out, errs, &exit), versionCommand(out))
	root.SetArgs(argv[1:])
	if err := root.Execute(); err != nil {
		fmt.Fprintf(errs, "hint: %v; there are demo, version and help, and httpd's options begin with a dash\n", err)
		usage(errs, argv[0])
		return 1
	}
	return exit
}

func versionCommand(out io.Writer) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "what this program is", Args: cobra.NoArgs,
		Long: "Prints this program's version, and the httpd whose configurations and command line it speaks.",
		Run: func(*cobra.Command, []string) {
			fmt.Fprintf(out, "balancerd %s, built %s; speaks for %s\n", release, built(), product)
			printOrigin(out)
		},
	}
}

func demoCommand(argv0 string, out, errs io.Writer, exit *int) *cobra.Command {
	return &cobra.Command{
		Use: "demo", Short: "a balancer with three members, to look at", Args: cobra.NoArgs,
		Long: "Runs three small members and a balancer in front of them, on this computer alone, until it is interrupted.",
		Run:  func(*cobra.Command, []string) { *exit = demo(argv0, out, errs) },
	}
}

// demo serves the quickstart configuration with three members of its own.
func demo(argv0 string, out, errs io.Writer) int {
	dir, err := os.MkdirTemp("", "balancerd-demo-")
	if err != nil {
		return complain(filepath.Base(argv0), err)
	}
	defer os.RemoveAll(dir)
	text, front, err := demoMembersFor(quickstart)
	if err == nil {
		err = os.Mkdir(filepath.Join(dir, "logs"), 0o755)
	}
	file := filepath.Join(dir, "httpd.conf")
	if err == nil {
		err = os.WriteFile(file, []byte(text), 0o644)
	}
	if err != nil {
		return complain(filepath.Base(argv0), err)
	}
	o, err := parseOptions([]string{argv0, "-d", dir, "-f", file, "-D", "FOREGROUND"})
	if err != nil {
		return complain(filepath.Base(argv0), err)
	}
	p := newProgram(o, out, errs)
	p.started = func() { fmt.Fprintf(out, demoText, front, front, front, file) }
	p.alone = true
	return p.supervise(launcher{})
}

const demoText = `balancerd demo: a balancer and three members

  http://%s/                   who answers, and how requests spread
  http://%s/balancer-manager   take a member out, change its share
  http://%s/server-status      what the server is doing

The configuration is %s. Interrupt with Ctrl-C to end.
`

// demoMembersFor starts a member for each address that the text names, and moves those addresses, and
// the balancer's own, to free ports where they are taken.
func demoMembersFor(text string) (moved, front string, err error) {
	m := newDemoMembers("one", "two", "three")
	var pairs []string
	for i := range m.all {
		usual := "127.0.0.1:" + strconv.Itoa(9001+i)
		l, err := listenNear(usual)
		if err != nil {
			return "", "", err
		}
		m.serve(i, l)
		pairs = append(pairs, usual, l.Addr().String())
	}
	const usual = "127.0.0.1:8080"
	l, err := listenNear(usual)
	if err != nil {
		return "", "", err
	}
	front = l.Addr().String()
	return strings.NewReplacer(append(pairs, usual, front)...).Replace(text), front, l.Close()
}

// tries is how many ports beyond the usual one are tried.
const tries = 50

// listenNear opens an address, or the next free port after it.
func listenNear(address string) (net.Listener, error) {
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return nil, err
	}
	var l net.Listener
	for i := range tries {
		if l, err = net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port+i))); err == nil {
			return l, nil
		}
	}
	return nil, err
}
