package upstream

import (
	"errors"
	"fmt"
	"math/rand"
	"slices"
	"strings"
	"testing"
	"time"

	"balancerd/apacheconf/pattern"
	"balancerd/balancer"
	"balancerd/balancer/method"
	"balancerd/proxy/exchange"
	"balancerd/testdata/linear"
)

// randomLines is a list of lines whose paths have much in common.
func randomLines(r *rand.Rand) []*Line {
	list := make([]*Line, r.Intn(40))
	for i := range list {
		l := &Line{Path: randomPath(r), URL: fmt.Sprintf("http://h%d/u%d", r.Intn(3), i)}
		switch r.Intn(12) {
		case 0:
			l.Path = "^" + l.Path + "(.*)"
			l.Pattern, _ = pattern.Compile(l.Path, pattern.Options{})
			l.URL += "$1"
		case 1:
			l.URL = "!"
		case 2:
			l.Flags = NoCanon
		case 3:
			l.Flags, l.URL = Interpolate, "${URL}"
		case 4:
			l.Flags, l.Path = Interpolate, l.Path+"${PART}"
		case 5:
			l.Flags = MapEncoded
		case 6:
			l.Flags = MapEncoded | MapServlet
		case 7:
			l.Path = []string{"", "a", "//"}[r.Intn(3)]
		}
		list[i] = l
	}
	return list
}

func randomPath(r *rand.Rand) string {
	var b strings.Builder
	for range 1 + r.Intn(4) {
		b.WriteString([]string{"/", "/", "//"}[r.Intn(3)])
		b.WriteString([]string{"a", "b", "ab", "abc", ""}[r.Intn(5)])
	}
	return b.String()
}

// mapping is what came of a walk.
type mapping struct {
	found          bool
	err            error
	filename, path string
	line           *Line
}

func mappingOf(x *exchange.Exchange, found bool, err error) mapping {
	m := mapping{found: found, err: err, filename: x.Filename, path: x.Req.Path}
	if p, ok := x.State[exchange.StateProxy].(*proxyState); ok && p.route != nil {
		m.line = p.route.Line
	}
	return m
}

func requestFor(path string) *exchange.Exchange {
	x := &exchange.Exchange{Server: &exchange.Server{Name: "s"}}
	x.Req.Path, x.Req.RawPath, x.Req.Target = path, path, path
	x.Env.Set("PART", "b")
	x.Env.Set("URL", "http://h/var")
	return x
}

// The tables find what a walk along all lines finds, whatever the lines.
func TestTablesFindWhatAWalkFinds(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	hits := 0
	for range 3000 {
		list := randomLines(r)
		lines := NewLines(list)
		for range 10 {
			path, encoded, vars := randomPath(r), r.Intn(4) == 0, r.Intn(2) == 0
			table := &lines.late
			if encoded {
				table = &lines.early
			}
			x := requestFor(path)
			decided, err := lines.try(table, x, make([]target, len(lines.destinations)+1), vars)
			got := mappingOf(x, decided != nil, err)
			x = requestFor(path)
			want := mappingOf(x, false, nil)
			if decided, err := lines.walk(encoded, x, make([]target, len(lines.destinations)+1), vars); decided != nil {
				want = mappingOf(x, true, err)
			}
			if want.found {
				hits++
			}
			if got.found != want.found || !errors.Is(got.err, want.err) || got.filename != want.filename || got.path != want.path || got.line != want.line {
				for _, l := range list {
					t.Logf("%+v", *l)
				}
				t.Fatalf("%s: %+v, want %+v", path, got, want)
			}
		}
	}
	if hits < 5000 {
		t.Errorf("only %d of 30000 paths were mapped", hits)
	}
}

// FuzzPaths holds the table against matchPrefix, of lines apart by blanks.
func FuzzPaths(f *testing.F) {
	f.Add("/a /a/b/ //a /ab / /a//b", "/a//b/c")
	f.Fuzz(func(t *testing.T, lines, path string) {
		if path = singleSlashes(path); !strings.HasPrefix(path, "/") {
			return
		}
		var table pathTable
		wantLine, want := int32(noLine), 0
		for i, p := range strings.Fields(lines) {
			table.add(p, int32(i))
			if n := matchPrefix(path, p); n > 0 && wantLine == noLine {
				wantLine, want = int32(i), n
			}
		}
		if line, n := table.first(path); line != wantLine || n != want {
			t.Errorf("%q of %q: line %d, %d bytes, want %d, %d", path, lines, line, n, wantLine, want)
		}
	})
}

