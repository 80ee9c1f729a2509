package manager_test

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files that are ours")

const testdata = "../testdata/manager"

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(testdata, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// undress takes off what is allowed to differ: the style, the viewport, our note and button, and the place of
// the table of expressions, which it returns apart.
func undress(page string) (bare, exprs string) {
	for _, p := range []string{`(?s)<style.*?</style>\n`, `<meta [^>]*>\n`, `<p class=note>.*?</p>\n`, ` <button type=submit name='check'.*?</button>`} {
		page = regexp.MustCompile(p).ReplaceAllString(page, "")
	}
	table := regexp.MustCompile(`(?s)\n\n<table><tr><th colspan='2'>Health check cond. expressions:.*?</table>`)
	exprs = table.FindString(page)
	page = strings.Replace(page, exprs+"<hr/>\n", "", 1) // httpd's place, after the lists
	return strings.Replace(page, exprs+"\n</form>", "\n</form>", 1), exprs
}

// TestPagesAreHttpds compares our pages with httpd's own, byte for byte but for the clothes.
func TestPagesAreHttpds(t *testing.T) {
	s := serve(t, samples(t))
	for _, c := range []struct{ sample, query string }{
		{"httpd-main.html", ""},
		{"httpd-edit-balancer.html", "?b=app&nonce=" + appNonce},
		{"httpd-edit-worker.html", "?b=app&w=http://127.0.0.1:18101&nonce=" + appNonce},
		{"httpd-edit-worker-hc.html", "?b=hc&w=http://127.0.0.1:18104&nonce=" + hcNonce},
	} {
		want, wantExprs := undress(read(t, c.sample))
		got, exprs := undress(s.get(base+c.query, referer))
		if got != want {
			t.Errorf("%s: %s", c.sample, firstDifference(got, want))
		}
		if c.query != "" && exprs != wantExprs {
			t.Errorf("%s: the expressions: %q, want %q", c.sample, exprs, wantExprs)
		}
	}
}

func TestXMLIsHttpds(t *testing.T) {
	s := serve(t, samples(t))
	if got, want := s.get(base+"?xml=1", referer), read(t, "httpd.xml"); got != want {
		t.Error(firstDifference(got, want))
	}
}

func firstDifference(got, want string) string {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range a {
		if i >= len(b) || a[i] != b[i] {
			return "from here on: got\n" + strings.Join(a[i:min(i+3, len(a))], "\n") + "\nwant\n" + strings.Join(b[min(i, len(b)):min(i+3, len(b))], "\n")
		}
	}
	return "got is too short, it lacks\n" + strings.Join(b[len(a):], "\n")
}

// TestGoldens are the pages as they are, clothes and all.
func TestGoldens(t *testing.T) {
	s := serve(t, samples(t))
	for name, ask := range map[string]string{
		"main.html":        base,
		"edit-worker.html": base + "?b=app&w=http://127.0.0.1:18101&nonce=" + appNonce,
		"one.html":         base + "/hc",
		"all.json":         base + "?json=1",
	} {
		got := s.get(ask, referer)
		if *update {
			if err := os.WriteFile(filepath.Join(testdata, name), []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if want := read(t, name); got != want {
			t.Errorf("%s: %s", name, firstDifference(got, want))
		}
	}
}
