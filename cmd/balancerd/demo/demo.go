package demo

import (
	_ "embed"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"balancerd/cmd/balancerd/cli"
	"balancerd/cmd/balancerd/process"
)

// quickstart is testdata/quickstart/httpd.conf.
//
//go:embed quickstart.conf
var quickstart string

// Run serves the quickstart configuration with three members of its own, by what assemble makes, until a signal
// ends it. It returns the exit status.
func Run(argv0 string, out, errs io.Writer, assemble process.Assemble) int {
	dir, err := os.MkdirTemp("", "balancerd-demo-")
	if err != nil {
		return cli.Complain(filepath.Base(argv0), err)
	}
	defer os.RemoveAll(dir)
	text, front, err := startMembers(quickstart)
	if err == nil {
		err = os.Mkdir(filepath.Join(dir, "logs"), 0o755)
	}
	file := filepath.Join(dir, "httpd.conf")
	if err == nil {
		err = os.WriteFile(file, []byte(text), 0o644)
	}
	if err != nil {
		return cli.Complain(filepath.Base(argv0), err)
	}
	o, err := cli.Parse([]string{argv0, "-d", dir, "-f", file, "-D", "FOREGROUND"})
	if err != nil {
		return cli.Complain(filepath.Base(argv0), err)
	}
	c := cli.NewCommand(o, out, errs)
	c.Alone = true
	return process.Supervise(c, assemble, process.Launcher{}, func() { fmt.Fprintf(out, addresses, front, front, front, file) })
}

const addresses = `balancerd demo: a balancer and three members

  http://%s/                   who answers, and how requests spread
  http://%s/balancer-manager   take a member out, change its share
  http://%s/server-status      what the server is doing

The configuration is %s. Interrupt with Ctrl-C to end.
`

// startMembers starts a member for each address that the text names, and moves those addresses, and
// the balancer's own, to free ports where they are taken.
func startMembers(text string) (moved, front string, err error) {
	m := newMembers("one", "two", "three")
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
