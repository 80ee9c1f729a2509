package accesslog

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/expr"
	"balancerd/proxy/log/sink"
	"balancerd/proxy/site"
)

// usual is the format of a TransferLog without a LogFormat, also known as CLF.
const usual = `%h %l %u %t "%r" %>s %b`

// settings are one server's directives (httpd: mod_log_config.c multi_log_state).
type settings struct {
	formats map[string]string // by nickname
	main    string            // LogFormat without a nickname: what TransferLog uses
	logs    []logged
}

// logged is one CustomLog, GlobalLog or TransferLog.
type logged struct {
	target string
	format string // its text or nickname; "" for TransferLog
	wanted condition
	global bool // GlobalLog: written for virtual hosts with logs of their own, too
	pos    string
}

// condition is the third word of CustomLog; the zero one always holds.
type condition struct {
	env    string
	absent bool // env=!NAME
	expr   *expr.Expr
}

var servers = directive.NewKey[settings]("log_config", func(outer, inner settings) settings { return inner })

// processes has the settings that hold for all servers.
var processes = directive.NewKey[processSettings]("log_config process", func(outer, inner processSettings) processSettings { return inner })

type processSettings struct{ buffered bool }

// tracked is LogIOTrackTTFB.
var tracked = directive.NewKey[directive.Opt[bool]]("logio", func(outer, inner directive.Opt[bool]) directive.Opt[bool] { return inner.Over(outer) })

// Module is mod_log_config.
func Module() site.Module {
	return site.Module{Name: "log_config", Open: open, Reads: []string{"logio"}, PerHost: true, Table: directive.Table{
		{Name: "LogFormat", Set: setFormat, Help: "how a line of the access log is made, and a name for that"},
		{Name: "CustomLog", File: directive.WritesLog, Set: setCustom, Help: "a file or program, a format, and a condition"},
		{Name: "GlobalLog", File: directive.WritesLog, Set: setGlobal, Help: "a CustomLog for all virtual hosts"},
		{Name: "TransferLog", File: directive.WritesLog, Set: setTransfer, Help: "a file or program, in the format of LogFormat"},
		{Name: "BufferedLogs", Set: setBuffered, Help: "write the access logs once a second"},
	}}
}

// IO is mod_logio; the format's letters for bytes are there without it.
func IO() site.Module {
	return site.Module{Name: "logio", Table: directive.Table{
		{Name: "LogIOTrackTTFB", Set: setTracked, Help: "whether %^FB knows the time to the first byte"},
	}}
}

func setTracked(s *directive.Scope, a directive.Args) error {
	tracked.In(s).Set(a.On)
	return nil
}

func setBuffered(s *directive.Scope, a directive.Args) error {
	processes.In(s.Config.Main).buffered = a.On
	return nil
}

func setFormat(s *directive.Scope, a directive.Args) error {
	if _, err := Compile(a.Words[0], optionsOf(s.Config)); err != nil {
		return err
	}
	c := servers.In(s)
	if len(a.Words) == 1 {
		c.main = a.Words[0]
		return nil
	}
	if c.formats == nil {
		c.formats = map[string]string{}
	}
	c.formats[a.Words[1]] = a.Words[0]
	return nil
}

func setTransfer(s *directive.Scope, a directive.Args) error {
	return add(s, logged{target: a.Words[0], pos: place(a)})
}

func setCustom(s *directive.Scope, a directive.Args) error { return custom(s, a, false) }

func setGlobal(s *directive.Scope, a directive.Args) error {
	if err := a.Only(s, directive.Main); err != nil {
		return err
	}
	return custom(s, a, true)
}

func custom(s *directive.Scope, a directive.Args, global bool) error {
	l := logged{target: a.Words[0], format: a.Words[1], global: global, pos: place(a)}
	if len(a.Words) > 2 {
		c, err := parseCondition(a.Words[2])
		if err != nil {
			return err
		}
		l.wanted = c
	}
	if _, err := Compile(l.format, optionsOf(s.Config)); err != nil {
		return err
	}
	return add(s, l)
}

func add(s *directive.Scope, l logged) error {
	c := servers.In(s)
	c.logs = append(c.logs, l)
	return nil
}

func place(a directive.Args) string { return a.Pos.File + ":" + strconv.Itoa(a.Pos.Line) }

func parseCondition(word string) (c condition, err error) {
	if len(word) >= 4 && strings.EqualFold(word[:4], "env=") {
		c.env, c.absent = strings.CutPrefix(word[4:], "!")
		if c.env == "" {
			return c, errors.New("missing environment variable name")
		}
		return c, nil
	}
	if len(word) >= 5 && strings.EqualFold(word[:5], "expr=") {
		if word[5:] == "" {
			return c, errors.New("missing condition")
		}
		c.expr, err = expr.Compile(word[5:], expr.Options{})
		return c, err
	}
	return c, errors.New("error in condition clause")
}

func optionsOf(c *directive.Config) Options {
	return Options{SSL: sslOf(c), Peeks: c.Loaded("mod_reqtimeout.c")}
}

// sslOf makes the pieces for SSL variables, if mod_ssl is there to tell them.
func sslOf(c *directive.Config) SSL {
	if !c.Loaded("mod_ssl.c") {
		return nil
	}
	return func(name string) func(*exchange.Exchange) string {
		s, err := expr.CompileString("%{" + name + "}")
		if err != nil {
			return nil
		}
		return func(x *exchange.Exchange) string {
			text, err := s.Eval(x)
			if err != nil {
				return ""
			}
			return text
		}
	}
}

// open checks that the logs' folders are there, which -t does too, and opens the logs
// (httpd: mod_log_config.c log_check_config, init_config_log).
func open(c *directive.Config, st *site.Site) (site.Builder, error) {
	if err := checkFolders(st); err != nil {
		return nil, err
	}
	if st.Checking {
		return nil, nil
	}
	b := &builder{st: st, writers: map[*site.Host]*writer{}}
	r := reporter{st.Hosts[0].Server}
	set := sink.NewSet(sink.Options{Root: st.Settings.ServerRoot, Delay: delay(c), Report: r.failed, Died: r.died, Open: c.OpenLog})
	st.OnClose(set.Close)
	for _, h := range st.Hosts {
		w, err := b.host(h, set)
		if err != nil {
			return nil, err
		}
		b.writers[h] = w
	}
	return b.build, nil
}

func delay(c *directive.Config) time.Duration {
	if processes.In(c.Main).buffered {
		return time.Second
	}
	return 0
}

func checkFolders(st *site.Site) error {
	var all []string
	for _, h := range st.Hosts {
		for _, l := range servers.Merged(h.Scope).logs {
			if sink.Piped(l.target) {
				continue
			}
			dir := filepath.Dir(st.Config.Tree.Path(l.target))
			if err := st.Config.IsFolder(dir); err != nil {
				all = append(all, fmt.Sprintf("%s: AH02297: Cannot access directory '%s/' for log file '%s' defined at %s",
					exchange.ErrnoText(err), strings.TrimSuffix(dir, "/"), l.target, l.pos))
			}
		}
	}
	if all == nil {
		return nil
	}
	return errors.New(strings.Join(all, "\n"))
}
