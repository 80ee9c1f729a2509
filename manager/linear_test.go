package manager

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

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

// header is a ResponseWriter that nobody reads.
type header http.Header

func (h header) Header() http.Header         { return http.Header(h) }
func (h header) Write(b []byte) (int, error) { return len(b), nil }
func (h header) WriteHeader(int)             {}
