package substitute

import (
	"strings"
	"testing"

	"balancerd/proxy/mod/core"
	"balancerd/proxy/mod/filter"
	"balancerd/proxy/site"
	"balancerd/proxy/site/sitetest"
)

const preload = "substitute"

func modules(answer func(string) sitetest.Answer) []site.Module {
	return []site.Module{core.Module(), filter.Core(), Module(), sitetest.Answering(answer)}
}

const page = "<a href=\"http://app.internal:8080/x\">App</a> foo FOO f.o\nfoofoo bar\n  tail $1 \\1 &amp; end\nno newline at the end foo"

// TestForms: what httpd 2.4.71 made of a page, whatever pieces it came in.
func TestForms(t *testing.T) {
	lines := strings.SplitAfter(page, "\n")
	change := func(n int, with string) string {
		l := append([]string{}, lines...)
		l[n] = with
		return strings.Join(l, "")
	}
	for _, c := range []struct{ rules, want string }{
		{"Substitute s|http://app.internal:8080|https://www.example.com|n", strings.Replace(page, "http://app.internal:8080", "https://www.example.com", 1)},
		{"Substitute s/foo/X/ni", strings.NewReplacer("foo", "X", "FOO", "X").Replace(page)},
		{"Substitute s/f.o/X/", strings.NewReplacer("foo", "X", "f.o", "X").Replace(page)},
		{"Substitute S/f.o/X/I", strings.NewReplacer("foo", "X", "f.o", "X", "FOO", "X").Replace(page)},
		{`Substitute "s#http://([a-z.]+):(\\d+)/(.)#$1+$2+$3#"`, strings.Replace(page, "http://app.internal:8080/x", "app.internal+8080+x", 1)},
		{"Substitute s/foo/[&]/", strings.ReplaceAll(page, "foo", "[&]")},
		{"Substitute s/fo+/<$0>/", strings.ReplaceAll(page, "foo", "<foo>")},
		{`Substitute "s/foo/\\$1/"`, strings.ReplaceAll(page, "foo", "$1")},
		{"Substitute s/end$/END/", page},
		{`Substitute "s/end\\n/END/"`, strings.Replace(page, "end\n", "END", 1)},
		{"Substitute s/foo$/END/", change(3, "no newline at the end END")},
		{"Substitute s/tail.*/T/", strings.Replace(page, "tail $1 \\1 &amp; end", "T", 1)},
		{`Substitute "s/foo/\\\\$0\\t/"`, strings.ReplaceAll(page, "foo", `\foot`)},
		{"Substitute s/foo//", strings.ReplaceAll(page, "foo", "")},
		{"Substitute s/foo/bar/n\nSubstitute s/bar/baz/n", strings.ReplaceAll(strings.ReplaceAll(page, "foo", "bar"), "bar", "baz")},
		{"Substitute s/foo/ab/nq\nSubstitute s/bab/Z/n", strings.ReplaceAll(page, "foo", "ab")},
		{"Substitute s/foo/ab/n\nSubstitute s/bab/Z/n", strings.ReplaceAll(strings.ReplaceAll(page, "foo", "ab"), "bab", "Z")},
		{"Substitute s,foo,a/b,", strings.ReplaceAll(page, "foo", "a/b")},
		{"Substitute s/foo/X", strings.ReplaceAll(page, "foo", "X")},
		{"Substitute s/f.o/X/n", strings.Replace(page, "f.o", "X", 1)},
		{`Substitute "s/(?<=o)foo/2/"`, change(1, "foo2 bar\n")},
		{"Substitute s/[[:upper:]]{2,}/up/", strings.Replace(page, "FOO", "up", 1)},
		{"Substitute s/^/>/", ">" + strings.ReplaceAll(page, "\n", "\n>")},
		{"Substitute s/z*/-/", ""},
	} {
		for _, piece := range []int{0, 1, 7, 50} {
			r := sitetest.New(t, preload, "SetOutputFilter SUBSTITUTE\n"+c.rules+"\n", modules(func(string) sitetest.Answer {
				return sitetest.Answer{Body: page, Piece: piece, Fields: "ETag: x|Content-Length: 9"}
			})...)
			x := r.Get("GET / HTTP/1.1")
			if piece > 0 && x.Res.Length >= 0 || x.Res.Header.Has("Content-Length") || !x.Res.Header.Has("ETag") {
				t.Errorf("%s: %v", c.rules, x.Res.Header.F)
			}
			got := sitetest.Body(x)
			if c.want == "" {
				if !strings.HasPrefix(got, "-<-a- -h-r-e-f") {
					t.Errorf("%s: %q", c.rules, got)
				}
			} else if got != c.want {
				t.Errorf("%s, pieces of %d:\n got %q\nwant %q", c.rules, piece, got, c.want)
			}
			if log := r.Log.Take(); log != "" {
				t.Error(c.rules, log)
			}
		}
	}
}

// TestMerge: rules of sections come in front of those around them, or behind.
func TestMerge(t *testing.T) {
	r := sitetest.New(t, preload, `
SetOutputFilter SUBSTITUTE
Substitute s/a/b/n
<Location /last>
Substitute s/b/c/n
</Location>
<Location /first>
Substitute s/b/c/n
SubstituteInheritBefore On
</Location>
`, modules(func(string) sitetest.Answer { return sitetest.Answer{Body: "a"} })...)
	for path, want := range map[string]string{"/": "b", "/last": "b", "/first": "c"} {
		if got := sitetest.Body(r.Get("GET " + path + " HTTP/1.1")); got != want {
			t.Error(path, got)
		}
	}
}

