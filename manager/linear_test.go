package manager

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"testing"

	"balancerd/balancer"
	"balancerd/testdata/linear"
)

// TestFormIsLinear: what a client may send to the page.
func TestFormIsLinear(t *testing.T) {
	s := newSession(nil)
	for _, piece := range []string{"a=b&", "&", "=", "%41", "%25", "w=http://x/&", "+", "%", "a%00&", "balancer-notice=x; ", "text/html,"} {
		input := func(size int) string { return strings.Repeat(piece, size/len(piece)) }
		linear.Check(t, 4<<10, input, func(text string) {
			parse(text)
			parse(text, "w", "b", "nonce", "xml")
			acceptsJSON(text)
			r := &http.Request{Header: http.Header{"Cookie": {text}}, URL: &url.URL{}}
			s.take(header{}, r)
		})
	}
}

// TestPagesAreLinear: ten times the members or balancers cost at most fifteen times as much, and hardly any memory:
// what is printed is on its way before the end is read.
func TestPagesAreLinear(t *testing.T) {
	if testing.Short() {
		t.Skip("measures, which other work beside it disturbs")
	}
	for of, farm := range map[string]func(n int) *balancer.Farm{
		"members":   func(n int) *balancer.Farm { return farmOfSize(t, 1, n) },
		"balancers": func(n int) *balancer.Farm { return farmOfSize(t, n, 1) },
	} {
		for _, query := range []string{"", "xml=1", "json=1"} {
			t.Run(of+" "+query, func(t *testing.T) {
				h := [2]*Handler{New(farm(200), Options{}), New(farm(2000), Options{})}
				ask := func(h *Handler) {
					r := &http.Request{Method: "GET", Header: http.Header{"Referer": {"http://h/"}}, URL: &url.URL{Path: "/m", RawQuery: query}, Host: "h"}
					h.ServeHTTP(header{}, r.WithContext(WithFacts(context.Background(), Facts{VHost: "p1"})))
				}
				if few, most := allocated(func() { ask(h[0]) }), allocated(func() { ask(h[1]) }); most > 15*few || most > 1<<20 {
					t.Errorf("%d bytes are allocated for 200, %d for 2000", few, most)
				}
				linear.CheckWithin(t, 24, 200, func(n int) *Handler { return New(farm(n), Options{}) }, ask)
			})
		}
	}
}

// allocated is how many bytes do allocates.
func allocated(do func()) uint64 {
	var before, after runtime.MemStats
	do()
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// farmOfSize is so many balancers of so many members each.
func farmOfSize(t *testing.T, balancers, members int) *balancer.Farm {
	f := balancer.NewFarm([]balancer.Method{{Name: "byrequests"}}, nil)
	var specs []balancer.Spec
	for i := range balancers {
		s := balancer.Spec{VHost: "p1", Name: fmt.Sprintf("balancer://b%d", i), Settings: balancer.NewBalancerSettings(), Env: balancer.Env{Methods: []string{"byrequests"}}}
		for j := range members {
			a, err := balancer.ParseAddress(fmt.Sprintf("http://h%d:%d", i, j+1), "", false)
			if err != nil {
				t.Fatal(err)
			}
			s.Members = append(s.Members, balancer.WorkerSpec{Address: a, Settings: balancer.NewWorkerSettings()})
		}
		specs = append(specs, s)
	}
	p, err := f.Plan(context.Background(), slices.Values(specs), nil)
	if err != nil {
		t.Fatal(err)
	}
	f.Commit(p)
	return f
}

// header is a ResponseWriter that nobody reads.
type header http.Header

func (h header) Header() http.Header         { return http.Header(h) }
func (h header) Write(b []byte) (int, error) { return len(b), nil }
func (h header) WriteHeader(int)             {}
