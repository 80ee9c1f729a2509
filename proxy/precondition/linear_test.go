package precondition

import (
	"strings"
	"testing"

	"balancerd/proxy/exchange"
	"balancerd/testdata/linear"
)

func TestFieldsOfRequestsAreLinear(t *testing.T) {
	d := &Document{Tag: `"abc"`}
	for name, piece := range map[string]string{"commas": ",", "digits": "9", "tags": `"x", `, "quotes": `"`, "weak tags": `W/"x",`, "blanks": " \t"} {
		t.Run(name, func(t *testing.T) {
			input := func(size int) *exchange.Exchange {
				x := &exchange.Exchange{}
				x.Req.Method = "GET"
				text := strings.Repeat(piece, size/len(piece))
				for _, name := range []string{"If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"} {
					x.Req.Header.Add(name, text)
				}
				return x
			}
			linear.Check(t, 8<<10, input, func(x *exchange.Exchange) {
				Judge(x, d)
				Contradicts(x, d)
			})
		})
	}
}
