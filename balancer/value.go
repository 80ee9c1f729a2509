package balancer

import (
	"math"
	"strconv"
	"strings"
	"time"
)

const blanks = " \t\n\v\f\r"

// atoi reads an integer as C's atoi does: leading blanks, a sign, digits; what follows is ignored
// and no digits are 0. Values beyond 32 bits wrap as on the machines httpd runs on, while directive.Atoi holds them at
// the largest: what a form or a parameter may say is shown and kept as httpd would.
func atoi(text string) int { return int(int32(atol(text))) }

// atol is C's atol: 64 bits, held at the ends of the range.
func atol(text string) int64 {
	n, _, _ := leadingInt(text)
	return n
}

// leadingInt is C's strtol in base 10: the number, the text after it, and whether it fitted.
func leadingInt(text string) (n int64, rest string, fits bool) {
	s := strings.TrimLeft(text, blanks)
	end := 0
	if end < len(s) && (s[0] == '+' || s[0] == '-') {
		end++
	}
	start := end
	for end < len(s) && '0' <= s[end] && s[end] <= '9' {
		end++
	}
	if end == start {
		return 0, text, true
	}
	n, err := strconv.ParseInt(s[:end], 10, 64) // the nearest value when out of range
	return n, s[end:], err == nil
}

// atof reads a number as C's atof does, the longest beginning that is one, in decimal or hexadecimal
// digits; 0 for none.
func atof(text string) float64 {
	s := strings.TrimLeft(text, blanks)
	if len(s) > 400 { // no more digits than that tell numbers apart
		s = s[:400]
	}
	for end := len(s); end > 0; end-- {
		if strings.ContainsRune(s[:end], '_') { // Go's notation, not C's
			continue
		}
		if v, err := strconv.ParseFloat(withExponent(s[:end]), 64); err == nil || v != 0 {
			return v
		}
	}
	return 0
}

// withExponent gives a hexadecimal number the exponent that Go demands and C does not.
func withExponent(s string) string {
	digits := strings.ToLower(strings.TrimLeft(s, "+-"))
	if strings.HasPrefix(digits, "0x") && !strings.Contains(digits, "p") {
		return s + "p0"
	}
	return s
}

// hundredths is v in hundredths, cut off as C's conversion does; false when it is no number from 1
// to 100. 1.15 gives 114.
func hundredths(text string) (int, bool) {
	v := atof(text) * 100
	if math.IsNaN(v) || v < 100 || v >= 10001 {
		return 0, false
	}
	return int(v), true
}

// fromHundredths is a text that hundredths reads back to n: "2.55", but "1.145" for 114, because
// 1.14 is a little less in binary.
func fromHundredths(n int) string {
	text := strconv.FormatFloat(float64(n)/100, 'f', 2, 64)
	if back, _ := hundredths(text); back != n {
		text += "5"
	}
	return text
}

// parseTime reads a time with unit: digits and s, h, ms or mi, what follows is ignored; unit holds
// when there is none. Times beyond Go's 292 years are held there (httpd: server/util.c
// ap_timeout_parameter_parse).
func parseTime(text, unit string) (time.Duration, bool) {
	n, rest, fits := leadingInt(text)
	if rest == "" {
		rest = unit
	}
	size := timeUnit(rest)
	if !fits || n < 0 || size == 0 || n > math.MaxInt64/int64(size/time.Microsecond) { // httpd counts in microseconds
		return 0, false
	}
	if n > math.MaxInt64/int64(size) {
		return math.MaxInt64, true
	}
	return time.Duration(n) * size, true
}

func timeUnit(text string) time.Duration {
	switch {
	case strings.HasPrefix(text, "s"):
		return time.Second
	case strings.HasPrefix(text, "h"):
		return time.Hour
	case strings.HasPrefix(text, "ms"):
		return time.Millisecond
	case strings.HasPrefix(text, "mi"):
		return time.Minute
	}
	return 0
}

// onOff reads On or Off, any case.
func onOff(text string) (on, ok bool) {
	on = strings.EqualFold(text, "on")
	return on, on || strings.EqualFold(text, "off")
}

func onOffText(on bool) string {
	if on {
		return "On"
	}
	return "Off"
}

func seconds(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) }

func millis(d time.Duration) string { return strconv.FormatInt(int64(d/time.Millisecond), 10) }
