package wire

import (
	"fmt"
	"testing"
)

func TestWarnings(t *testing.T) {
	for value, want := range map[string]string{
		``: "[]", `11 a "b"`: "[]", `111 "b"`: "[]", `111 a b`: "[]", `111 a "b`: "[]",
		`111 a "b"`: `[111 a "b"|]`, "111\ta  \"\"": "[111\ta  \"\"|]", `1111 a "b"`: `[111 a "b"|]`,
		`111 a "b" "c"`: `[111 a "b" "c"|c]`, `111 a "b" ""`: `[111 a "b"|]`, `111 a "b" "c`: `[111 a "b"|]`, `111 a "b""c"`: `[111 a "b"|]`,
		`111 a "b", 112 c "d" "e",113 f "g"`: `[111 a "b"| 112 c "d" "e"|e 113 f "g"|]`,
		`junk 111 a "b" junk`:                `[111 a "b"|]`,
	} {
		var got []string
		for w := WarningsOf(value); ; {
			text, date, ok := w.Next()
			if !ok {
				break
			}
			got = append(got, text+"|"+date)
		}
		if fmt.Sprint(got) != want {
			t.Errorf("%s: %v, want %s", value, got, want)
		}
	}
}
