package balancer

import (
	"math"
	"testing"
	"time"
)

func TestAtoi(t *testing.T) {
	for text, want := range map[string]int{
		"": 0, "abc": 0, "5": 5, "7x": 7, " \t12 ": 12, "+3": 3, "-1": -1, "- 1": 0, "0.5": 0, "007": 7,
		"2147483648": -2147483648, "99999999999": 1215752191, "99999999999999999999": -1, "--1": 0,
	} {
		if got := atoi(text); got != want {
			t.Errorf("atoi(%q) = %d, want %d", text, got, want)
		}
	}
}

func TestHundredths(t *testing.T) {
	for text, want := range map[string]int{
		"1": 100, "100": 10000, "1.15": 114, "2.3": 229, "1.239": 123, "2.555": 255, "5x": 500, " 1.5e1z": 1500, "1e2": 10000, "1.": 100, "+2": 200,
		"": 0, "abc": 0, "0.99": 0, "100.01": 0, "-5": 0, "inf": 0, "nan": 0, "1e999": 0, "1_0": 100, "100.009": 10000,
	} {
		got, ok := hundredths(text)
		if ok != (want != 0) || ok && got != want {
			t.Errorf("hundredths(%q) = %d %v, want %d", text, got, ok, want)
		}
	}
}

func TestFactorsReadBack(t *testing.T) {
	for n := 100; n <= 10000; n++ {
		if back, ok := hundredths(fromHundredths(n)); !ok || back != n {
			t.Fatalf("%d: %s gives %d", n, fromHundredths(n), back)
		}
	}
}

func TestParseTime(t *testing.T) {
	const bad = -1
	for _, c := range []struct {
		text, unit string
		want       time.Duration
	}{
		{"5", "s", 5 * time.Second},
		{"250", "ms", 250 * time.Millisecond},
		{"1s", "ms", time.Second},
		{"1sec", "ms", time.Second},
		{"500ms", "s", 500 * time.Millisecond},
		{"1mi", "ms", time.Minute},
		{"1min", "s", time.Minute},
		{"2h", "s", 2 * time.Hour},
		{"2hours", "s", 2 * time.Hour},
		{" 5", "s", 5 * time.Second},
		{"", "s", 0},
		{"ms", "s", 0},
		{"10m", "s", bad},
		{"1M", "s", bad},
		{"1d", "s", bad},
		{"5x", "s", bad},
		{"500us", "s", bad},
		{"1.5", "s", bad},
		{"-5", "s", bad},
		{"x", "s", bad},
		{"5 ", "s", bad},
		{"9223372036854", "s", math.MaxInt64},
		{"9223372036855", "s", bad},
		{"99999999999999999999", "ms", bad},
	} {
		got, ok := parseTime(c.text, c.unit)
		if !ok {
			got = bad
		}
		if got != c.want {
			t.Errorf("parseTime(%q, %q) = %v, want %v", c.text, c.unit, got, c.want)
		}
	}
}

// TestAtof holds what C's atof makes of texts that Go reads otherwise.
func TestAtof(t *testing.T) {
	for text, want := range map[string]float64{
		"0x10": 16, "0X1A": 26, "0x1.8": 1.5, "0x1p3": 8, "-0x2": -2, "0xg": 0, "0x": 0, "0b11": 0, "0o17": 0,
		"1e": 1, "1e+": 1, "1e1": 10, "1p3": 1, "1_0": 1, "5,5": 5, "\t6": 6, ".5e1": 5, "1.1.1": 1.1,
	} {
		if got := atof(text); got != want {
			t.Errorf("atof(%q) = %v, want %v", text, got, want)
		}
	}
}
