package cli

import (
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"
)

// Subcommand runs what a first word without a dash names; demo is the one that is not here. It returns the exit
// status.
func Subcommand(argv []string, out, errs io.Writer, demo func() int) int {
	exit := 0
	root := &cobra.Command{Use: filepath.Base(argv[0]), SilenceErrors: true, SilenceUsage: true}
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetOut(out)
	root.SetErr(errs)
	root.SetHelpFunc(func(c *cobra.Command, _ []string) {
		if c == root {
			Help(out)
			return
		}
		fmt.Fprintf(out, "%s\n\n%s", c.Long, c.UsageString())
	})
	root.AddCommand(&cobra.Command{
		Use: "demo", Short: "a balancer with three members, to look at", Args: cobra.NoArgs,
		Long: "Runs three small members and a balancer in front of them, on this computer alone, until it is interrupted.",
		Run:  func(*cobra.Command, []string) { exit = demo() },
	}, &cobra.Command{
		Use: "version", Short: "what this program is", Args: cobra.NoArgs,
		Long: "Prints this program's version, and the httpd whose configurations and command line it speaks.",
		Run: func(*cobra.Command, []string) {
			fmt.Fprintf(out, "balancerd %s, built %s; speaks for %s\n", Release, Built(), Product)
			printOrigin(out)
		},
	})
	root.SetArgs(argv[1:])
	if err := root.Execute(); err != nil {
		fmt.Fprintf(errs, "hint: %v; there are demo, version and help, and httpd's options begin with a dash\n", err)
		Usage(errs, argv[0])
		return 1
	}
	return exit
}
