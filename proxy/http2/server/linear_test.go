package server

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"balancerd/testdata/linear"
)

func TestVaryIsLinear(t *testing.T) {
	for name, piece := range map[string]string{"names": "a%d,", "one name": "a,", "commas": ","} {
		t.Run(name, func(t *testing.T) {
			input := func(size int) []string {
				var list []string
				for i := 0; size > 0; i++ {
					text := strings.ReplaceAll(piece, "%d", strconv.Itoa(i))
					list, size = append(list, text), size-len(text)
				}
				return list
			}
			linear.Check(t, 4<<10, input, func(list []string) { mergeVary(http.Header{"Vary": list}) })
		})
	}
}
