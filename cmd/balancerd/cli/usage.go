package cli

import (
	"fmt"
	"io"
	"strings"
)

// Usage prints httpd's text for -h and for mistakes, with the program's name as it was called.
func Usage(w io.Writer, argv0 string) {
	pad := strings.Repeat(" ", len(argv0))
	fmt.Fprintf(w, "Usage: %s [-D name] [-d directory] [-f file]\n", argv0)
	fmt.Fprintf(w, "       %s [-C \"directive\"] [-c \"directive\"]\n", pad)
	fmt.Fprintf(w, "       %s [-k start|restart|graceful|graceful-stop|stop]\n", pad)
	fmt.Fprintf(w, "       %s [-v] [-V] [-h] [-l] [-L] [-t] [-T] [-S] [-X]\n", pad)
	io.WriteString(w, "Options:\n")
	for _, o := range optionTexts {
		fmt.Fprintf(w, "  %-19s: %s\n", o.option, o.text)
	}
}

var optionTexts = []struct{ option, text string }{
	{"-D name", "define a name for use in <IfDefine name> directives"},
	{"-d directory", "specify an alternate initial ServerRoot"},
	{"-f file", "specify an alternate ServerConfigFile"},
	{`-C "directive"`, "process directive before reading config files"},
	{`-c "directive"`, "process directive after reading config files"},
	{"-e level", "show startup errors of level (see LogLevel)"},
	{"-E file", "log startup errors to file"},
	{"-v", "show version number"},
	{"-V", "show compile settings"},
	{"-h", "list available command line options (this page)"},
	{"-l", "list compiled in modules"},
	{"-L", "list available configuration directives"},
	{"-t -D DUMP_VHOSTS", "show parsed vhost settings"},
	{"-t -D DUMP_RUN_CFG", "show parsed run settings"},
	{"-S", "a synonym for -t -D DUMP_VHOSTS -D DUMP_RUN_CFG"},
	{"-t -D DUMP_MODULES", "show all loaded modules "},
	{"-M", "a synonym for -t -D DUMP_MODULES"},
	{"-t -D DUMP_INCLUDES", "show all included configuration files"},
	{"-t", "run syntax check for config files"},
	{"-T", "start without DocumentRoot(s) check"},
	{"-X", "debug mode (only one worker, do not detach)"},
}

// help is `balancerd --help`: httpd's usage does not explain itself.
const help = `balancerd serves an existing Apache httpd 2.4 configuration: mod_proxy, mod_proxy_balancer and the
modules around them: TLS, HTTP/2, access, rewriting, filters, caching, health checks.

  balancerd -t -f /etc/apache2/apache2.conf     is the configuration one that balancerd can serve?
  balancerd -f httpd.conf -DFOREGROUND          serve, and stay in the foreground
  balancerd -k start                            serve in the background with the system's configuration
  balancerd -k graceful                         read the configuration again; no request is lost
  balancerd -k graceful-stop                    finish what is under way, then end
  balancerd -S                                  which virtual host answers what
  balancerd demo                                three members, a balancer and its manager, to look at

Subcommands (a first word without a dash):
  demo       run three small members and a balancer in front of them; prints the addresses to open
  version    what this program is, and which httpd it speaks for; --version: version, commit, Go's version
  help       this text

httpd's options, as httpd has them:
`

const helpEnd = `
Without -f the system's configuration is read: /etc/apache2/apache2.conf where it exists, else
/etc/httpd/conf/httpd.conf, else /usr/local/apache2/conf/httpd.conf.

Started as balancerd, and only then, the simple lines "export NAME=value" of an envvars file beside
the configuration give the variables that are not set already, as Debian's apachectl does. Installed
or linked as httpd or apache2 the program has httpd's command line alone, and reads no envvars.

Signals: TERM or INT ends at once, WINCH after the requests under way, HUP and USR1 read the
configuration again. A configuration that cannot be served is reported in the error log and to
systemd, and the old one goes on serving.

A line that begins with "hint:" is balancerd's own word on a configuration: directives that have no
effect here, or what will fail later. -t -v tells each of them for itself. What keeps it from starting,
because leaving it out would open what it closes, is an error of -t, too: "Define BALANCERD_WITHOUT_x"
or "-D BALANCERD_WITHOUT_x" goes on without the module x.
`

// Help prints the text of --help.
func Help(w io.Writer) {
	io.WriteString(w, help)
	for _, o := range optionTexts {
		fmt.Fprintf(w, "  %-19s: %s\n", o.option, o.text)
	}
	fmt.Fprintf(w, "  %-19s: %s\n", "-k verb", strings.Join(verbs, ", ")+": start, or signal the server of the pid file")
	io.WriteString(w, helpEnd)
}
