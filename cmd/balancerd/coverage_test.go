package main

import (
	"fmt"
	"os"
	"sort"
	"strings"
	"testing"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/site"
)

const coverageBegin, coverageEnd = "<!-- coverage: made by BALANCERD_UPDATE=1 go test ./cmd/balancerd -run TestCoverage -->", "<!-- end of coverage -->"

// TestCoverage holds the README's table of directives against the modules' own tables.
func TestCoverage(t *testing.T) {
	b, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(b), coverageBegin)
	was, after, closed := strings.Cut(rest, coverageEnd)
	if !ok || !closed {
		t.Fatal("README.md has no place for the coverage table")
	}
	want := "\n" + coverage(t) + "\n"
	if was == want {
		return
	}
	if os.Getenv("BALANCERD_UPDATE") == "" {
		t.Fatal("README.md's coverage table is not what the tables say; BALANCERD_UPDATE=1 mends it")
	}
	if err := os.WriteFile("../../README.md", []byte(before+coverageBegin+want+coverageEnd+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

// coverage is one line for each of httpd's modules that has directives: what is obeyed, and what is
// known but has no effect.
func coverage(t *testing.T) string {
	obeyed, partly := map[string]bool{}, map[string]bool{}
	for _, m := range site.Tables(testModules(t)) {
		for _, e := range m.Table {
			obeyed[strings.ToLower(e.Name)] = true
			partly[strings.ToLower(e.Name)] = e.Partial != ""
		}
	}
	type row struct{ yes, part, no []string }
	rows := map[string]*row{}
	total := 0
	for _, name := range directive.Names() {
		src, _ := directive.Catalog{}.Provider(name)
		r := rows[src]
		if r == nil {
			r = &row{}
			rows[src] = r
		}
		if partly[strings.ToLower(name)] {
			r.part = append(r.part, name)
		} else if obeyed[strings.ToLower(name)] || directive.Structural(name) {
			r.yes = append(r.yes, name)
			total++
		} else {
			r.no = append(r.no, name)
		}
	}
	var sources []string
	for s := range rows {
		sources = append(sources, s)
	}
	sort.Slice(sources, func(i, j int) bool {
		a, b := len(rows[sources[i]].yes), len(rows[sources[j]].yes)
		if a != b {
			return a > b
		}
		return sources[i] < sources[j]
	})
	var out strings.Builder
	fmt.Fprintf(&out, "%d of httpd's %d directives are obeyed; the others are known: their place and words are checked, and each use is\nsaid at the start, with what it does not do. Health checks, rewriting and filters come next.\n\n", total, len(directive.Names()))
	out.WriteString("| module | obeyed | in part, or only checked | known, without effect |\n|---|---|---|---|\n")
	var none []string
	for _, s := range sources {
		r := rows[s]
		if len(r.yes)+len(r.part) == 0 {
			none = append(none, fmt.Sprintf("%s (%d)", s, len(r.no)))
			continue
		}
		fmt.Fprintf(&out, "| %s | %s | %s | %s |\n", s, list(r.yes), list(r.part), list(r.no))
	}
	fmt.Fprintf(&out, "\nKnown, without effect, as a whole: %s.\n", strings.Join(none, ", "))
	return out.String()
}

func list(names []string) string {
	var out []string
	for _, n := range names {
		out = append(out, "`"+strings.ReplaceAll(n, "<", "&lt;")+"`")
	}
	return strings.ReplaceAll(strings.Join(out, " "), "`&lt;", "`<")
}

// TestObeyedModules: each module of httpd's whose directives are obeyed in the main counts as obeyed, so that
// parts of configurations have it.
func TestObeyedModules(t *testing.T) {
	known := map[string]bool{}
	for _, ident := range directive.Obeyed() {
		source, _, _ := directive.Catalog{}.Source(ident)
		known[source] = true
	}
	for _, ident := range (directive.Catalog{}).Builtins() {
		source, _, _ := directive.Catalog{}.Source(ident)
		known[source] = true
	}
	known["event.c"] = true
	for _, m := range site.Tables(testModules(t)) {
		for _, e := range m.Table {
			if source, _ := (directive.Catalog{}).Provider(e.Name); !known[source] && e.Partial == "" {
				t.Errorf("%s of %s is obeyed, and its module is not among directive.Obeyed", e.Name, source)
			}
		}
	}
}