// TestLongLines: a line that is too long is told, and passes as it is; what is kept of one is bounded.
func TestLongLines(t *testing.T) {
	long := strings.Repeat("x", 9000)
	for _, c := range []struct {
		most, body, want string
		told             int
	}{
		{"100", "y foo\n" + strings.Repeat("z", 150) + "\nfoo\n", "y bar\n" + strings.Repeat("z", 150) + "\nbar\n", 0},
		{"100", strings.Repeat("z", 150) + "foo\nfoo\n", strings.Repeat("z", 150) + "foo\nbar\n", 1},
		{"10b", long + "foo\nfoo\n", long + "foo\nbar\n", 1},
		{"1k", long + long + "foo\nfoo", long + long + "foo\nbar", 1},
		{"1m", long + long + "foo\nfoo", long + long + "bar\nbar", 0},
	} {
		r := sitetest.New(t, preload, "SetOutputFilter SUBSTITUTE\nSubstitute s/foo/bar/n\nSubstituteMaxLineLength "+c.most+"\n", modules(func(string) sitetest.Answer { return sitetest.Answer{Body: c.body, Piece: 5000} })...)
		if got := sitetest.Body(r.Get("GET /u HTTP/1.1")); got != c.want {
			t.Errorf("%s, %d bytes: %d bytes", c.most, len(c.body), len(got))
		}
		if log := r.Log.Take(); strings.Count(log, "[substitute:error] AH01328: Line too long, URI /u") != c.told {
			t.Errorf("%s, %d bytes: %s", c.most, len(c.body), log)
		}
	}
}

// TestGrowth: rules that make much of a line come to its limit.
func TestGrowth(t *testing.T) {
	r := sitetest.New(t, preload, "SetOutputFilter SUBSTITUTE\nSubstitute s/x/"+strings.Repeat("y", 1000)+"/n\nSubstitute s/y/"+strings.Repeat("z", 1000)+"/\n",
		modules(func(string) sitetest.Answer { return sitetest.Answer{Body: strings.Repeat("x", 2000) + "\n"} })...)
	if got := sitetest.Body(r.Get("GET / HTTP/1.1")); len(got) != 2001 || !strings.Contains(r.Log.Take(), "AH01328") {
		t.Error(len(got))
	}
}

// TestWords: httpd's own words.
func TestWords(t *testing.T) {
	const format, complete = "Bad Substitute format, must be an s/// pattern", "Bad Substitute format, must be a complete s/// pattern"
	const number = "SubstituteMaxLineLength must be a non-negative integer optionally suffixed with 'b', 'k', 'm' or 'g'."
	for conf, want := range map[string]string{
		"Substitute foo": format, "Substitute s/a": complete, "Substitute s": complete, "Substitute s/": complete, "Substitute s//b/": complete, "Substitute s/a//": "",
		"Substitute s/a/b/z": "Bad Substitute flag, only s///[infq] are supported", "Substitute \"s/(/b/\"": "Substitute could not compile regex",
		"Substitute s/a/b/ n":       "Substitute takes one argument, Pattern to filter the response content (s/foo/bar/[inf])",
		"SubstituteMaxLineLength +": number, "SubstituteMaxLineLength ' '": number, "SubstituteMaxLineLength ' k'": number, "SubstituteMaxLineLength k": "", "SubstituteMaxLineLength ' 5k'": "",
		"SubstituteMaxLineLength x": number, "SubstituteMaxLineLength -1": number, "SubstituteMaxLineLength 10k": "", "SubstituteMaxLineLength 1kk": number, "SubstituteMaxLineLength 5b": "",
		"SubstituteMaxLineLength 9999999999g": "SubstituteMaxLineLength value too large",
		"SubstituteInheritBefore x":           "SubstituteInheritBefore must be On or Off",
	} {
		if got := sitetest.Refused(preload, conf, modules(nil)...); got != want {
			t.Errorf("%s:\n got %s\nwant %s", conf, got, want)
		}
	}
}

// TestLengths: the length of one line is told, and a range cut of it, that of several lines not, unless a filter puts them
// together again.
func TestLengths(t *testing.T) {
	for body, want := range map[string]int64{"foo": 3, "xyz foo": 7, "": 0, "foo\n": -1, "a\nb": -1, "\n": -1} {
		for _, field := range []string{"", "\nRange: bytes=0-0"} {
			r := sitetest.New(t, preload, "SetOutputFilter SUBSTITUTE\nSubstitute s/foo/bar/n\n", modules(func(string) sitetest.Answer { return sitetest.Answer{Body: body} })...)
			x := r.Get("GET / HTTP/1.1" + field)
			if cut := field != "" && want > 0; x.Res.Length != want && !cut || cut != (x.Res.Status == 206) || x.Res.ByPieces() != (want < 0) {
				t.Errorf("%q%s: %d, length %d", body, field, x.Res.Status, x.Res.Length)
			}
		}
	}
}
