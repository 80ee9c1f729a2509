package errorlog

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"balancerd/proxy/exchange"
)

// request is an exchange as the error log finds it.
func request() *exchange.Exchange {
	x := &exchange.Exchange{
		Conn: &exchange.Conn{ID: 7, RemoteIP: "10.0.0.9", RemoteText: "10.0.0.9:5678", Remote: netip.MustParseAddrPort("10.0.0.9:5678"),
			Local: netip.MustParseAddrPort("127.0.0.1:8080"), Kept: 2},
		Server:   &exchange.Server{Name: "web.example"},
		ClientIP: "10.0.0.9",
		Start:    time.Date(2026, 11, 21, 5, 7, 55, 0, time.UTC),
	}
	x.Req.Host = "www.example"
	x.Req.Header.Add("Referer", "http://from.example/\x1b\"")
	x.Req.Header.Add("X-In", "in")
	x.Env.Set("ENV", "env")
	x.Notes.Set("note", "n")
	return x
}

func message(x *exchange.Exchange) *exchange.LogEntry {
	e := &exchange.LogEntry{Time: time.Date(2026, 11, 1, 5, 7, 55, 688451000, time.UTC), Module: "proxy_http", Level: exchange.Error,
		File: "mod_proxy_http.c(12)", Errno: "(111)Connection refused", Message: "AH01114: HTTP: failed \"x\"\n\\\xe9"}
	if x != nil {
		e.X, e.Server = x, x.Server
	}
	return e
}

// written is what a log without a target prints, without the numbers of this run.
func written(f *formats, entries ...*exchange.LogEntry) string {
	var b bytes.Buffer
	l := Console(&b)
	l.formats = f
	for _, e := range entries {
		l.Write(e)
	}
	out := strings.ReplaceAll(b.String(), fmt.Sprintf("pid %d", os.Getpid()), "pid P")
	return regexp.MustCompile(`tid \d+`).ReplaceAllString(out, "tid T")
}

func TestDefaultLine(t *testing.T) {
	x := request()
	const head = "[Sun Nov 01 05:07:55.688451 2026] [proxy_http:error] [pid P:tid T] (111)Connection refused: "
	const text = "AH01114: HTTP: failed \"x\"\\n\\\\\\xe9"
	if got, want := written(nil, message(x)), head+"[client 10.0.0.9:5678] "+text+", referer: http://from.example/\\x1b\"\n"; got != want {
		t.Errorf("request:\n%s\n%s", got, want)
	}
	if got, want := written(nil, message(nil)), head+text+"\n"; got != want {
		t.Errorf("server:\n%s\n%s", got, want)
	}
	x.ClientIP = "192.0.2.1"
	e := message(x)
	e.Level, e.Errno = exchange.Debug, ""
	if got := written(nil, e); !strings.Contains(got, "[proxy_http:debug] [pid P:tid T] mod_proxy_http.c(12): [client 192.0.2.1:5678] AH") {
		t.Errorf("debug, remoteip: %s", got)
	}
	e = message(nil)
	e.Conn = x.Conn
	if got := written(nil, e); !strings.Contains(got, "[client 10.0.0.9:5678] AH") {
		t.Errorf("connection: %s", got)
	}
	e.Message = strings.Repeat("y", 20000)
	if got := written(nil, e); len(got) > maxLine || !strings.HasSuffix(got, "y\n") || strings.Count(got, "\n") != 1 {
		t.Errorf("long: %d bytes", len(got))
	}
}

func TestFormats(t *testing.T) {
	for _, c := range []struct{ format, want string }{
		{"[%l] [%m] %M", "[error] [proxy_http] MSG"},
		{"%a %{c}a %A %k %v %V|%M", "10.0.0.9:5678 10.0.0.9:5678 127.0.0.1:8080 2 web.example www.example|MSG"},
		{"%{ENV}e %{note}n %{X-In}i %E %F%% %M", "env n in (111)Connection refused mod_proxy_http.c(12)% MSG"},
		{"[%{u}t] [%t] %{cu}t %{cuz}t %{%Y/%d}t %M", "[Sun Nov 01 05:07:55.688451 2026] [Sun Nov 01 05:07:55 2026] 2026-11-01 05:07:55.688451 2026-11-01 05:07:55.688451 +0000 2026/01 MSG"},
		{"a [%{NO}e] b %M", "a b MSG"},
		{"a [%-{NO}e] b %M", "a [-] b MSG"},
		{"[a%{NO}e]% b %M", "b MSG"},
		{"x %7F y %M", "x y MSG"},
		{"x %3F y %M", "x mod_proxy_http.c(12) y MSG"},
		{`a\ b\tc\\d %M`, "a b\tc\\d MSG"},
		{"%M %{NO}i", "MSG"},
		{"%P %T %M", "\\d+ \\d+ MSG"},
		{"%L %{c}L %{C}L %M", "[\\w+/]{11} [\\w+/]{11} MSG"},
	} {
		f, err := compile(c.format, true)
		if err != nil {
			t.Errorf("%s: %v", c.format, err)
			continue
		}
		got := strings.Replace(written(&formats{main: f}, message(request())), "AH01114: HTTP: failed \"x\"\\n\\\\\\xe9", "MSG", 1)
		ok := got == c.want+"\n"
		if strings.ContainsAny(c.want, "+") && !strings.Contains(c.want, "+0000") {
			ok = regexp.MustCompile("^" + c.want + "\n$").MatchString(got)
		}
		if !ok {
			t.Errorf("%s:\n%q\n%q", c.format, got, c.want)
		}
	}
}

func TestLinesThatComeOnce(t *testing.T) {
	one, err1 := compile("conn %{c}a %{c}L", false)
	two, err2 := compile("req %+{X-In}i", false)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	main, _ := compile("%m %M", true)
	f := &formats{main: main, connection: []*format{one}, request: []*format{two}}
	x := request()
	e := message(x)
	e.Message = "first"
	got := written(f, e, e)
	if !regexp.MustCompile(`^conn 10\.0\.0\.9:5678 [\w+/]{11}\nreq in\nproxy_http first\nproxy_http first\n$`).MatchString(got) {
		t.Errorf("%q", got)
	}
	y := request()
	y.Conn = x.Conn
	y.Req.Header.Del("X-In")
	e.X = y
	if got := written(f, e); got != "proxy_http first\n" {
		t.Errorf("second request of the connection, without the required item: %q", got)
	}
	if x.LogID == "" || x.LogID == y.LogID && x.Start != y.Start {
		t.Errorf("ids %q %q", x.LogID, y.LogID)
	}
	e.X = request()
	e.X.UniqueID = "its-own-name"
	if written(f, e); e.X.LogID != "its-own-name" {
		t.Errorf("%q, in place of mod_unique_id's", e.X.LogID)
	}
}

func TestFormatMistakes(t *testing.T) {
	for _, c := range []struct {
		format string
		main   bool
		want   string
	}{
		{"%Q %M", true, "Unrecognized error log format directive %Q"},
		{"%l", true, "main ErrorLogFormat must contain message format string '%M'"},
		{"%M", false, "%M cannot be used in once-per-request or once-per-connection formats"},
		{"%+a %M", true, "The '+' flag cannot be used in the main error log format"},
		{"%7a", false, "The loglevel cannot be used as a condition in once-per-request or once-per-connection formats"},
		{"%16a %M", true, "The specified loglevel modifier is out of range"},
		{"%{x", true, "Ran off end of error log format parsing args to some directive"},
		{"%", true, "Ran off end of error log format parsing args to some directive"},
	} {
		if _, err := compile(c.format, c.main); err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", c.format, err, c.want)
		}
	}
}
