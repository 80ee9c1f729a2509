package cli

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
		check func(o *Options) bool
	}{
		{"", "", func(o *Options) bool { return !o.Test && o.Verb == "" && !o.Foreground() }},
		{"-f x.conf -DFOREGROUND", "", func(o *Options) bool { return o.Config == "x.conf" && o.Foreground() }},
		{"-fx.conf -d /r -f y", "", func(o *Options) bool { return o.Config == "y" && o.Root == "/r" }},
		{"-tD FOO", "", func(o *Options) bool { return o.Test && o.Defined("FOO") }},
		{"-tDFOO", "", func(o *Options) bool { return o.Test && o.Defined("FOO") && !o.Dump }},
		{"-t -D DUMP_VHOSTS", "", func(o *Options) bool { return o.Test && o.Dump }},
		{"-DDUMP_MODULES", "", func(o *Options) bool { return o.Dump }},
		{"-S", "", func(o *Options) bool { return o.Dump && o.Defined("DUMP_VHOSTS") && o.Defined("DUMP_RUN_CFG") }},
		{"-M", "", func(o *Options) bool { return o.Dump && o.Defined("DUMP_MODULES") }},
		{"-X", "", func(o *Options) bool { return o.Debug && o.Defined("DEBUG") && o.Foreground() && o.OneProcess() }},
		{"-DNO_DETACH", "", func(o *Options) bool { return o.Foreground() && !o.OneProcess() }},
		{"-k start", "", func(o *Options) bool { return o.Verb == "start" }},
		{"-kgraceful-stop -t", "", func(o *Options) bool { return o.Verb == "graceful-stop" && o.Test }},
		{"-C a -c b -C d", "", func(o *Options) bool {
			return reflect.DeepEqual(o.Before, []string{"a", "d"}) && reflect.DeepEqual(o.After, []string{"b"})
		}},
		{"-e debug", "", func(o *Options) bool { return o.Level == exchange.Debug }},
		{"-E /x -T -V -L", "", func(o *Options) bool {
			return o.ErrorFile == "/x" && o.SkipDocumentRoot && o.Settings && o.ListDirectives
		}},
		{"-v stray", "", func(o *Options) bool { return o.Version }},
		{"-v -l -z", "", func(o *Options) bool { return o.Version && !o.ListModules }},
		{"-lv -D", "", func(o *Options) bool { return o.ListModules && !o.Version }},
		{"-v -k bogus", "prog: illegal option -- k", nil},
		{"stray -v", "usage", nil},
		{"-zv", "prog: illegal option -- z", nil},
		{"--", "", func(o *Options) bool { return true }},
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
		o, err := Parse(append([]string{"/usr/bin/prog"}, strings.Fields(c.args)...))
		switch m, _ := err.(*Mistake); {
		case c.says == "" && (err != nil || !c.check(o)):
			t.Errorf("%q: %+v %v", c.args, o, err)
		case c.says == "usage" && (m == nil || m.Sentence != ""), c.says != "" && c.says != "usage" && (m == nil || m.Sentence != c.says):
			t.Errorf("%q: %v, want %q", c.args, err, c.says)
		}
	}
}

func TestCommandLineOfTheLog(t *testing.T) {
	o, err := Parse([]string{"/usr/sbin/httpd", "-k", "start", "-DFOREGROUND", "-tf", "/x/run.conf"})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(o.Rendered, " "); got != "/usr/sbin/httpd -D FOREGROUND -t -f /x/run.conf" {
		t.Error(got)
	}
}

func TestUsageIsHttpds(t *testing.T) {
	var b strings.Builder
	Usage(&b, "/usr/sbin/httpd")
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
