package errorlog

import (
	"strings"
	"testing"

	"balancerd/proxy/exchange"
	"balancerd/testdata/linear"
)

func TestLinesAreLinear(t *testing.T) {
	for _, piece := range []string{"a", "\\", "\x01\xff", "\n", "%"} {
		input := func(size int) *exchange.LogEntry {
			text := strings.Repeat(piece, size/len(piece))
			x := &exchange.Exchange{Conn: &exchange.Conn{}}
			x.Req.Header.Add("Referer", text)
			return &exchange.LogEntry{X: x, Message: text}
		}
		var b []byte
		linear.Check(t, 8<<10, input, func(e *exchange.LogEntry) { b = (&entry{LogEntry: e, log: &Log{}}).appendDefault(b[:0]) })
	}
}
