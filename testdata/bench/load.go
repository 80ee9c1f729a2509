package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// result is what wrk saw.
type result struct {
	requests int
	rate     float64       // requests a second
	p99      time.Duration // of the answers' latency
	trouble  string        // errors and answers that are no success
}

// load has wrk ask a server for some seconds.
func load(ctx context.Context, run string, c *one, port int, seconds float64) (result, error) {
	scheme := "http"
	if c.variant == tlsPort {
		scheme = "https"
	}
	args := []string{"-t2", "-c" + strconv.Itoa(c.clients), "-d" + duration(seconds), "--latency", "--timeout", "10s"}
	for _, f := range c.fields {
		args = append(args, "-H", f)
	}
	if c.script != "" {
		args = append(args, "-s", filepath.Join(run, c.script))
	}
	ctx, stop := context.WithTimeout(ctx, time.Duration(seconds*float64(time.Second))+30*time.Second)
	defer stop()
	text, err := exec.CommandContext(ctx, "wrk", append(args, fmt.Sprintf("%s://127.0.0.1:%d%s", scheme, port, c.path))...).CombinedOutput()
	if err != nil {
		return result{}, fmt.Errorf("wrk: %w\n%s", err, text)
	}
	return parseLoad(string(text)), nil
}

// duration is seconds as wrk reads them: whole ones, at least one.
func duration(seconds float64) string { return strconv.Itoa(max(1, int(seconds+0.5))) + "s" }

var (
	requests = regexp.MustCompile(`(\d+) requests in`)
	rate     = regexp.MustCompile(`Requests/sec:\s+([\d.]+)`)
	p99      = regexp.MustCompile(`(?m)^\s+99%\s+(\S+)`)
	trouble  = regexp.MustCompile(`(?m)^\s*(Socket errors:.*|Non-2xx.*)$`)
)

func parseLoad(text string) (r result) {
	r.requests, _ = strconv.Atoi(group(requests, text))
	r.rate, _ = strconv.ParseFloat(group(rate, text), 64)
	r.p99, _ = time.ParseDuration(group(p99, text)) // 1.23ms, 950.00us, 1.01s
	r.trouble = strings.TrimSpace(group(trouble, text))
	return r
}

func group(re *regexp.Regexp, text string) string {
	if m := re.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}
