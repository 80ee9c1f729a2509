package server

import (
	"fmt"
	"strings"
	"testing"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/wire"
	"balancerd/testdata/linear"
)

// TestAnswerFieldsAreLinear: what is written of an answer's fields.
func TestAnswerFieldsAreLinear(t *testing.T) {
	for name, c := range map[string]struct {
		name  string
		value func(size int) string // of one field
		piece string                // of many fields
	}{
		"Vary":              {"Vary", numbered("a%d,"), "b"},
		"Connection":        {"Connection", numbered("a%d;"), "b"},
		"Warning":           {"Warning", numbered(`111 a "b" `), `111 a "b"`},
		"Warning, unquoted": {"Warning", numbered(`111 a "`), `111 a `},
		"Warning, digits":   {"Warning", numbered(`111 `), `1`},
		"Set-Cookie":        {"Set-Cookie", numbered("path=/a;"), "a=b"},
		"Expires":           {"Expires", numbered("Mon, "), "0"},
		"Keep-Alive":        {"Keep-Alive", numbered("a,"), "b"},
		"X":                 {"X", numbered("a,"), "b"},
	} {
		t.Run(name, func(t *testing.T) {
			input := func(size int) string {
				many := strings.Repeat(c.name+": "+c.piece+"\r\n", size/2/(len(c.name)+len(c.piece)+4))
				return "HTTP/1.1 200 OK\r\n" + c.name + ": " + c.value(size/2) + "\r\n" + many + "\r\n"
			}
			linear.Check(t, 3<<10, input, func(text string) {
				x := &exchange.Exchange{Server: &exchange.Server{}}
				rules := wire.ResponseRules{FieldSize: 1 << 20}
				var res wire.Response
				if _, err := wire.ParseResponse([]byte(text), &rules, &res, &x.Res.Header); err != nil {
					t.Fatal(err)
				}
				h := headWriter{f: &frame{say: -1}, res: &x.Res}
				h.fields(&x.Res.Always)
				h.fields(&x.Res.Header)
				h.tail(x)
			})
		})
	}
}

func numbered(piece string) func(size int) string {
	return func(size int) string {
		var b strings.Builder
		for i := 0; b.Len() < size; i++ {
			if strings.Contains(piece, "%d") {
				fmt.Fprintf(&b, piece, i)
			} else {
				b.WriteString(piece)
			}
		}
		return b.String()
	}
}
