package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// report writes the samples, their medians as tables, and the chart.
func report(out string, s *samples) error {
	slices.SortStableFunc(s.list, func(a, b sample) int { return cmp.Compare(place(a.of), place(b.of)) })
	if err := s.write(); err != nil {
		return err
	}
	table := filepath.Join(out, "table.md")
	if err := os.WriteFile(table, []byte(tables(s)), 0o644); err != nil {
		return err
	}
	chart := filepath.Join(out, "chart.svg")
	if err := os.WriteFile(chart, []byte(draw(s)), 0o644); err != nil {
		return err
	}
	fmt.Println(s.file, table, chart)
	return nil
}

func place(name string) int {
	return slices.IndexFunc(cases, func(c one) bool { return c.name == name })
}

// tables is table.md.
func tables(s *samples) string {
	var b strings.Builder
	b.WriteString("# balancerd and its peers\n\nMade by `go run ./testdata/bench`; samples.tsv has every figure.\n\n")
	for _, n := range s.note {
		fmt.Fprintf(&b, "* %s\n", n)
	}
	b.WriteString("\n![CPU time and memory as ratio to nginx](chart.svg)\n")
	for _, t := range []struct {
		title, metric, format string
		of                    func(*one) bool
	}{
		{"CPU time per request, microseconds (ratio to nginx)", "us", "%.1f", isLoad},
		{"Requests per second (ratio to nginx)", "rps", "%.0f", isLoad},
		{"99th percentile of latency, milliseconds (ratio to nginx)", "p99", "%.2f", isLoad},
		{"Memory under idle clients, RSS of all processes, KiB (ratio to nginx)", "rss", "%.0f", func(c *one) bool { return c.kind == idling }},
		{"… PSS: shared pages counted once", "pss", "%.0f", func(c *one) bool { return c.kind == idling }},
	} {
		b.WriteString(matrix(s, t.title, t.metric, t.format, t.of))
	}
	b.WriteString(features(s))
	b.WriteString(pickTable(s))
	return b.String()
}

func isLoad(c *one) bool { return c.kind == loaded }

// matrix is a table of cases and servers, "" without figures.
func matrix(s *samples, title, metric, format string, of func(*one) bool) string {
	var b strings.Builder
	for i := range cases {
		c := &cases[i]
		if !of(c) || !s.has(c.name, metric) {
			continue
		}
		if b.Len() == 0 {
			b.WriteString(heading(title, s.servers()))
		}
		fmt.Fprintf(&b, "| **%s** %s |", c.name, markdown(c.title))
		for _, name := range s.servers() {
			b.WriteString(" " + s.cell(c.name, name, metric, format) + " |")
		}
		b.WriteString("\n")
	}
	return b.String()
}

func markdown(s string) string { return strings.ReplaceAll(s, "<Location>", "`<Location>`") }

func heading(title string, columns []string) string {
	return "\n## " + title + "\n\n| case | " + strings.Join(columns, " | ") + " |\n|---|" + strings.Repeat("---|", len(columns)) + "\n"
}

func (s *samples) has(of, metric string) bool {
	return slices.ContainsFunc(s.list, func(x sample) bool { return x.of == of && x.metric == metric })
}

// cell is a median and its ratio to nginx.
func (s *samples) cell(of, server, metric, format string) string {
	m, ok := s.median(of, server, metric)
	if !ok {
		return "-"
	}
	text := fmt.Sprintf(format, m)
	if r, ok := s.ratio(of, server, metric); ok && server != yardstick {
		text += fmt.Sprintf(" (%.2f)", r)
	}
	return text
}

const yardstick = "nginx"

// ratio is a median by nginx's.
func (s *samples) ratio(of, server, metric string) (float64, bool) {
	m, ok := s.median(of, server, metric)
	base, there := s.median(of, yardstick, metric)
	if !ok || !there || base == 0 {
		return 0, false
	}
	return m / base, true
}

// features is what each of them costs a request: its case less case a.
func features(s *samples) string {
	var b strings.Builder
	for i := range cases {
		c := &cases[i]
		if !c.feature || !s.has(c.name, "us") || !s.has("a", "us") {
			continue
		}
		if b.Len() == 0 {
			b.WriteString(heading("What configured features cost: CPU microseconds more than case a of the same round", s.servers()))
		}
		fmt.Fprintf(&b, "| **%s** %s |", c.name, strings.TrimPrefix(markdown(c.title), "1 KiB GET with "))
		for _, name := range s.servers() {
			if d, ok := s.difference(c.name, "a", name, "us"); ok {
				fmt.Fprintf(&b, " %+.1f |", d)
			} else {
				b.WriteString(" - |")
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

func pickTable(s *samples) string {
	var b strings.Builder
	for _, x := range s.list {
		if x.of != "pick" {
			continue
		}
		if b.Len() == 0 {
			b.WriteString("\n## A pick and its end, nanoseconds (method or session / members)\n\n| benchmark | ns |\n|---|---|\n")
		}
		fmt.Fprintf(&b, "| %s | %.0f |\n", x.metric, x.value)
	}
	return b.String()
}
