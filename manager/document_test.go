package manager

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// reading is a ResponseWriter that reads a body by itself.
type reading struct {
	header
	body io.Reader
}

func (r *reading) SetBody(body io.Reader) { r.body = body }

// TestPieces: a document is the same text however it is taken, and is printed as it is taken.
func TestPieces(t *testing.T) {
	for _, size := range [][2]int{{0, 0}, {1, 0}, {1, 3}, {3, 1}, {40, 0}, {1, 900}, {900, 1}, {30, 30}} {
		h := New(farmOfSize(t, size[0], size[1]), Options{})
		for _, query := range []string{"", "xml=1", "json=1"} {
			ask := func(w http.ResponseWriter) {
				r := &http.Request{Method: "GET", Header: http.Header{"Referer": {"http://h/"}}, URL: &url.URL{Path: "/m", RawQuery: query}, Host: "h"}
				h.ServeHTTP(w, r.WithContext(WithFacts(context.Background(), Facts{VHost: "p1"})))
			}
			var whole written
			ask(&whole)
			for _, step := range []int{1, 7, 4096, 1 << 20} {
				if step == 1 && whole.Len() > 100_000 {
					continue
				}
				w := &reading{header: header{}}
				ask(w)
				var got bytes.Buffer
				longest := 0
				for p := make([]byte, step); ; {
					n, err := w.body.Read(p)
					got.Write(p[:n])
					longest = max(longest, n)
					if err == io.EOF {
						break
					}
					if n == 0 {
						t.Fatal("nothing was read")
					}
				}
				if got.String() != whole.String() {
					t.Errorf("%v %s by %d: %d bytes, want %d", size, query, step, got.Len(), whole.Len())
				}
				if longest > 2*piece {
					t.Errorf("%v %s: a piece of %d bytes", size, query, longest)
				}
			}
			member := map[string]string{"": "<tr>\n<td><a ", "xml=1": "<httpd:worker>", "json=1": `"scheme": `}[query]
			if n := strings.Count(whole.String(), member); n != size[0]*size[1] {
				t.Errorf("%v %s: %d members", size, query, n)
			}
		}
	}
}

// written is a ResponseWriter that keeps what is written.
type written struct{ bytes.Buffer }

func (w *written) Header() http.Header { return http.Header{} }
func (w *written) WriteHeader(int)     {}
