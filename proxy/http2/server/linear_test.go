package server

import (
	"strconv"
	"strings"
	"testing"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/wire"
	"balancerd/testdata/linear"
)

func TestVaryIsLinear(t *testing.T) {
	for name, piece := range map[string]string{"names": "a%d,", "one name": "a,", "commas": ","} {
		t.Run(name, func(t *testing.T) {
			input := func(size int) *stream {
				st := &stream{}
				for i := 0; size > 0; i++ {
					text := strings.ReplaceAll(piece, "%d", strconv.Itoa(i))
					st.x.Res.Header.F = append(st.x.Res.Header.F, exchange.Field{Name: "Vary", Value: text, ID: wire.Vary})
					size -= len(text)
				}
				return st
			}
			linear.Check(t, 4<<10, input, func(st *stream) { st.vary() })
		})
	}
}
