package main

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestSmoke measures one case for a second with balancerd alone before backends of our own.
func TestSmoke(t *testing.T) {
	if _, err := exec.LookPath("wrk"); err != nil {
		t.Skip("no wrk")
	}
	if testing.Short() {
		t.Skip("short")
	}
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	program := filepath.Join(t.TempDir(), "bench")
	if text, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	out := t.TempDir()
	c := exec.CommandContext(ctx, program, "--cases", "f,all", "--rounds", "1", "--seconds", "1", "--peers", "", "--backend", "go", "--idle", "50", "--port", port(), "--out", out)
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	if text, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	s, err := readSamples(filepath.Join(out, "samples.tsv"), true, nil, true)
	if err != nil {
		t.Fatal(err)
	}
	us, _ := s.median("all", "balancerd", "us")
	rps, _ := s.median("all", "balancerd", "rps")
	rss, _ := s.median("f", "balancerd", "rss")
	if us <= 0 || rps < 100 || rss < 1000 {
		t.Error(us, rps, rss)
	}
	for _, f := range []string{"table.md", "chart.svg"} {
		if st, err := os.Stat(filepath.Join(out, f)); err != nil || st.Size() == 0 {
			t.Error(f, err)
		}
	}
}

func port() string {
	if p := os.Getenv("BENCH_PORT"); p != "" {
		return p
	}
	return "19300"
}

const wrkText = `Running 1s test @ http://127.0.0.1:1/1k
  2 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.21ms    1.05ms  20.01ms   92.38%
    Req/Sec    30.44k     3.62k   37.94k    75.00%
  Latency Distribution
     50%    0.95ms
     75%    1.37ms
     90%    2.06ms
     99%  950.50us
  60592 requests in 1.00s, 75.01MB read
  Socket errors: connect 0, read 1, write 0, timeout 0
  Non-2xx or 3xx responses: 3
Requests/sec:  60486.39
Transfer/sec:     74.88MB
`

func TestParseLoad(t *testing.T) {
	want := result{60592, 60486.39, 950500 * time.Nanosecond, "Socket errors: connect 0, read 1, write 0, timeout 0"}
	if got := parseLoad(wrkText); got != want {
		t.Errorf("%+v", got)
	}
	if got := parseLoad("unable to connect"); got != (result{}) {
		t.Errorf("%+v", got)
	}
}

func TestParseBench(t *testing.T) {
	for line, want := range map[string]float64{
		"BenchmarkClaim/byrequests/10-2         	 4999820	        70.30 ns/op	       0 B/op	       0 allocs/op": 70.30,
		"BenchmarkClaim/byrequests/10         	 4999820	        70.30 ns/op":                                    70.30,
		"PASS": 0,
	} {
		name, ns, ok := parseBench(line)
		if ns != want || ok != (want > 0) || ok && name != "Claim/byrequests/10" {
			t.Error(line, name, ns, ok)
		}
	}
}

// figures are samples of three rounds, of which the last was interrupted.
func figures() *samples {
	s := &samples{note: []string{"a machine"}}
	for _, x := range []struct {
		of, server string
		us         []float64
	}{{"a", "nginx", []float64{10, 30, 20}}, {"a", "balancerd", []float64{10, 16, 11}}, {"log", "balancerd", []float64{12, 17}}, {"a", "httpd", []float64{900}}, {"a", "old <one>", []float64{40}}} {
		for _, v := range x.us {
			s.add(sample{x.of, x.server, "us", v})
		}
	}
	s.add(sample{"f", "nginx", "rss", 100})
	s.add(sample{"f", "balancerd", "rss", 50})
	s.add(sample{"pick", "balancerd", "Claim/byrequests/10", 70})
	return s
}