// The workers of two servers are found as balancer.Longest finds them in the list of both.
func TestWorkersAreFoundAsInAList(t *testing.T) {
	r := rand.New(rand.NewSource(2))
	names := func(n int) (list []*balancer.Worker) {
		var specs []balancer.WorkerSpec
		for range n {
			match := r.Intn(3) == 0
			url := fmt.Sprintf("http://h%d%s", r.Intn(3), randomPath(r))
			if match {
				url += []string{"$1", "/$1", "$1/b", `\b`, ""}[r.Intn(5)]
				if r.Intn(6) == 0 {
					url = "http://h$1/" + fmt.Sprint(r.Intn(3))
				}
			}
			a, err := balancer.ParseAddress(url, "/", match)
			if err != nil {
				t.Fatal(err)
			}
			specs = append(specs, balancer.WorkerSpec{VHost: "v", Address: a, Settings: balancer.NewWorkerSettings()})
		}
		plan, err := balancer.NewFarm(method.Builtin(nil), nil).Plan(t.Context(), nil, slices.Values(specs))
		if err != nil {
			t.Fatal(err)
		}
		return plan.Workers("v")
	}
	found := 0
	for range 2000 {
		first, second := names(r.Intn(20)), names(r.Intn(5))
		u := &Upstreams{Workers: []*Workers{NewWorkers(first), NewWorkers(second)}}
		for range 10 {
			name, path := fmt.Sprintf("http://h%d", r.Intn(4)), randomPath(r)
			s := u.at(name)
			got := s.longest(&exchange.Arena{}, name, path)
			want := balancer.Longest(append(first[:len(first):len(first)], second...), name+path)
			if got != want {
				t.Fatalf("%s%s: %v, want %v", name, path, got, want)
			}
			if want != nil {
				found++
			}
		}
	}
	if found < 2000 {
		t.Errorf("only %d of 20000 URLs had a worker", found)
	}
}

// The last of ten times as many lines is found as soon, and so is the worker of the last of ten times as many.
func TestLastLineIsFoundAtOnce(t *testing.T) {
	cost := func(n int) time.Duration {
		var list []*Line
		var specs []balancer.WorkerSpec
		for i := range n {
			list = append(list, &Line{Path: fmt.Sprintf("/api/v1/customers/application%05d/", i), URL: fmt.Sprintf("http://h/x%05d/", i)})
			a, _ := balancer.ParseAddress(list[i].URL, "/", false)
			specs = append(specs, balancer.WorkerSpec{VHost: "v", Address: a, Settings: balancer.NewWorkerSettings()})
		}
		plan, err := balancer.NewFarm(method.Builtin(nil), nil).Plan(t.Context(), nil, slices.Values(specs))
		if err != nil {
			t.Fatal(err)
		}
		u := &Upstreams{Workers: []*Workers{NewWorkers(plan.Workers("v"))}}
		lines := NewLines(list)
		u.Compile(lines)
		m, x := u.mapper(nil, false), requestFor(list[n-1].Path+"page")
		return linear.Best(func() {
			for range 2000 {
				x.Filename = ""
				x.Arena.Reset()
				if err := m.decoded(t.Context(), x); err != exchange.Stop {
					t.Fatal(err)
				}
				p := stateOf(x)
				if w := u.at(p.route.dest.site); w.longest(&x.Arena, p.route.dest.site, x.Filename[p.route.pathAt-1:]) != plan.Workers("v")[n-1] {
					t.Fatal("not the worker of the last line")
				}
			}
		})
	}
	few, many := cost(1000), cost(10000)
	for round := 0; round < 5 && many > 4*few; round++ {
		few, many = min(few, cost(1000)), min(many, cost(10000))
	}
	if many > 4*few {
		t.Errorf("the last of 1,000 lines costs %v, the last of 10,000 %v", few/2000, many/2000)
	}
}
