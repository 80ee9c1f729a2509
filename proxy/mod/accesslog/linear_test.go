package accesslog

import (
	"fmt"
	"strings"
	"testing"

	"balancerd/testdata/linear"
	"balancerd/proxy/exchange"
)

func TestLinesAreLinear(t *testing.T) {
	for name, part := range map[string]string{"text": "a", "quotes": `"`, "binary": "\x01\xff", "cookies": "a=b; ", "semicolons": ";", "equals": "=", "blanks": " "} {
		t.Run(name, func(t *testing.T) {
			input := func(size int) *exchange.Exchange {
				x := &exchange.Exchange{Conn: &exchange.Conn{}}
				x.Req.Line, x.Req.Path = strings.Repeat(part, size/len(part)), "/"
				x.Req.Header.Add("Cookie", x.Req.Line)
				for i := range size / 100 {
					x.Res.Header.Add("Set-Cookie", fmt.Sprint(part, i))
				}
				return x
			}
			pieces := []piece{requestLine, cookie(&item{arg: "name"}), requestHeader(&item{arg: "Cookie"}), answerHeader(&item{arg: "Set-Cookie"}), answerHeader(&item{arg: "Content-Type"})}
			var b []byte
			linear.Check(t, 8<<10, input, func(x *exchange.Exchange) {
				b = b[:0]
				for _, p := range pieces {
					b = p(b, &view{x: x})
				}
			})
		})
	}
}
