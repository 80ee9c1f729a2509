package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
)

// sample is one figure of one round.
type sample struct {
	of, server string
	metric     string // "us" CPU a request, "rps", "p99" ms, "rss", "pss" and "base" KiB; of picks the benchmark's name, in ns
	value      float64
}

// samples are all figures; file is where they are kept.
type samples struct {
	file string
	list []sample
	note []string // lines about machine and servers
}

func (s *samples) add(x sample) { s.list = append(s.list, x) }

// readSamples begins with what the file has, without the cases that are to be measured anew.
func readSamples(file string, keep bool, anew []*one, all bool) (*samples, error) {
	s := &samples{file: file}
	if !keep {
		return s, nil
	}
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	in := bufio.NewScanner(f)
	for in.Scan() {
		w := strings.Split(in.Text(), "\t")
		if note, ok := strings.CutPrefix(in.Text(), "# "); ok && all {
			s.note = append(s.note, note)
		}
		if len(w) != 4 || strings.HasPrefix(w[0], "#") || w[0] == "case" {
			continue
		}
		v, err := strconv.ParseFloat(w[3], 64)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if all || !slices.ContainsFunc(anew, func(c *one) bool { return c.name == w[0] }) {
			s.add(sample{w[0], w[1], w[2], v})
		}
	}
	return s, in.Err()
}

// write keeps them as a table with tabs.
func (s *samples) write() error {
	var b strings.Builder
	for _, n := range s.note {
		fmt.Fprintf(&b, "# %s\n", n)
	}
	b.WriteString("case\tserver\tmetric\tvalue\n")
	for _, x := range s.list {
		fmt.Fprintf(&b, "%s\t%s\t%s\t%s\n", x.of, x.server, x.metric, strconv.FormatFloat(x.value, 'f', -1, 64))
	}
	return os.WriteFile(s.file, []byte(b.String()), 0o644)
}

// of is a figure's samples, a round each.
func (s *samples) of(name, server, metric string) (v []float64) {
	for _, x := range s.list {
		if x.of == name && x.server == server && x.metric == metric {
			v = append(v, x.value)
		}
	}
	return v
}

// median is the middle of a figure's samples; ok is false without any.
func (s *samples) median(of, server, metric string) (m float64, ok bool) {
	return middle(s.of(of, server, metric))
}

// difference is the middle of what a round's figure is more than that of another case: of the rounds that have both, for a
// run that was interrupted has more of the cases that come first.
func (s *samples) difference(of, base, server, metric string) (float64, bool) {
	v, from := s.of(of, server, metric), s.of(base, server, metric)
	v = v[:min(len(v), len(from))]
	for i := range v {
		v[i] -= from[i]
	}
	return middle(v)
}

func middle(v []float64) (m float64, ok bool) {
	if len(v) == 0 {
		return 0, false
	}
	slices.Sort(v)
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2, true
}

// servers is who has figures, in the order of the first.
func (s *samples) servers() (names []string) {
	for _, x := range s.list {
		if !slices.Contains(names, x.server) {
			names = append(names, x.server)
		}
	}
	return names
}
