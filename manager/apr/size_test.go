package apr

import "testing"

func TestAppendSize(t *testing.T) {
	for n, want := range map[int64]string{-1: "  - ", 0: "  0 ", 7: "  7 ", 10: " 10 ", 552: "552 ", 972: "972 ", 973: "1.0K", 1351: "1.3K", 21105: " 21K", 9 << 10: "9.0K",
		9<<10 + 972: "9.9K", 10 << 10: " 10K", 972 << 10: "972K", 973 << 10: "1.0M", 1<<63 - 1: "8.0E"} {
		if got := string(AppendSize(nil, n)); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
	b := make([]byte, 0, 16)
	if a := testing.AllocsPerRun(10, func() { AppendSize(b, 21105) }); a != 0 {
		t.Errorf("%v allocations", a)
	}
}
