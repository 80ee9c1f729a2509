package client

import (
	"fmt"
	"strings"
	"testing"

	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/wire"
	"balancerd/testdata/linear"
)

// TestAnswersByteByByteAreLinear: a member's head that comes in small pieces costs what one costs that comes at once, whatever ProxyBadHeader says.
func TestAnswersByteByByteAreLinear(t *testing.T) {
	input := func(size int) []byte {
		return []byte("HTTP/1.1 200 OK\r\n" + strings.Repeat("a: b\r\n c\r\n", size/10) + "\r\n")
	}
	for _, bad := range []wire.BadLine{wire.BadIsError, wire.BadIsIgnored, wire.BadIsBody} {
		linear.Check(t, 3<<10, input, func(b []byte) {
			c := codec{x: &exchange.Exchange{}, rules: wire.ResponseRules{FieldSize: 1 << 20, OnBad: bad}}
			for n := 1; n <= len(b); n++ {
				_, event, err := c.ParseHead(b[:n])
				if err == nil && event == backend.FinalResponse {
					return
				}
				if err != backend.ErrIncomplete {
					t.Fatal(event, err)
				}
			}
			t.Fatal("the end of the head was missed")
		})
	}
}

// TestAnswerFieldsAreLinear: what is taken away of a member's fields, and made of them.
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
				a := &codec{x: x}
				rules := wire.ResponseRules{FieldSize: 1 << 20}
				if _, err := wire.ParseResponse([]byte(text), &rules, &a.res, &x.Res.Header); err != nil {
					t.Fatal(err)
				}
				a.clean(&x.Res.Header)
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
