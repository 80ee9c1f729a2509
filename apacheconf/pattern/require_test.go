package pattern

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/dlclark/regexp2"
)

// bare is an expression as the engines alone answer it.
type bare struct {
	fast  *regexp.Regexp
	slow  *regexp2.Regexp
	names []string
}

// newBare is nil for what does not compile.
func newBare(expr string, fold bool) *bare {
	t, err := translateWhole(expr, fold)
	if err != nil {
		return nil
	}
	b := &bare{names: t.names}
	if !t.slow {
		if b.fast, err = regexp.Compile(pick(fold, "(?i)", "") + string(t.out)); err == nil {
			return b
		}
	}
	if b.slow, err = compileSlow(t, Options{Fold: fold}); err != nil {
		return nil
	}
	return b
}

// find is Pattern.Find by the engine; nil: no match.
func (b *bare) find(s string) (loc []int, err error) {
	if b.fast != nil {
		loc = b.fast.FindStringSubmatchIndex(wide(s))
		if len(wide(s)) != len(s) {
			narrow(s, loc)
		}
		return loc, nil
	}
	p := &Pattern{slow: b.slow, names: b.names}
	loc, ok, err := p.findSlow(s, nil)
	if !ok {
		loc = nil
	}
	return loc, err
}

// compare holds a pattern's answers against the engine's.
func compare(t *testing.T, expr string, fold bool, subjects ...string) {
	t.Helper()
	b := newBare(expr, fold)
	p, err := Compile(expr, Options{Fold: fold})
	if (err == nil) != (b != nil) {
		t.Fatalf("%q: %v, the engine alone: %v", expr, err, b)
	}
	if err != nil {
		return
	}
	set := NewSet([]*Pattern{p})
	for _, s := range subjects {
		want, err := b.find(s)
		if err != nil || len(s) > maxSubject {
			continue
		}
		got, ok, err := p.Find(s, nil)
		if errors.Is(err, ErrUndecided) { // 50 ms may be over here that were not for the engine
			continue
		}
		if !ok {
			got = nil
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%q (fold %v) on %q: %v, %v; the engine alone: %v", expr, fold, s, got, err, want)
		}
		if ok, err := p.Match(s); !errors.Is(err, ErrUndecided) && (err != nil || ok != (want != nil)) {
			t.Fatalf("%q (fold %v) on %q: Match says %v, %v", expr, fold, s, ok, err)
		}
		if want != nil && set.Candidates(s, nil)[0] != 1 {
			t.Fatalf("%q (fold %v) on %q: no candidate", expr, fold, s)
		}
	}
}

// kinds are the shapes that requirements are made of.
var kinds = []string{
	"", "^", "$", "^$", "bot", "^bot", "bot$", "^bot$", ".*bot.*", "^.*bot", "bot.*$", "^.*bot.*$", "(.*)bot", "^(.*)bot$", `\bbot\b`, "(bot|crawl|spider)", "^(bot|crawl|spider)", "^(bot|crawl)$", "(?:bot|crawl)$",
	"bo(t|x)(1|2)?", "b[ot]{2}", "b[oO]t", "(?i:b)ot", "b(?i)ot", "[0-9]bot", "bot[0-9]+", "bot+", "(bot)+", "(?:bot){2,}", "(bot|)x", "(bot|crawl)?", "a|b", "bot|^x", "^bot|x$", "b.t", "b(?-s:.)t", "bot\n$",
	"^/app/(.*)", "^/app/(.*)$", "^/(.*)$", "^(.*)", "^(/app/(.*))$", "^/app/(.*?)$", "(?i)^/app/(.*)", "^(1(?i:b))", "^/(a|b|c|d|e|f)/", "(aaa|bbb|ccc|ddd|eee)", "(aaa|bb|c|d|e)", "/wp-(admin|login)1",
	"^(?!/api)/", "^(?!.*bot)crawl", "^(?=/a)/app", "^(?!a)(?!b).", "^(?!a|b)(?=.*c)c", "(?<!x)bot", "bot(?!x)", "bot(?=x)", `(b)ot\1`, "b++ot", "(?>b+)ot", `bot\Z`, `bot\R`, "(?(?=b)bot|crawl)", "(b)?(?(1)ot|crawl)",
	"^(?!a)*b", "^(?!a)+b", "^(?!a)b|c", "^(?=(a))ab", "^(?!(?=a)b)a", "^(?!a)", "^(?=a)", `\A(?!a)b`, "(?i)^(?!a)b", "(?m)^(?!a)b", "^(?!a)(b)(c)", "^(?!bot$)bot", "^(?!)", "^(?=)", "^/(?!api)", "^/(?!api/)(.*)$", "^/(?=app)(a.*)", "^/(?!a|b).*c", "(?i)^/(?!API)", "^b(?!o)*t", "^/+(?!app)", "^[/b](?!o)", "^/.(?!o)", "^bo(?!t)|crawl", "^\xe9(?!b)", `^\.(?!o)`, "^b(?=o)(?!ot$)", "(?x) ^ (?! a ) * b",
	"\xe9bot", "(?i)\xe9bot", "[\xe9-\xff]bot", "k", "(?i)k", "(?i)s", `[^\x00-\xff]`, `[^\x00-\xff]|bot`, "x*", "(a*)*", "bot{0}x", "bot{1}", "(bot){0,1}", `^[^/]+/x1/`, `\.(bak|old1)$`, "b^ot", "b$ot", "^^bot", "bot$$",
	"^ \t(a*)b", "(abcd|xyz1|qrst|uvwx|mnop).*(abcd|xyz1)", `^(a{1001})b`, `^(?!a{1001})b`,
}

