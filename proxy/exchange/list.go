package exchange

import (
	"iter"

	"balancerd/proxy/internal/wire"
)

// Lists reports whether a comma-separated list of tokens, such as Connection's, has one, in any case.
func Lists(list, token string) bool { return wire.Lists(list, token) }

// ListItems are the elements of a comma-separated list, empty ones included, without the blanks and tabs around
// them. A comma within quotes separates nothing (httpd: util.c ap_get_list_item).
func ListItems(list string) iter.Seq[string] {
	return func(yield func(string) bool) {
		start, quoted := 0, false
		for i := 0; i <= len(list); i++ {
			switch {
			case i < len(list) && list[i] == '"':
				quoted = !quoted
			case i == len(list) || list[i] == ',' && !quoted:
				if !yield(wire.TrimBlanks(list[start:i])) {
					return
				}
				start = i + 1
			}
		}
	}
}
