package rewrite

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"balancerd/proxy/mod/core"
	"balancerd/proxy/mod/static"
	"balancerd/proxy/site"
	"balancerd/proxy/site/sitetest"
)

// TestTraces: the lines that httpd 2.4.71 wrote under LogLevel rewrite:trace8, in testdata/traces.txt: a configuration, and
// behind "--" each request's.
func TestTraces(t *testing.T) {
	text, err := os.ReadFile("testdata/traces.txt")
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	os.WriteFile(filepath.Join(root, "m.txt"), []byte("k v\n"), 0o600)
	conf, recorded, _ := strings.Cut(string(text), "--\n")
	mods := []site.Module{core.Module(), Module(), standIn(), static.Module(), Last()}
	r := sitetest.New(t, preload, "DocumentRoot "+root+"\n"+strings.ReplaceAll(conf, "{root}", root), mods...)
	for _, part := range strings.Split("\n"+recorded, "\n> ")[1:] {
		path, want, _ := strings.Cut(part, "\n")
		r.Log.Take()
		outcomeOf(r, "GET "+path)
		got := ""
		for line := range strings.Lines(r.Log.Take()) {
			if level, rest, ok := strings.Cut(strings.TrimPrefix(line, "[rewrite:"), "] "); ok && strings.HasPrefix(level, "trace") {
				got += level + " " + requestNames.ReplaceAllString(rest, "[")
			}
		}
		got = lineOfRule.ReplaceAllString(strings.TrimSpace(strings.ReplaceAll(got, root, "ROOT")), "LINE gave")
		if want = lineOfRule.ReplaceAllString(strings.TrimSpace(strings.ReplaceAll(want, "ROOT/docs", "ROOT")), "LINE gave"); got != want {
			t.Errorf("%s:\n%s", path, difference(want, got))
		}
	}
}

var (
	requestNames = regexp.MustCompile(`127\.0\.0\.1 - - \[localhost/sid#[0-9a-f]+\]\[rid#[0-9a-f]+/`)
	lineOfRule   = regexp.MustCompile(`[\w/.]*\.conf:\d+ gave`)
)

func difference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range w {
		if i >= len(g) || w[i] != g[i] {
			return "httpd: " + w[i] + "\nours:  " + strings.Join(g[min(i, len(g)):min(i+1, len(g))], "")
		}
	}
	return "ours goes on: " + strings.Join(g[len(w):], "\n")
}