func subjects(pieces *rand.Rand, n int) (list []string) {
	words := []string{"bot", "Bot", "BOT", "crawl", "spider", "/app/", "/APP/", "/api", "/", "a", "b", "c", "x", "1", "2", " ", "\n", "o", "t", "k", "K", "\u212a", "s", "\u017f", "aaa", "bbb", "eee", "/wp-admin1", ".old1", "\xe9", "\xff", "\xe9bot", "abcd", "Mozilla/5.0 "}
	for range n {
		s := ""
		for range pieces.IntN(6) {
			s += words[pieces.IntN(len(words))]
		}
		list = append(list, s)
	}
	return list
}

// TestRequirement: what is decided without an engine is what the engine says.
func TestRequirement(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, expr := range kinds {
		list := append(subjects(r, 150), expr, "bot", "/app/", "/app/x", "xbot\n", strings.Repeat("a", 1002)+"b")
		compare(t, expr, false, list...)
		compare(t, expr, true, list...)
	}
}

// TestRequirementAtRandom is the same for expressions that are put together at random.
func TestRequirementAtRandom(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	atoms := []string{"bot", "b", "o", "t", "(bot|crawl)", "(?:a|b|)", "[bo]", "[^b]", ".", ".*", "(.*)", "x", "1", "/", "^", "$", `\b`, "(?i)", "(?-i)", "(?=b)", "(?!b)", "(?<!o)", "(?<=b)", "(", "(?:", ")", "|", `\d`, "(?:app|apx)", "K", "\xe9", `\Z`, "(?>bo|b)"}
	quantifiers := []string{"", "", "", "", "", "*", "+", "?", "{2}", "{0,2}", "*?", "++"}
	for range 4000 {
		expr := ""
		for range 1 + r.IntN(6) {
			expr += atoms[r.IntN(len(atoms))] + quantifiers[r.IntN(len(quantifiers))]
		}
		compare(t, expr, r.IntN(2) == 0, subjects(r, 12)...)
	}
}

// TestDecides: the usual kinds of expression need no engine for a subject that they do not match, and many none at all.
func TestDecides(t *testing.T) {
	for _, c := range []struct {
		expr, subject string
		want          verdict
	}{
		{"(?i)crawler/[0-9]", agent, no}, {"(aa|crawl|spider)", agent, no}, {"^(aa|crawl|spider)", agent, no}, {"^.*crawl", agent, no}, {".*crawl.*", agent, no}, {`\bcrawl\b`, agent, no},
		{"^(?!.*Mozilla)crawl", agent, no}, {"(?<!x)crawl", agent, no}, {"(?<!x)crawl(?!er)", agent, no}, {`\.(bak|old)$`, "/a/b", no}, {"(?i)^/admin", "/a/b", no}, {"^/(a1|b1)/", "/a/b", no}, {"/wp-(admin|login)1", "/a/b", no},
		{"^/[^/]+/x1/", "/a/b", no}, {"^/(.*)/x1/(.*)$", "/a/b", no}, {"(x1aa|x2bb|x3cc|x4dd|x5ee)", agent, no}, {"(?i)(ab12|xb12)[0-9]", agent, no}, {`x{3}[0-9]`, agent, no}, {`(x1){2,}`, agent, no}, {"....", "abc", no},
		{"(?i)windows", agent, yes}, {"(?i)(bot|linux|mac|windows)", agent, yes}, {"^.*Gecko.*", agent, yes}, {`\.(bak|old)$`, "/a.old", yes}, {"^$", "", yes}, {".*", agent, yes}, {"^/(a|b)/.*$", "/b/x", yes},
		{`\bWindows\b`, agent, maybe}, {"Windows.*x64", agent, maybe},
	} {
		p, err := Compile(c.expr, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := p.need.judge(c.subject); got != c.want {
			t.Errorf("%s on %s: %v", c.expr, c.subject, got)
		}
	}
}

func FuzzRequirement(f *testing.F) {
	for _, k := range kinds {
		f.Add(k, "xbot/app/", false)
	}
	f.Fuzz(func(t *testing.T, expr, subject string, fold bool) { compare(t, expr, fold, subject) })
}
