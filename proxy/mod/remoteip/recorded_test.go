package remoteip

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"balancerd/proxy/site/sitetest"
)

// recorded calls one for each line of a file of testdata: a configuration, then "FIELD" => what httpd has made of it.
func recorded(t *testing.T, file string, one func(conf, field, want string)) {
	t.Helper()
	text, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, block := range strings.Split(string(text), "\n\n")[1:] {
		conf := ""
		for line := range strings.Lines(block) {
			quoted, want, is := strings.Cut(strings.TrimSuffix(line, "\n"), " => ")
			if !is {
				conf += line
				continue
			}
			field, err := strconv.Unquote(quoted)
			if err != nil {
				t.Fatal(line, err)
			}
			one(conf, field, want)
			n++
		}
	}
	if n < 40 {
		t.Errorf("%s has %d lines", file, n)
	}
}

// outcome is whom a field comes to, what is left of it, and what RemoteIPProxiesHeader X-By is.
func outcome(r *sitetest.Rig, field string) string {
	x := r.Get("GET /proxied HTTP/1.1\nX-C: " + strings.Trim(field, " \t") + "\n")
	return x.ClientIP + "|" + x.Req.Header.Get("X-C") + "|" + x.Req.Header.Get("X-By")
}

// Many fields and lists, as httpd 2.4.71 has them.
func TestRecordedJourneys(t *testing.T) {
	recorded(t, "journeys.txt", func(conf, field, want string) {
		if got := outcome(rig(t, conf), field); got != want {
			t.Errorf("%s%q: %s, want %s", conf, field, got, want)
		}
	})
}

// Files of proxies: comments, ends of lines, names.
func TestRecordedLists(t *testing.T) {
	file := filepath.Join(t.TempDir(), "list")
	recorded(t, "lists.txt", func(conf, field, want string) {
		name, quoted, _ := strings.Cut(strings.TrimSpace(conf), " ")
		text, err := strconv.Unquote(quoted)
		if err != nil {
			t.Fatal(conf, err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		r := rig(t, "RemoteIPHeader X-C\nRemoteIPProxiesHeader X-By\n"+name+" "+file+"\n")
		if got := outcome(r, field); got != want {
			t.Errorf("%s%q: %s, want %s", conf, field, got, want)
		}
	})
	dir := t.TempDir()
	if got, want := sitetest.Refused("remoteip", "RemoteIPTrustedProxyList "+dir+"\n", modules()...), "RemoteIPTrustedProxyList: Could not open file "+dir+": Bad file descriptor"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
