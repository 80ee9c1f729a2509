package accesslog

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/poison"
	"balancerd/proxy/site"
)

// load builds a site with a core of its own, and opens this module in it.
func load(t *testing.T, dir, conf string, o site.Options) (*site.Site, site.Builder, error) {
	t.Helper()
	tree, err := apacheconf.ParseText(filepath.Join(dir, "httpd.conf"), conf, apacheconf.Options{ServerRoot: dir, Modules: directive.Catalog{}})
	if err != nil {
		t.Fatal(err)
	}
	c, err := directive.Bind(tree, directive.Options{}, site.Tables([]site.Module{IO(), Module()})...)
	if err != nil {
		return nil, nil, err
	}
	core := site.Module{Name: "core", Open: func(_ *directive.Config, s *site.Site) (site.Builder, error) {
		s.Settings.ServerRoot = dir
		for i, h := range s.Hosts {
			h.Server.Name = fmt.Sprintf("h%d", i)
		}
		return func(_ []*directive.Scope, p *site.Plan) error { p.Local = &exchange.Local{}; return nil }, nil
	}}
	s, err := site.Build(c, []site.Module{core}, o)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Module().Open(c, s)
	return s, b, err
}

// written has each host log one exchange, and is the files that came of it.
func written(t *testing.T, conf string) map[string]string {
	t.Helper()
	dir := t.TempDir()
	s, build, err := load(t, dir, conf, site.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i, h := range s.Hosts {
		x := sample()
		x.Server, x.Req.Path = h.Server, fmt.Sprintf("/%d", i)
		chain := []*directive.Scope{s.Config.Main, h.Scope}
		p := &site.Plan{}
		if err := build(chain[:min(i+1, 2)], p); err != nil {
			t.Fatal(err)
		}
		for _, l := range p.Steps(site.Log) {
			l.Do(context.Background(), x)
		}
	}
	s.Close()
	out := map[string]string{}
	files, _ := filepath.Glob(dir + "/*.log")
	for _, f := range files {
		b, _ := os.ReadFile(f)
		out[filepath.Base(f)] = strings.ReplaceAll(strings.TrimSuffix(string(b), "\n"), "\n", ";")
	}
	return out
}

func same(t *testing.T, got, want map[string]string) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// As recorded from httpd 2.4.71.
func TestWhichLogsAServerWrites(t *testing.T) {
	same(t, written(t, `
LogFormat "main %U" nick
LogFormat "maindef %U"
CustomLog shared.log shared
LogFormat "mainshared %U" shared
TransferLog tmain.log
GlobalLog global.log "global %U"
<VirtualHost *:1>
LogFormat "vhost %U" nick
LogFormat "vhostdef %U"
CustomLog a.log nick
TransferLog ta.log
</VirtualHost>
<VirtualHost *:2>
LogFormat "bdef %U"
LogFormat "bshared %U" shared
</VirtualHost>
<VirtualHost *:3>
LogFormat nick
TransferLog c.log
CustomLog c2.log nosuchnick
</VirtualHost>
`), map[string]string{
		"shared.log": "mainshared /0;bshared /2", "tmain.log": "maindef /0;bdef /2", "global.log": "global /0;global /1;global /2;global /3",
		"a.log": "vhost /1", "ta.log": "vhostdef /1", "c.log": "main /3", "c2.log": "nosuchnick",
	})
}

func TestUsualFormat(t *testing.T) {
	got := written(t, "TransferLog a.log\nCustomLog b.log CLF\n")
	if want := `192.0.2.1 - - [21/Nov/2026:05:07:55 +0000] "GET /a%20b?q=1 HTTP/1.1" 200 5`; got["a.log"] != want || got["b.log"] != want {
		t.Errorf("%q", got)
	}
}

func TestConditions(t *testing.T) {
	same(t, written(t, `
CustomLog has.log %U env=E
CustomLog hasnot.log %U env=!E
CustomLog none.log %U ENV=NONE
CustomLog nonenot.log %U env=!NONE
CustomLog get.log %U "expr=%{REQUEST_METHOD} == 'GET'"
CustomLog post.log %U "expr=%{REQUEST_METHOD} == 'POST'"
`), map[string]string{"has.log": "/0", "hasnot.log": "", "none.log": "", "nonenot.log": "/0", "get.log": "/0", "post.log": ""})
}

func TestFirstByteOnlyWhereItIsTracked(t *testing.T) {
	same(t, written(t, "CustomLog a.log \"%v %^FB\"\n<VirtualHost *:1>\nLogIOTrackTTFB On\n</VirtualHost>\n"), map[string]string{"a.log": "h0 -;h1 1500"})
}

func TestDirectiveMistakes(t *testing.T) {
	const at = "AH00526: Syntax error on line 1 of "
	for conf, want := range map[string]string{
		"CustomLog a b c":     "error in condition clause",
		"CustomLog a b env=":  "missing environment variable name",
		"CustomLog a b env=!": "missing environment variable name",
		"CustomLog a b expr=": "missing condition",
		"CustomLog a %Q":      "Unrecognized LogFormat directive %Q",
		"LogFormat %{x nick":  "Ran off end of LogFormat parsing args to some directive",
		"CustomLog a":         `CustomLog takes two or three arguments, a file name, a custom log format string or format name, and an optional "env=" or "expr=" clause (see docs)`,
		"TransferLog a b":     "TransferLog takes one argument, the filename of the access log",
		"BufferedLogs maybe":  "BufferedLogs must be On or Off",
		"<VirtualHost *>\nGlobalLog a b\n</VirtualHost>": "GlobalLog cannot occur within <VirtualHost> section",
	} {
		dir := t.TempDir()
		_, _, err := load(t, dir, conf+"\n", site.Options{})
		if err == nil {
			t.Errorf("%s: no error", conf)
			continue
		}
		text := err.Error()
		if !strings.HasPrefix(text, at[:30]) || !strings.Contains(text, want) && !strings.Contains(text, strings.ReplaceAll(want, `"`, `\"`)) {
			t.Errorf("%s:\n%s\nwant %s", conf, text, want)
		}
	}
}

func TestCheckLooksAtFolders(t *testing.T) {
	dir := t.TempDir()
	s, _, err := load(t, dir, "CustomLog a.log x\nCustomLog |cat x\n", site.Options{Checking: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	if _, err := os.Stat(dir + "/a.log"); err == nil {
		t.Error("a check opened a log")
	}
	_, _, err = load(t, dir, "CustomLog none/a.log x\n<VirtualHost *>\nTransferLog httpd.conf/b.log\n</VirtualHost>\n", site.Options{Checking: true})
	want := "(2)No such file or directory: AH02297: Cannot access directory '" + dir + "/none/' for log file 'none/a.log' defined at " + dir + "/httpd.conf:1"
	if err == nil || !strings.HasPrefix(err.Error(), want+"\n(2)") {
		t.Error(err)
	}
}

func TestALineThroughTheModuleAllocatesNothing(t *testing.T) {
	if poison.On {
		t.Skip("pools keep nothing")
	}
	dir := t.TempDir()
	s, b, err := load(t, dir, `CustomLog a.log "%h %l %u %t \"%r\" %>s %O \"%{Referer}i\" %D" env=!QUIET`+"\n", site.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	p := &site.Plan{}
	if err := b([]*directive.Scope{s.Config.Main}, p); err != nil {
		t.Fatal(err)
	}
	x := sample()
	x.Server = s.Hosts[0].Server
	for range 2000 {
		p.Steps(site.Log)[0].Do(context.Background(), x)
	}
	if n := testing.AllocsPerRun(500, func() { p.Steps(site.Log)[0].Do(context.Background(), x) }); n > 0.1 {
		t.Errorf("%v allocations", n)
	}
}
