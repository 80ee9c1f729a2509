package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// options are the command line.
type options struct {
	cases, peers  []string
	also          []string // name=program: further builds of balancerd
	rounds, port  int
	seconds       float64
	out           string
	profile       string // write a CPU profile there instead
	add           bool   // samples of cases that are not measured now stay
	report        bool   // measure nothing
	backend, root string
	idle          int
}

func main() {
	runtime.LockOSThread() // children are told to end with the thread that started them
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	err := command().ExecuteContext(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func command() *cobra.Command {
	o := &options{}
	c := &cobra.Command{
		Use: "bench", Short: "Measure balancerd beside nginx, haproxy and httpd.", Long: long(), Args: cobra.NoArgs,
		SilenceErrors: true, SilenceUsage: true, CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		RunE: func(c *cobra.Command, _ []string) error { return bench(c.Context(), o) },
	}
	f := c.Flags()
	f.StringSliceVar(&o.cases, "cases", nil, "cases to measure, by letter or name (all)")
	f.StringSliceVar(&o.peers, "peers", []string{"nginx", "haproxy", "httpd"}, "servers beside balancerd")
	f.StringArrayVar(&o.also, "also", nil, "`NAME=PROGRAM`: another build of balancerd to measure; may be given more than once")
	f.IntVar(&o.rounds, "rounds", 5, "rounds; the median counts")
	f.Float64Var(&o.seconds, "seconds", 3, "of load for each server, case and round")
	f.StringVar(&o.out, "out", "", "folder of samples.tsv, table.md and chart.svg (testdata/bench)")
	f.BoolVar(&o.add, "add", false, "keep the samples there of cases that are not measured now")
	f.StringVar(&o.profile, "profile", "", "measure nothing, but write a CPU profile of balancerd under the cases' load to `FILE`; go build takes advice from cmd/balancerd/default.pgo")
	f.BoolVar(&o.report, "report", false, "measure nothing, make table and chart of the samples there")
	f.StringVar(&o.backend, "backend", "auto", "what answers behind the servers: nginx, go, or auto")
	f.IntVar(&o.idle, "idle", 5000, "clients of the memory case")
	f.IntVar(&o.port, "port", 19300, "first of about sixty ports")
	c.AddCommand(&cobra.Command{Use: "backend PORT...", Hidden: true, Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, ports []string) error { return serveBackend(ports) }})
	c.AddCommand(&cobra.Command{Use: "member PROTOCOL=PLACE...", Hidden: true, Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, places []string) error { return serveMember(c.Context(), places) }})
	return c
}

func long() string {
	var b strings.Builder
	b.WriteString("Measures balancerd, built from this checkout, beside the servers that are installed, and writes\n" +
		"samples.tsv, table.md and chart.svg. Needs wrk. Cases:\n\n")
	for _, c := range cases {
		fmt.Fprintf(&b, "  %-8s %s\n", c.name, c.title)
	}
	b.WriteString("\nExample: go run ./testdata/bench --cases a,d --rounds 1 --seconds 1 --peers nginx --out /tmp/bench")
	return b.String()
}

// bench measures and reports. What was measured before an interrupt is reported, too.
func bench(ctx context.Context, o *options) error {
	if err := o.places(); err != nil {
		return err
	}
	chosen, err := choose(o.cases)
	if err != nil {
		return err
	}
	if o.profile != "" {
		return profile(ctx, o, chosen)
	}
	s, err := readSamples(filepath.Join(o.out, "samples.tsv"), o.add || o.report, chosen, o.report)
	if err != nil {
		return err
	}
	if !o.report {
		err = measure(ctx, o, chosen, s)
	}
	if len(s.list) == 0 {
		return err
	}
	if rerr := report(o.out, s); err == nil {
		err = rerr
	}
	if err == nil && o.out == filepath.Join(o.root, kept) {
		err = updateReadme(o.root, s)
	}
	return err
}

// kept is the folder of the run that the README tells of.
const kept = "testdata/bench"

// places finds the checkout and makes the folder of the results.
func (o *options) places() (err error) {
	if o.root, err = checkout(); err != nil {
		return err
	}
	if o.out == "" {
		o.out = filepath.Join(o.root, kept)
	}
	return os.MkdirAll(o.out, 0o755)
}

// checkout is the folder with go.mod, from here upwards.
func checkout() (string, error) {
	dir, err := os.Getwd()
	for ; err == nil; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("run this in balancerd's checkout")
		}
	}
	return "", err
}
