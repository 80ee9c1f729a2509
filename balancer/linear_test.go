package balancer

import (
	"strings"
	"testing"

	"balancerd/testdata/linear"
)

// TestSessionIsLinear: a client's URL and cookies are searched once, whatever they look like.
func TestSessionIsLinear(t *testing.T) {
	s := &BalancerSettings{}
	s.Sticky = Sticky{"JSESSIONID", "jsessionid"}
	s.ScolonDelim.V = true
	s.Separator.V = '.'
	for _, piece := range []string{"jsessionid", "JSESSIONID ", "jsessionid=", "jsessionid=&", "JSESSIONID=;", "j", ";", " ", "JSESSIONID    =", "xJSESSIONID=a;", "?", "&"} {
		input := func(size int) request {
			text := strings.Repeat(piece, size/len(piece))
			return request{text, text, text}
		}
		linear.Check(t, 8<<10, input, func(r request) { s.session(r) })
	}
}