func TestSamples(t *testing.T) {
	s := figures()
	s.file = filepath.Join(t.TempDir(), "samples.tsv")
	if err := s.write(); err != nil {
		t.Fatal(err)
	}
	again, err := readSamples(s.file, true, nil, true)
	if err != nil || len(again.list) != len(s.list) || len(again.note) != 1 {
		t.Fatal(err, again)
	}
	if m, ok := again.median("a", "nginx", "us"); m != 20 || !ok {
		t.Error(m)
	}
	if r, ok := again.ratio("a", "balancerd", "us"); r != 0.55 || !ok {
		t.Error(r)
	}
	if d, ok := again.difference("log", "a", "balancerd", "us"); d != 1.5 || !ok {
		t.Error(d)
	}
	if _, ok := again.ratio("log", "balancerd", "us"); ok {
		t.Error("a ratio without nginx")
	}
	kept, err := readSamples(s.file, true, []*one{caseOf("a")}, false)
	if err != nil || kept.has("a", "us") || !kept.has("log", "us") {
		t.Error(err, kept)
	}
}

func TestTables(t *testing.T) {
	got := tables(figures())
	for _, want := range []string{"| 20.0 | 11.0 (0.55) | 900.0 (45.00) | 40.0 (2.00) |", "| 100 | 50 (0.50) | - | - |", "| - | +1.5 | - | - |", "| Claim/byrequests/10 | 70 |", "* a machine"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
}

// TestReadme: the figures take the place of older ones, and nothing else changes.
func TestReadme(t *testing.T) {
	root := t.TempDir()
	file := filepath.Join(root, "README.md")
	os.WriteFile(file, []byte("before\n"+begin+"old\n"+end+"after\n"), 0o644)
	if err := updateReadme(root, figures()); err != nil {
		t.Fatal(err)
	}
	text, _ := os.ReadFile(file)
	got := string(text)
	if !strings.HasPrefix(got, "before\n"+begin+"| | nginx |") || !strings.HasSuffix(got, "|\n"+end+"after\n") || strings.Contains(got, "old\n") ||
		!strings.Contains(got, "| CPU time of a small GET, µs | 20.0 | 11.0 |") {
		t.Error(got)
	}
	os.WriteFile(file, []byte("nothing"), 0o644)
	if updateReadme(root, figures()) == nil {
		t.Error("a README without a place")
	}
}

// TestChart: it is well-formed, each bar stands within the plot, and what is out of scale ends at its edge.
func TestChart(t *testing.T) {
	text := draw(figures())
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"prefers-color-scheme: dark", ">0.55<", ">45.00<", "old &lt;one&gt;", `class="other"`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s", want)
		}
	}
	b := barOf(45, 0, "x")
	if b.X+b.W != labelWidth+plotWidth || b.Anchor != "start" {
		t.Errorf("%+v", b)
	}
	if b := barOf(0.5, 0, "x"); math.Abs(b.X+b.W-scale(1)) > 0.1 || b.W < 50 || b.Anchor != "end" {
		t.Errorf("%+v", b)
	}
}

func TestChoose(t *testing.T) {
	list, err := choose([]string{"log", "a"})
	if err != nil || len(list) != 2 || list[0].name != "a" {
		t.Error(list, err)
	}
	if all, _ := choose(nil); len(all) != len(cases) {
		t.Error(len(all))
	}
	if _, err := choose([]string{"nope"}); err == nil || !strings.Contains(err.Error(), "location") {
		t.Error(err)
	}
}

// TestTree: what a server started counts as its own, and ends with it.
func TestTree(t *testing.T) {
	p, err := startProcess(t.TempDir(), "x", "/bin/sh", "-c", "sleep 60 & sleep 60; true")
	if err != nil {
		t.Fatal(err)
	}
	for range 50 {
		if len(p.tree()) == 3 {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	tree := p.tree()
	if len(tree) != 3 || p.memory("status", "VmRSS") == 0 {
		t.Fatal(tree)
	}
	p.stop()
	lives := func(pid int) bool {
		text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		return err == nil && !strings.Contains(string(text), ") Z")
	}
	for _, pid := range tree {
		for end := time.Now().Add(5 * time.Second); lives(pid); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%d lives", pid)
			}
		}
	}
}
