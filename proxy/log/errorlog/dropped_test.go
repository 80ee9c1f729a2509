package errorlog

import (
	"os"
	"strings"
	"testing"
	"time"

	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not in ten seconds: %s", what)
		}
	}
}

// TestLostLinesAreTold: of a virtual host's log to the main server's, of the main server's to stderr and,
// when it takes lines again, to itself.
func TestLostLinesAreTold(t *testing.T) {
	dir := t.TempDir()
	stderr, err := os.Create(dir + "/stderr")
	if err != nil {
		t.Fatal(err)
	}
	old := os.Stderr
	os.Stderr = stderr
	defer func() { os.Stderr = old }()
	s, err := load(t, dir, `
ErrorLog "|$while [ ! -e go ]; do sleep 0.01; done; cat >>main"
<VirtualHost *:1>
ErrorLog "|/bin/sleep 60"
</VirtualHost>
`, site.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	text := func(name string) string {
		b, _ := os.ReadFile(dir + "/" + name)
		return string(b)
	}
	flood := func(l exchange.ErrorLog) {
		e := &exchange.LogEntry{Time: time.Now(), Module: "core", Level: exchange.Error, Message: strings.Repeat("x", 8000)}
		for range 12 << 20 / 8000 { // what waits, and what a writer holds
			l.Write(e)
		}
	}
	flood(s.Hosts[0].Server.ErrorLog)
	eventually(t, "word on stderr", func() bool {
		return strings.Contains(text("stderr"), " were dropped: it does not take them fast enough\n")
	})
	if !strings.Contains(text("stderr"), " lines for |$while [") {
		t.Errorf("stderr: %.300s", text("stderr"))
	}
	os.WriteFile(dir+"/go", nil, 0o600)
	eventually(t, "word in the log itself", func() bool { return strings.Contains(text("main"), " lines for |$while [") })
	flood(s.Hosts[1].Server.ErrorLog)
	eventually(t, "word in the main log", func() bool {
		return strings.Contains(text("main"), " lines for |/bin/sleep 60 were dropped: it does not take them fast enough\n")
	})
}
