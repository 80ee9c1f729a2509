package manager

import (
	"net/url"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	f := parse("b=a&B=c&W_LF=%31+%2b&x&=y&%62=%2541&z=%4&n=a%00b&e==")
	for name, want := range map[string]string{"b": "A", "w_lf": "1++", "x": "", "": "y", "z": "%4", "n": "a", "e": "="} {
		if got, ok := f.get(name); !ok || got != want {
			t.Errorf("%s = %q, %v; want %q", name, got, ok, want)
		}
	}
	if f["b"].once != "%41" || len(f) != 7 {
		t.Errorf("%v", f)
	}
	if f := parse("b=1&B=2&x=3", "b", "w"); len(f) != 1 || f["b"].twice != "1" {
		t.Errorf("only what a GET may say: %v", f)
	}
}

// FuzzParse: whatever comes, names are in lower case, and what a browser would send for a text
// encoded twice is that text, up to a zero byte.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"b=c&w=http://h", "%", "%4", "%zz=%00", "a=b=c&&=", "w=%2541%", strings.Repeat("%25", 99)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for name, v := range parse(text) {
			if name != strings.ToLower(name) || strings.ContainsRune(v.twice, 0) || len(v.twice) > len(text) {
				t.Errorf("%q: %q = %q", text, name, v)
			}
		}
		want, _, _ := strings.Cut(text, "\x00")
		if got := parse("v=" + encode(encode(text)))["v"].twice; got != want {
			t.Errorf("%q came back as %q", text, got)
		}
	})
}

// FuzzAgainstURL: where a plus and a zero byte play no part, a form means what net/url says it means.
func FuzzAgainstURL(f *testing.F) {
	for _, seed := range []string{"a=b&c=d", "A=1&a=2", "=x&&y", "w=%68%74tp%3A//h&b=x%26y", "a%3Db=c"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		want, err := url.ParseQuery(text)
		if err != nil || strings.ContainsAny(text, "+\x00") || strings.Contains(text, "%00") || strings.Contains(text, "%2500") {
			return
		}
		got := parse(text)
		merged := map[string]bool{}
		for name, list := range want {
			low := strings.ToLower(name)
			merged[low] = true
			if v, ok := got[low]; !ok || name == low && !several(want, low) && v.once != list[len(list)-1] {
				t.Errorf("%q: %q is %q, %v to us, %q to net/url", text, name, v.once, ok, list)
			}
		}
		for name := range got {
			if !merged[name] {
				t.Errorf("%q: net/url knows no %q", text, name)
			}
		}
	})
}

// several reports whether more than one name is the same in lower case.
func several(v url.Values, low string) bool {
	n := 0
	for name := range v {
		if strings.ToLower(name) == low {
			n++
		}
	}
	return n > 1
}

// encode is URL-encoding with %20 for a blank: a plus stays a plus here.
func encode(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
