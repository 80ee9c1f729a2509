package linear

import (
	"strings"
	"testing"
)

// TestTellsSquareFromLine: what the other packages' tests rely on.
func TestTellsSquareFromLine(t *testing.T) {
	text := func(size int) string { return strings.Repeat("a,", size/2) }
	Check(t, 4<<10, text, func(s string) {
		for range strings.SplitSeq(s, ",") {
		}
	})
	var fails testing.T
	done := make(chan bool)
	go func() { // a failing T of its own, which the package has no other way to make
		defer close(done)
		Check(&fails, 4<<10, text, func(s string) {
			for n := 0; s != ""; n += strings.Count(s, ",") {
				s = s[min(2, len(s)):]
			}
		})
	}()
	<-done
	if !fails.Failed() {
		t.Error("a search of the whole rest for each element passes for linear")
	}
}
