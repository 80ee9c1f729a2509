package hints

import (
	"slices"
	"strings"
	"testing"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
)

func TestHintsAreGathered(t *testing.T) {
	var list []directive.Hint
	add := func(effect directive.Effect, file, module, name, text string, lines ...int) {
		for _, n := range lines {
			list = append(list, directive.Hint{Pos: apacheconf.Pos{File: file, Line: n}, Name: name, Module: module, Text: text, Effect: effect})
		}
	}
	add(directive.Tuning, "a", "h2", "T1", "T1 tunes", 20)
	add(directive.Later, "a", "core", "E", "no page /x", 30)
	add(directive.Later, "a", "core", "E", "no page /y", 31)
	add(directive.Behaviour, "a", "autoindex", "AddIcon", "AddIcon has no effect here", 1, 2, 3, 4, 5, 9, 10)
	add(directive.Behaviour, "b", "autoindex", "AddIcon", "AddIcon has no effect here", 7)
	add(directive.Access, "a", "core", "Open", "Open opens nothing", 40)
	add(directive.Behaviour, "a", "core", "Other", "Other has no effect here", 8)
	add(directive.Behaviour, "a", "core", "More", "More has no effect here", 11)
	list = append(list, directive.Hint{Name: "Shut", Text: "is told with the refusal", Refuse: true})
	want := []string{
		"hint: a:1,2,3,4,5 and 2 more; b:7: AddIcon has no effect here",
		"hint: a:8,11: core: Other, More have no effect here",
		"hint: a:40: Open opens nothing",
		"hint: a:30: no page /x",
		"hint: a:31: no page /y",
		"hint: a:20: T1 tunes",
		"hint: -t -v, or LogLevel hint:info, tells more of each line",
	}
	checkLines(t, hintLines(list), want)
	want = []string{
		"hint: a:1,2,3,4,5 and 2 more: AddIcon has no effect here", "hint: b:7: AddIcon has no effect here",
		"hint: a:8: Other has no effect here", "hint: a:11: More has no effect here", "hint: a:40: Open opens nothing",
		"hint: a:30: no page /x", "hint: a:31: no page /y", "hint: a:20: T1 tunes",
	}
	checkLines(t, hintDetails(list), want)
}

func checkLines(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// A directive of which a part has no effect is not told as one that has none.
func TestPartsAreToldAsParts(t *testing.T) {
	var list []directive.Hint
	add := func(effect directive.Effect, line int, text string) {
		list = append(list, directive.Hint{Pos: apacheconf.Pos{File: "a", Line: line}, Name: "BalancerMember", Module: "proxy", Text: text, Effect: effect, Part: true})
	}
	add(directive.Tuning, 1, "smax= has no effect here")
	add(directive.Tuning, 2, "flushpackets= has no effect here")
	add(directive.Access, 3, "no secret")
	add(directive.Access, 4, "no secret")
	add(directive.Behaviour, 5, "route=a is not used")
	add(directive.Behaviour, 6, "route=b is not used")
	list = append(list, directive.Hint{Pos: apacheconf.Pos{File: "a", Line: 7}, Name: "Old", Module: "proxy", Text: "Old has no effect here"})
	want := []string{
		"hint: a:5,6: mod_proxy: BalancerMember: parts of what they say have no effect here, or another than in httpd",
		"hint: a:7: Old has no effect here",
		"hint: a:3,4: no secret",
		"hint: a:1: smax= has no effect here",
		"hint: a:2: flushpackets= has no effect here",
		"hint: -t -v, or LogLevel hint:info, tells more of each line",
	}
	checkLines(t, hintLines(list), want)
}

// What to use in a module's place is told in the short form, too.
func TestInsteadOfAModule(t *testing.T) {
	var list []directive.Hint
	for i, name := range []string{"JkMount", "JkWorkersFile"} {
		list = append(list, directive.Hint{Pos: apacheconf.Pos{File: "a", Line: i + 1}, Name: name, Module: "jk", Text: name + " is mod_jk's", Instead: "ProxyPass /app ajp://HOST"})
	}
	if got := hintLines(list)[0]; got != "hint: a:1,2: mod_jk: JkMount, JkWorkersFile have no effect here: ProxyPass /app ajp://HOST" {
		t.Error(got)
	}
}
