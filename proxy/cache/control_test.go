package cache

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"balancerd/testdata/linear"
)

// What httpd 2.4.71 made of these fields.
func TestParse(t *testing.T) {
	none := Control{MaxAge: -1, SMaxAge: -1, MinFresh: -1, MaxStale: -1, Said: true}
	with := func(edit func(*Control)) Control {
		c := none
		edit(&c)
		return c
	}
	aged := func(n int64) Control { return with(func(c *Control) { c.MaxAge, c.Aged = n, true }) }
	for control, want := range map[string]Control{
		"MAX-AGE=60":                      aged(60),
		`max-age="60"`:                    none,
		"max-age=60x":                     none,
		"max-age=-1":                      aged(-1),
		"max-age":                         none,
		"max-age=":                        none,
		"max-age=0, max-age=60":           aged(60),
		"max-age = 60":                    none,
		"max-age=60; x":                   none,
		",,max-age=60,,":                  aged(60),
		"max-age=99999999999999999999999": none,
		"s-maxage=0, max-age=60":          with(func(c *Control) { c.MaxAge, c.SMaxAge, c.Aged, c.Shared = 60, 0, true, true }),
		"max-age=60 no-store":             with(func(c *Control) { c.MaxAge, c.Aged, c.NoStore = 60, true, true }),
		"no-store=1":                      none,
		`private="X-N", public`:           with(func(c *Control) { c.Public, c.Fields = true, []string{"X-N"} }),
		`no-cache="X-N, X-M"`:             with(func(c *Control) { c.Fields = []string{"X-N", "X-M"} }),
		"no-cache=x":                      with(func(c *Control) { c.Fields = []string{"x"} }),
		"private=":                        none,
		"no-cache, private":               with(func(c *Control) { c.NoCache, c.Private = true, true }),
		"max-stale":                       with(func(c *Control) { c.HasMaxStale = true }),
		"max-stale=5, min-fresh=7":        with(func(c *Control) { c.HasMaxStale, c.MaxStale, c.MinFresh = true, 5, 7 }),
		"must-revalidate,proxy-revalidate,only-if-cached,no-transform": with(func(c *Control) {
			c.MustRevalidate, c.ProxyRevalidate, c.OnlyIfCached, c.NoTransform = true, true, true, true
		}),
	} {
		got := Parse(control, "")
		if len(got.Fields) == 0 {
			got.Fields = nil
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %+v\nwant %+v", control, got, want)
		}
	}
	if !Parse("", "foo, No-Cache").NoCache || Parse("", "foo").NoCache || Parse("", "").Said {
		t.Error("Pragma")
	}
}

func TestParseIsLinear(t *testing.T) {
	for name, piece := range map[string]string{"commas": ",", "words": "a,", "quotes": `"`, "escapes": `"\`, "numbers": "max-age=1,", "lists": `private="a",`} {
		t.Run(name, func(t *testing.T) {
			linear.Check(t, 8<<10, func(size int) string { return strings.Repeat(piece, size/len(piece)) }, func(s string) { Parse(s, s) })
		})
	}
}

func TestKeys(t *testing.T) {
	p := Place{Scheme: "http", Host: "h", Port: ":80"}
	ids := Place{Scheme: "http", Host: "h", Port: ":80", IgnoreIDs: []string{"jsessionid", "sid"}}
	for _, c := range []struct {
		place             Place
		path, query, want string
	}{
		{p, "/a", "b=c", "http://h:80/a?b=c"},
		{p, "/a", "", "http://h:80/a?"},
		{Place{Scheme: "https", Host: "h", IgnoreQuery: true}, "/a", "b", "https://h/a?"},
		{ids, "/s;jsessionid=1", "", "http://h:80/s?"},
		{ids, "/s;jsessionid=1/x", "", "http://h:80/s;jsessionid=1/x?"},
		{ids, "/s;other=1", "", "http://h:80/s;other=1?"},
		{ids, "/s", "sid=1", "http://h:80/s?"},
		{ids, "/s", "sid=1&a=2", "http://h:80/s?a=2"},
		{ids, "/s", "a=2&sid=1", "http://h:80/s?a=2"},
		{ids, "/s", "a=2&sid=1&b=3", "http://h:80/s?a=2&b=3"},
		{ids, "/s", "xsid=1", "http://h:80/s?xsid=1"},
		{ids, "/s;sid=4", "jsessionid=5&sid=6", "http://h:80/s?sid=6"},
	} {
		if got := c.place.Key(c.path, c.query); got != c.want {
			t.Errorf("%s?%s: %s, want %s", c.path, c.query, got, c.want)
		}
	}
}

// FuzzKey: what is taken away are session identifiers and nothing else, so that no two documents share a key.
func FuzzKey(f *testing.F) {
	for _, s := range []string{"/s;sid=1", "/s", "/s;sid=/x", ";sid="} {
		f.Add(s, "a=1&sid=2&b=3")
	}
	p := Place{Scheme: "http", Host: "h", Port: ":80", IgnoreIDs: []string{"sid"}}
	plain := Place{Scheme: "http", Host: "h", Port: ":80"}
	f.Fuzz(func(t *testing.T, path, query string) {
		got := p.Key(path, query)
		if !strings.Contains(path+"&"+query, "sid=") && got != plain.Key(path, query) {
			t.Fatalf("%q", got)
		}
		if len(got) > len(plain.Key(path, query)) {
			t.Fatalf("%q is longer than %q", got, fmt.Sprint(path, query))
		}
	})
}
