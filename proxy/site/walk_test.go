package site

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/testdata/linear"
)

// serverOf makes a server's scope with sections inside.
func serverOf(kind directive.Where, inside ...*directive.Scope) *directive.Scope {
	return &directive.Scope{Kind: kind, Children: inside}
}

// hostWith is a host whose sections are those of the main server and its own. In every section whose argument
// has an a, symbolic links are followed.
func hostWith(t testing.TB, main, own *directive.Scope) *Host {
	t.Helper()
	build := func(chain []*directive.Scope, p *Plan) error {
		p.Local = &exchange.Local{}
		p.FollowsLinks = slices.ContainsFunc(chain, func(s *directive.Scope) bool { return strings.Contains(s.Arg, "a") })
		return nil
	}
	c := &compiler{builders: []builder{{&Module{}, build}}}
	h := &Host{Server: &exchange.Server{MergeSlashes: true, Levels: &exchange.Levels{}}, Scope: own}
	for _, s := range []*directive.Scope{main, own} {
		secs, err := compileSections(s)
		if err != nil {
			t.Fatal(err)
		}
		h.sections = append(h.sections, secs)
		if h.early, err = c.server([]*directive.Scope{main, own}[:len(h.sections)]...); err != nil {
			t.Fatal(err)
		}
	}
	h.root = newTree(c, &keeper{}, h.early, main, own)
	h.root.access = newAccessRule(Overrides{Allowed: directive.Some(directive.Override{})})
	return h
}

// plainWalk is the walk of a mapped request over all sections, one after the other.
func plainWalk(h *Host, x *exchange.Exchange) []*directive.Scope {
	end := h.root
	every := func(of func(*sections) *list, covers func(*section) bool) {
		for _, s := range h.sections {
			l := of(s)
			for i := range l.all {
				if covers(&l.all[i]) {
					end = end.enter(&l.all[i])
				}
			}
		}
	}
	if url, ok := strings.CutPrefix(x.Filename, "proxy:"); ok {
		every(func(s *sections) *list { return &s.proxies }, func(s *section) bool { return s.covers(x, url) })
	} else {
		end = plainDirectories(h, x)
		name := x.Filename[strings.LastIndexByte(x.Filename, '/')+1:]
		every(func(s *sections) *list { return &s.files }, func(s *section) bool { return s.covers(x, name) })
	}
	merged := mergedPath(x)
	every(func(s *sections) *list { return &s.locations }, func(s *section) bool { return s.covers(x, s.path(x, merged)) })
	return end.scopes()
}

// plainDirectories takes the folders one after the other, and at each all sections of its depth.
func plainDirectories(h *Host, x *exchange.Exchange) *node {
	w := walk{x: x, host: h, end: h.root}
	var all []*section
	for _, s := range h.sections {
		for i := range s.directories.all {
			all = append(all, &s.directories.all[i])
		}
	}
	slices.SortStableFunc(all, func(a, b *section) int { return a.depth - b.depth })
	name := strings.TrimRight(x.Filename, "/")
	for _, s := range all {
		if s.regex != nil {
			w.add(s, x.Filename)
			continue
		}
		depth, end := 0, 0
		for depth < s.depth && end < len(name) {
			depth, end = depth+1, segmentEnd(name, end)
		}
		if depth >= s.depth && s.match(x, name[:end]) && (end < len(name) || end == 0 || w.walksThrough()) {
			w.end = w.end.enter(s)
		}
	}
	return w.end
}

// randomPath is a path of few segments.
func randomPath(r *rand.Rand, wild bool) string {
	segments := []string{"a", "b", "ab", "A", "", "a.b", "..."}
	if wild {
		segments = append(segments, "*", "a*", "?", "[ab]", `\*`, "[a")
	}
	var b strings.Builder
	for range r.IntN(5) {
		b.WriteString("/" + pick(r, segments...))
	}
	return b.String() + pick(r, "", "", "/")
}

func randomSection(r *rand.Rand) *directive.Scope {
	s := &directive.Scope{Kind: pick(r, directive.Location, directive.Proxy, directive.Directory, directive.Files), Tag: "Section"}
	if s.Regex = r.IntN(6) == 0; s.Regex {
		s.Arg = pick(r, "^/a", "b$", "/(?<x>a+)/", "/A", "^proxy", "//", "[ab]b")
		return s
	}
	s.Arg = randomPath(r, r.IntN(4) == 0)
	switch s.Kind {
	case directive.Proxy:
		s.Arg = pick(r, "http://m", "balancer://a", "*", "") + s.Arg
	case directive.Files:
		s.Arg = strings.ReplaceAll(s.Arg, "/", "")
	}
	return s
}

// What the tables find is what a walk over all sections finds, in the same order.
func TestWalksAreLinearWalks(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	longest := 0
	for range 400 {
		server := func(kind directive.Where) *directive.Scope {
			s := serverOf(kind)
			for range r.IntN(pick(r, 4, 120)) {
				s.Children = append(s.Children, randomSection(r))
			}
			return s
		}
		h := hostWith(t, server(directive.Main), server(directive.VHost))
		for range 40 {
			x := &exchange.Exchange{Server: &exchange.Server{MergeSlashes: r.IntN(2) == 0, Levels: &exchange.Levels{}}}
			x.Req.Path = randomPath(r, false)
			x.Filename = pick(r, "", "proxy:http://m", "proxy:balancer://a") + randomPath(r, false)
			x.FileType = pick(r, exchange.NoFile, exchange.Regular, exchange.Directory)
			want := plainWalk(h, x)
			w := walk{x: x, host: h, end: h.root}
			if url, ok := strings.CutPrefix(x.Filename, "proxy:"); ok {
				w.targets(url)
			} else {
				w.directories()
				w.files()
			}
			w.locations()
			if got := w.end.scopes(); !slices.Equal(got, want) {
				t.Fatalf("%q and %q: %s, want %s", x.Req.Path, x.Filename, told(got), told(want))
			}
			longest = max(longest, len(want))
		}
	}
	if longest < 10 {
		t.Error("no walk adds more than", longest)
	}
}

