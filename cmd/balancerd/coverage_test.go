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

// coverage has, for each of httpd's modules that has directives, how many are obeyed, and the names of the others, in
// as many short rows as that takes.
func coverage(t *testing.T) string {
	obeyed, partly := map[string]bool{}, map[string]bool{}
	for _, m := range site.Tables(testModules(t)) {
		for _, e := range m.Table {
			if e.Ignored != nil {
				continue
			}
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
	fmt.Fprintf(&out, "%d of httpd's %d directives are obeyed (`balancerd -L` lists them); the others are known: their place and words are\nchecked, and each use is said at the start, with what it does not do.\n\n", total, len(directive.Names()))
	out.WriteString("| module | obeyed | only in part, or only checked | known, without effect |\n|---|---|---|---|\n")
	var none []string
	for _, s := range sources {
		r := rows[s]
		if len(r.yes)+len(r.part) == 0 {
			none = append(none, fmt.Sprintf("%s (%d)", s, len(r.no)))
			continue
		}
		obeyed := fmt.Sprintf("%d of %d", len(r.yes), len(r.yes)+len(r.part)+len(r.no))
		if len(r.part)+len(r.no) == 0 {
			obeyed = fmt.Sprintf("all %d", len(r.yes))
		}
		part, no := shortLines(r.part, 40), shortLines(r.no, 70)
		for i := range max(len(part), len(no), 1) {
			module, count := s, obeyed
			if i > 0 {
				module, count = "", ""
			}
			fmt.Fprintf(&out, "| %s | %s | %s | %s |\n", module, count, cell(part, i), cell(no, i))
		}
	}
	out.WriteString("\nKnown, without effect, as a whole (and how many directives):\n")
	for _, l := range wrap(none, ", ", 118) {
		out.WriteString(l + "\n")
	}
	return out.String()
}

// shortLines are names as code, in lines of about so many characters.
func shortLines(names []string, width int) []string {
	var code []string
	for _, n := range names {
		code = append(code, "`"+n+"`")
	}
	return wrap(code, " ", width)
}

// cell is the i-th line, if there are so many.
func cell(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return ""
}

// wrap joins words to lines of at most width characters, but for a word that is longer.
func wrap(words []string, between string, width int) (lines []string) {
	for i, w := range words {
		if i+1 < len(words) {
			w += strings.TrimRight(between, " ")
		}
		if last := len(lines) - 1; last >= 0 && len(lines[last])+1+len(w) <= width {
			lines[last] += " " + w
		} else {
			lines = append(lines, w)
		}
	}
	return lines
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
			if source, _ := (directive.Catalog{}).Provider(e.Name); !known[source] && e.Partial == "" && e.Ignored == nil {
				t.Errorf("%s of %s is obeyed, and its module is not among directive.Obeyed", e.Name, source)
			}
		}
	}
}

// TestEachDirectiveHasOneRow: of two rows one would be read by nobody. A row that is ignored has nothing else.
func TestEachDirectiveHasOneRow(t *testing.T) {
	names := map[string]string{}
	for _, name := range directive.Names() {
		names[strings.ToLower(name)] = name
	}
	seen := map[string]string{}
	for _, m := range append(site.Tables(testModules(t)), directive.Module{Name: "absent", Table: directive.Absent()}) {
		for _, e := range m.Table {
			low := strings.ToLower(e.Name)
			if other, twice := seen[low]; twice {
				t.Errorf("%s has a row in %s and one in %s", e.Name, other, m.Name)
			}
			if seen[low] = m.Name; names[low] == "" {
				t.Errorf("%s of %s is no directive of httpd's", e.Name, m.Name)
			}
			if e.Ignored != nil && (e.Set != nil || e.Open != nil || e.Close != nil || e.Partial != "") {
				t.Errorf("%s of %s is ignored, and obeyed", e.Name, m.Name)
			}
			if directive.Structural(e.Name) && e.Set == nil && e.Open == nil && e.Close == nil {
				t.Errorf("%s of %s acts while the text is read: nobody reads its row", e.Name, m.Name)
			}
		}
	}
}
