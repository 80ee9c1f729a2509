package cli

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
	"balancerd/proxy/log/sink"
	"balancerd/proxy/mod/mpm"
	"balancerd/proxy/site"
)

// PrintDump prints what -V, -L or a DUMP_ name asks for of a site that was built of modules.
func (c *Command) PrintDump(s *site.Site, modules []site.Module) {
	switch {
	case c.Settings:
		PrintSettings(c.Out, c.Layout, true)
		return
	case c.ListDirectives:
		directive.PrintUsage(c.Out, s.Config.Tree.LoadedModules(directive.Catalog{}), helps(modules))
		return
	}
	for _, d := range []struct {
		name  string
		print func(io.Writer, *site.Site)
	}{{"DUMP_INCLUDES", dumpIncludes}, {"DUMP_VHOSTS", dumpHosts}, {"DUMP_RUN_CFG", c.dumpRun}, {"DUMP_MODULES", dumpModules}} {
		if c.Defined(d.name) {
			d.print(c.Out, s)
		}
	}
}

// helps are, by lower-case name, what the modules' tables say of their directives.
func helps(modules []site.Module) map[string]string {
	out := map[string]string{}
	for _, m := range modules {
		for _, e := range m.Table {
			out[strings.ToLower(e.Name)] = e.Help
		}
	}
	return out
}

// PrintModules is -l.
func PrintModules(w io.Writer) {
	io.WriteString(w, "Compiled in modules:\n")
	for _, ident := range (directive.Catalog{}).Builtins() {
		if source, _, ok := (directive.Catalog{}).Source(ident); ok {
			fmt.Fprintf(w, "  %s\n", source)
		}
	}
}

func dumpModules(w io.Writer, s *site.Site) {
	io.WriteString(w, "Loaded Modules:\n")
	for _, ident := range (directive.Catalog{}).Builtins() {
		fmt.Fprintf(w, " %s (static)\n", ident)
	}
	for _, ident := range s.Config.Tree.Loaded {
		if !directive.Builtin(ident) {
			fmt.Fprintf(w, " %s (shared)\n", ident)
		}
	}
}

// dumpIncludes prints the files read, each below the one that includes it.
func dumpIncludes(w io.Writer, s *site.Site) {
	io.WriteString(w, "Included configuration files:\n")
	for _, i := range s.Config.Tree.Includes {
		line := "*"
		if i.Depth > 0 {
			line = strconv.Itoa(i.Line)
		}
		fmt.Fprintf(w, "%*s(%s) %s\n", 2+2*i.Depth, "", line, i.File)
	}
}

// dumpHosts prints the virtual hosts by address (httpd: vhost.c dump_vhost_config).
func dumpHosts(w io.Writer, s *site.Site) {
	io.WriteString(w, "VirtualHost configuration:\n")
	for _, g := range s.Groups() {
		first := g.Hosts[0].Server
		if len(g.Hosts) == 1 {
			fmt.Fprintf(w, "%-22s %s (%s)\n", g.Address.String(), first.Name, first.DefinedAt)
			continue
		}
		fmt.Fprintf(w, "%-22s is a NameVirtualHost\n%8s default server %s (%s)\n", g.Address.String(), "", first.Name, first.DefinedAt)
		for _, h := range g.Hosts {
			dumpHost(w, h, g.Address.PortText())
		}
	}
}

func dumpHost(w io.Writer, h *site.Host, port string) {
	fmt.Fprintf(w, "%8s port %s namevhost %s (%s)\n", "", port, h.Server.Name, h.Server.DefinedAt)
	for _, kind := range []string{"alias", "wild alias"} {
		for _, a := range h.Aliases {
			if strings.ContainsAny(a, "*?") == (kind == "wild alias") {
				fmt.Fprintf(w, "%16s %s %s\n", "", kind, a)
			}
		}
	}
}

// dumpRun prints what the process would run with (httpd: core.c core_dump_config, mod_unixd.c).
func (c *Command) dumpRun(w io.Writer, s *site.Site) {
	t, g := s.Config.Tree, &s.Settings
	errors := g.ErrorLogFile
	if !sink.Piped(errors) && !sink.IsSyslog(errors) {
		errors = t.Path(errors)
	}
	files := g.MainDocumentRoot
	if files == "" {
		files = c.Layout.Files
	}
	fmt.Fprintf(w, "ServerRoot: \"%s\"\nMain DocumentRoot: \"%s\"\nMain ErrorLog: \"%s\"\nPidFile: \"%s\"\n",
		g.ServerRoot, files, errors, g.PidFile)
	for _, d := range t.Defines {
		fmt.Fprintln(w, defineText(d))
	}
	unused := ""
	if os.Geteuid() != 0 {
		unused = " not_used"
	}
	fmt.Fprintf(w, "User: name=\"%s\" id=%s%s\n", orNobody(g.User), number(g.User, mpm.UserID), unused)
	fmt.Fprintf(w, "Group: name=\"%s\" id=%s%s\n", orNobody(g.Group), number(g.Group, mpm.GroupID), unused)
}

func defineText(d apacheconf.Define) string {
	if d.HasValue {
		return "Define: " + d.Name + "=" + d.Value
	}
	return "Define: " + d.Name
}

// nobody is the User and Group of a file that names none.
const nobody = "#-1"

func orNobody(name string) string {
	if name == "" {
		return nobody
	}
	return name
}

// number is a user's or group's id as an unsigned number.
func number(name string, id func(string) (int, error)) string {
	n, err := id(orNobody(name))
	if err != nil {
		return "unknown"
	}
	return strconv.FormatUint(uint64(uint32(n)), 10)
}
