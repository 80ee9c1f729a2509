package http1

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"balancerd/proxy/exchange"
)

// With MergeTrailers the fields behind a body are the header's once all of it was read: neither a member's head nor
// what decides before the body knows them, and the logs do (values of httpd).
func TestMergeTrailers(t *testing.T) {
	fronts(t, func(t *testing.T, start func(testing.TB, *app) *front) {
		for body, merge := range map[string]bool{"3\r\nabc\r\n": true, "": true, "9c40\r\n" + strings.Repeat("z", 40000) + "\r\n": true, "1\r\nx\r\n": false} {
			before, logged := make(chan string, 1), make(chan string, 1)
			a := &app{srv: usualServer(), serve: func(_ context.Context, x *exchange.Exchange) {
				before <- strings.Clone(x.Req.Header.Get("X-T"))
				x.Block()
				n, err := io.Copy(io.Discard, x.Req.Body)
				x.Res.Status, x.Res.Local = 200, true
				x.Res.Text(fmt.Sprint(n, " ", err, " ", x.Req.Header.Get("X-T")))
			}, after: func(x *exchange.Exchange) {
				logged <- fmt.Sprint(x.Req.Header.Get("X-T"), x.Req.Header.Len(), x.Req.Trailer.Len())
			}}
			a.srv.MergeTrailers = merge
			f := start(t, a)
			f.ask(t, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"+body+"0\r\nX-T: 1\r\n\r\n")
			if b := <-before; b != "" {
				t.Errorf("before the body: %q", b)
			}
			want := "14 1"
			if !merge {
				want = "3 1"
			}
			if l := <-logged; l != want {
				t.Errorf("%.9q: logged %q, want %q", body, l, want)
			}
		}
	})
}