func told(chain []*directive.Scope) (out string) {
	for _, s := range chain {
		out += fmt.Sprintf("<%d %q> ", s.Kind, s.Arg)
	}
	return out
}

// manySections is a host with many sections of a kind with literal arguments.
func manySections(t testing.TB, kind directive.Where, size int, arg string) *Host {
	main := serverOf(directive.Main)
	for i := range size {
		main.Children = append(main.Children, &directive.Scope{Kind: kind, Arg: strings.ReplaceAll(arg, "N", fmt.Sprint(i))})
	}
	return hostWith(t, main, serverOf(directive.VHost))
}

// The last of 10,000 sections is found as fast as the last of 1,000, and without memory of its own.
func TestManySectionsAreNotWalked(t *testing.T) {
	for _, c := range []struct {
		kind           directive.Where
		arg, path, uri string
	}{
		{directive.Location, "/appN/", "/appN/x", ""},
		{directive.Proxy, "balancer://bN", "/", "proxy:balancer://bN/x"},
		{directive.Directory, "/srv/wN", "/", "/srv/wN/index.html"},
		{directive.Files, "fN", "/", "/srv/fN"},
	} {
		find := func(h *Host, size int) func() {
			last := func(s string) string { return strings.ReplaceAll(s, "N", fmt.Sprint(size-1)) }
			x := &exchange.Exchange{Server: h.Server, FileType: exchange.Regular}
			x.State[exchange.StateHost] = h
			x.Req.Path, x.Filename = last(c.path), last(c.uri)
			s := &Site{}
			return func() {
				if p, err := s.finalPlan(x, h); err != nil || p == h.early {
					t.Fatal(c.arg, err)
				}
			}
		}
		few, many := manySections(t, c.kind, 1000, c.arg), manySections(t, c.kind, 10000, c.arg)
		once, ten := find(few, 1000), find(many, 10000)
		if n := testing.AllocsPerRun(100, ten); n > 0 {
			t.Errorf("%s: %v allocations", c.arg, n)
		}
		a, b := linear.Best(thousand(once)), linear.Best(thousand(ten))
		if b > 5*a {
			t.Errorf("%s: %v among 1,000, %v among 10,000", c.arg, a, b)
		}
	}
}

// thousand calls f a thousand times.
func thousand(f func()) func() {
	return func() {
		for range 1000 {
			f()
		}
	}
}

// TestLocationsAreWalkedOnce: the sections of a path are looked for before it is mapped, and remembered; a path that
// decoding changes, or one that is served in its place, is another.
func TestLocationsAreWalkedOnce(t *testing.T) {
	location := func(arg string) *directive.Scope { return &directive.Scope{Kind: directive.Location, Arg: arg} }
	h := hostWith(t, serverOf(directive.Main, location("/a"), &directive.Scope{Kind: directive.Proxy, Arg: "http://m/"}), serverOf(directive.VHost, location("/a/b"), location("/c")))
	looks := 0
	for _, s := range h.sections {
		for i := range s.locations.all {
			match := s.locations.all[i].match
			s.locations.all[i].match = func(x *exchange.Exchange, text string) bool { looks++; return match(x, text) }
		}
	}
	s := &Site{}
	x := &exchange.Exchange{Server: h.Server}
	for _, c := range []struct {
		path  string
		looks int
		args  string
	}{{"/a/b/x", 3, "http://m/ /a /a/b"}, {"/a/b/x", 0, "http://m/ /a /a/b"}, {"/c", 3, "http://m/ /c"}, {"/", 3, "http://m/"}} {
		looks = 0
		x.Req.Path, x.Filename = c.path, ""
		if _, err := h.located(x); err != nil {
			t.Fatal(err)
		}
		before := looks
		x.Filename = "proxy:http://m/"
		p, err := s.finalPlan(x, h)
		if err != nil {
			t.Fatal(err)
		}
		if looks != before {
			t.Error(c.path, "was walked again")
		}
		args := ""
		for _, t := range p.parts[0].chain[2:] {
			args += " " + t.Arg
		}
		if strings.TrimSpace(args) != c.args || before != c.looks {
			t.Errorf("%s: %s, %d looks", c.path, args, before)
		}
	}
	x.Located, x.State[exchange.StateLocated] = "", nil
	looks = 0
	if h.located(x); looks != 3 {
		t.Error("what was forgotten is not looked for:", looks)
	}
}

// A walk down to a file allocates nothing where no access file is looked at.
func TestWalkAllocatesNothing(t *testing.T) {
	folder := func(arg string) *directive.Scope {
		return &directive.Scope{Kind: directive.Directory, Tag: "Directory", Arg: arg}
	}
	h := hostWith(t, serverOf(directive.Main, folder("/"), folder("/a"), folder("/a/b")), serverOf(directive.VHost))
	x := &exchange.Exchange{Server: &exchange.Server{Levels: &exchange.Levels{}}, Filename: "/a/b/c/d/f", FileType: exchange.Regular}
	w := walk{x: x, host: h, end: h.root}
	w.directories()
	if n := testing.AllocsPerRun(100, func() {
		w := walk{x: x, host: h, end: h.root}
		w.directories()
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
