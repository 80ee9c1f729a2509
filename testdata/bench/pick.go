package main

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
)

var benchLine = regexp.MustCompile(`^Benchmark(\S+?)(?:-(\d+))?\s+\d+\s+([\d.]+) ns/op.*?(?:\s(\d+) allocs/op)?$`)

// pickCosts runs the balancer's benchmarks: the time of a pick, and of picks on all processors at once.
func pickCosts(ctx context.Context, root string, s *samples) error {
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "Claim|Session|Count", "-benchmem", "-benchtime", "300ms", "./balancer")
	cmd.Dir = root
	text, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("go test -bench: %w\n%s", err, text)
	}
	for line := range strings.Lines(string(text)) {
		name, ns, ok := parseBench(strings.TrimSpace(line))
		if ok {
			fmt.Printf("  pick %-32s %8.1f ns\n", name, ns)
			s.add(sample{"pick", "balancerd", name, ns})
		}
	}
	return nil
}

func parseBench(line string) (name string, ns float64, ok bool) {
	m := benchLine.FindStringSubmatch(line)
	if m == nil {
		return "", 0, false
	}
	ns, err := strconv.ParseFloat(m[3], 64)
	return m[1], ns, err == nil
}
