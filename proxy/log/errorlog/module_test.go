package errorlog

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/log/sink"
	"balancerd/proxy/site"
)

// load builds a site with a core of its own, and opens this module in it.
func load(t *testing.T, dir, conf string, o site.Options) (*site.Site, error) {
	t.Helper()
	tree, err := apacheconf.ParseText(filepath.Join(dir, "httpd.conf"), conf, apacheconf.Options{ServerRoot: dir, Modules: directive.Catalog{}})
	if err != nil {
		t.Fatal(err)
	}
	m := Module("default.log", "prog")
	c, err := directive.Bind(tree, directive.Options{}, site.Tables([]site.Module{m})...)
	if err != nil {
		return nil, err
	}
	core := site.Module{Name: "core", Open: func(_ *directive.Config, s *site.Site) (site.Builder, error) {
		s.Settings.ServerRoot = dir
		for i, h := range s.Hosts {
			h.Server.Name, h.Server.DefinedAt = fmt.Sprintf("h%d", i), h.Scope.Pos.String()
		}
		return func(_ []*directive.Scope, p *site.Plan) error { p.Local = &exchange.Local{}; return nil }, nil
	}}
	s, err := site.Build(c, []site.Module{core}, o)
	if err != nil {
		t.Fatal(err)
	}
	_, err = m.Open(c, s)
	return s, err
}

func TestWhichLogAServerHas(t *testing.T) {
	dir := t.TempDir()
	s, err := load(t, dir, `
ErrorLogFormat "main %v %M"
<VirtualHost *:1>
ErrorLog own.log
</VirtualHost>
<VirtualHost *:2>
ErrorLogFormat "own %v %M"
</VirtualHost>
<VirtualHost *:3>
ErrorLog own.log
ErrorLogFormat request "once %v"
</VirtualHost>
`, site.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range s.Hosts {
		x := request()
		x.Server = h.Server
		h.Server.ErrorLog.Write(&exchange.LogEntry{Time: time.Now(), Module: "m", Message: "said", X: x, Server: h.Server})
	}
	if s.ErrorLog != s.Hosts[0].Server.ErrorLog || s.Settings.ErrorLogFile != "default.log" {
		t.Error("the site's own log", s.Settings.ErrorLogFile)
	}
	s.Close()
	for name, want := range map[string]string{"default.log": "main h0 said\nown h2 said\n", "own.log": "main h1 said\nonce h3\nmain h3 said\n"} {
		if b, _ := os.ReadFile(filepath.Join(dir, name)); string(b) != want {
			t.Errorf("%s: %q, want %q", name, b, want)
		}
	}
}

func TestCheckLooksAtFolders(t *testing.T) {
	dir := t.TempDir()
	s, err := load(t, dir, "ErrorLog a.log\n<VirtualHost *>\nErrorLog |cat\n</VirtualHost>\n<VirtualHost *>\nErrorLog syslog:user\n</VirtualHost>\n", site.Options{Checking: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	if _, err := os.Stat(dir + "/a.log"); err == nil {
		t.Error("a check opened the log")
	}
	_, err = load(t, dir, "ErrorLog none/a.log\n<VirtualHost *>\nErrorLog /none/b.log\n</VirtualHost>\n", site.Options{Checking: true})
	want := "(2)No such file or directory: AH02291: Cannot access directory '" + dir + "/none/' for main error log\n" +
		"(2)No such file or directory: AH02291: Cannot access directory '/none/' for error log of vhost defined at " + dir + "/httpd.conf:2"
	if err == nil || err.Error() != want {
		t.Errorf("%v\nwant %s", err, want)
	}
}

func TestLogsThatCannotBeOpened(t *testing.T) {
	for conf, want := range map[string]string{
		"ErrorLog .":               "(21)Is a directory: AH00091: prog: could not open error log file {dir}.",
		"ErrorLog \"||/none x\"":   "(2)No such file or directory: AH00089: Couldn't start ErrorLog process '|/none x'.",
		"ErrorLog syslog:none:tag": "(20024)The given path is misformatted or contained invalid characters: AH10036: prog: could not open syslog error log none:tag.",
	} {
		dir := t.TempDir()
		_, err := load(t, dir, conf+"\n", site.Options{})
		var open *sink.OpenError
		if !errors.As(err, &open) || open.Message != strings.ReplaceAll(want, "{dir}", dir) {
			t.Errorf("%s: %v", conf, err)
		}
	}
}

func TestDirectiveMistakes(t *testing.T) {
	for conf, want := range map[string]string{
		`ErrorLogFormat other "%a"`:      "ErrorLogFormat type must be one of request, connection",
		`ErrorLogFormat "%Q %M"`:         "Unrecognized error log format directive %Q",
		`ErrorLogFormat request "%M"`:    "%M cannot be used in once-per-request or once-per-connection formats",
		`ErrorLog`:                       "ErrorLog takes one argument, The filename of the error log",
		`ErrorLogFormat connection "%z"`: "Unrecognized error log format directive %z",
	} {
		if _, err := load(t, t.TempDir(), conf+"\n", site.Options{}); err == nil || !strings.HasSuffix(err.Error(), "\n"+want) {
			t.Errorf("%s: %v, want %s", conf, err, want)
		}
	}
}

func TestASyslogLineHasNoTimeOfItsOwn(t *testing.T) {
	s, err := load(t, t.TempDir(), "ErrorLog syslog:local3:web\n", site.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	l := s.ErrorLog.(*Log)
	en := entry{LogEntry: message(nil), log: l}
	if got := string(en.appendDefault(nil)); !strings.HasPrefix(got, "[proxy_http:error] [pid ") {
		t.Error(got)
	}
	if l.Redirect(2) == nil {
		t.Error("stderr can't go to the system's log")
	}
}
