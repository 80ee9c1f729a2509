package main

import (
	"reflect"
	"strings"
	"testing"

	"balancerd/proxy/exchange"
)

func TestOptionsAreReadAsGetoptDoes(t *testing.T) {
	for _, c := range []struct {
		args  string // words; "_" is an empty one
		says  string // "" for no mistake, "usage" for the text alone
		check func(o *options) bool
	}{
		{"", "", func(o *options) bool { return !o.test && o.verb == "" && !o.foreground() }},
		{"-f x.conf -DFOREGROUND", "", func(o *options) bool { return o.config == "x.conf" && o.foreground() }},
		{"-fx.conf -d /r -f y", "", func(o *options) bool { return o.config == "y" && o.root == "/r" }},
		{"-tD FOO", "", func(o *options) bool { return o.test && o.defined("FOO") }},
		{"-tDFOO", "", func(o *options) bool { return o.test && o.defined("FOO") && !o.dump }},
		{"-t -D DUMP_VHOSTS", "", func(o *options) bool { return o.test && o.dump }},
		{"-DDUMP_MODULES", "", func(o *options) bool { return o.dump }},
		{"-S", "", func(o *options) bool { return o.dump && o.defined("DUMP_VHOSTS") && o.defined("DUMP_RUN_CFG") }},
		{"-M", "", func(o *options) bool { return o.dump && o.defined("DUMP_MODULES") }},
		{"-X", "", func(o *options) bool { return o.debug && o.defined("DEBUG") && o.foreground() && o.oneProcess() }},
		{"-DNO_DETACH", "", func(o *options) bool { return o.foreground() && !o.oneProcess() }},
		{"-k start", "", func(o *options) bool { return o.verb == "start" }},
		{"-kgraceful-stop -t", "", func(o *options) bool { return o.verb == "graceful-stop" && o.test }},
		{"-C a -c b -C d", "", func(o *options) bool {
			return reflect.DeepEqual(o.before, []string{"a", "d"}) && reflect.DeepEqual(o.after, []string{"b"})
		}},
		{"-e debug", "", func(o *options) bool { return o.level == exchange.Debug }},
		{"-E /x -T -v -V -l -L", "", func(o *options) bool {
			return o.errorFile == "/x" && o.noRootTest && o.version && o.settings && o.modules && o.directives
		}},
		{"--", "", func(o *options) bool { return true }},
		{"-t -- stray", "usage", nil},
		{"stray", "usage", nil},
		{"-t stray -f x", "usage", nil},
		{"-", "usage", nil},
		{"--help", "usage", nil},
		{"-h", "usage", nil},
		{"-?", "usage", nil},
		{"-e nonsense", "usage", nil},
		{"-z", "prog: illegal option -- z", nil},
		{"-t:", "prog: illegal option -- :", nil},
		{"-tz", "prog: illegal option -- z", nil},
		{"-D", "prog: option requires an argument -- D", nil},
		{"-tf", "prog: option requires an argument -- f", nil},
		{"-k", "prog: illegal option -- k", nil},
		{"-k bogus", "prog: illegal option -- k", nil},
		{"-k start -k stop", "prog: illegal option -- k", nil},
	} {
		o, err := parseOptions(append([]string{"/usr/bin/prog"}, strings.Fields(c.args)...))
		switch m, _ := err.(*mistake); {
		case c.says == "" && (err != nil || !c.check(o)):
			t.Errorf("%q: %+v %v", c.args, o, err)
		case c.says == "usage" && (m == nil || m.says != ""), c.says != "" && c.says != "usage" && (m == nil || m.says != c.says):
			t.Errorf("%q: %v, want %q", c.args, err, c.says)
		}
	}
}

func TestCommandLineOfTheLog(t *testing.T) {
	o, err := parseOptions([]string{"/usr/sbin/httpd", "-k", "start", "-DFOREGROUND", "-tf", "/x/run.conf"})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(o.rendered, " "); got != "/usr/sbin/httpd -D FOREGROUND -t -f /x/run.conf" {
		t.Error(got)
	}
}

func TestUsageIsHttpds(t *testing.T) {
	var b strings.Builder
	usage(&b, "/usr/sbin/httpd")
	for _, want := range []string{
		"Usage: /usr/sbin/httpd [-D name] [-d directory] [-f file]\n                       [-C \"directive\"] [-c \"directive\"]\n",
		"\nOptions:\n  -D name            : define a name for use in <IfDefine name> directives\n",
		"  -t -D DUMP_INCLUDES: show all included configuration files\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}
