package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// The lines in the README between which the figures stand.
const (
	begin = "<!-- bench: made by go run ./testdata/bench -->\n"
	end   = "<!-- end of bench -->\n"
)

// updateReadme puts the figures of a run that is kept into the README.
func updateReadme(root string, s *samples) error {
	file := filepath.Join(root, "README.md")
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(text), begin)
	_, after, there := strings.Cut(rest, end)
	if !ok || !there {
		return fmt.Errorf("%s has no place for the figures", file)
	}
	return os.WriteFile(file, []byte(before+begin+figuresOf(s)+end+after), 0o644)
}

// figuresOf is a table of what interests most, without ratios: the chart has them.
func figuresOf(s *samples) string {
	var b strings.Builder
	names := s.servers()
	fmt.Fprintf(&b, "| | %s |\n|---|%s\n", strings.Join(names, " | "), strings.Repeat("---|", len(names)))
	for _, r := range []struct{ title, of, metric, format string }{
		{"CPU time of a small GET, µs", "a", "us", "%.1f"},
		{"… with sections, header edits, sticky sessions and access log", "all", "us", "%.1f"},
		{"… by TLS", "t", "us", "%.1f"},
		{"… by a connection of its own", "d", "us", "%.1f"},
		{"CPU time of a POST of 16 KiB, µs", "c", "us", "%.1f"},
		{"CPU time of a GET of 1 MiB, µs", "e", "us", "%.0f"},
		{"Small GETs per second, all cores busy", "a", "rps", "%.0f"},
		{"99 % of answers at half load within, ms", "half", "p99", "%.1f"},
		{"Memory with 5,000 idle clients, MiB", "f", "rss", "%.0f"},
	} {
		if !s.has(r.of, r.metric) {
			continue
		}
		fmt.Fprintf(&b, "| %s |", r.title)
		for _, n := range names {
			m, ok := s.median(r.of, n, r.metric)
			if r.metric == "rss" {
				m /= 1024
			}
			if !ok {
				b.WriteString(" - |")
				continue
			}
			fmt.Fprintf(&b, " "+r.format+" |", m)
		}
		b.WriteString("\n")
	}
	return b.String()
}
