package status

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

const (
	kilo = 1 << 10
	mega = 1 << 20
	giga = 1 << 30
)

// general is %g as apr_snprintf prints it: without a zero before the point (".01").
func general(v float64, digits int) string {
	s := strconv.FormatFloat(v, 'g', digits, 64)
	if strings.HasPrefix(s, "0.") {
		return s[1:]
	}
	return s
}

// bytesText is a number of bytes as the page writes it (httpd: mod_status.c format_byte_out).
func bytesText(n int64) string {
	switch {
	case n < 5*kilo:
		return strconv.FormatInt(n, 10) + " B"
	case n < mega/2:
		return fmt.Sprintf("%.1f kB", float64(n)/kilo)
	case n < giga/2:
		return fmt.Sprintf("%.1f MB", float64(n)/mega)
	}
	return fmt.Sprintf("%.1f GB", float64(n)/giga)
}

// kilobytesText is a number of kilobytes (httpd: mod_status.c format_kbyte_out).
func kilobytesText(n int64) string {
	switch {
	case n < kilo:
		return strconv.FormatInt(n, 10) + " kB"
	case n < mega:
		return fmt.Sprintf("%.1f MB", float64(n)/kilo)
	}
	return fmt.Sprintf("%.1f GB", float64(n)/mega)
}

// uptimeText is " 1 day 2 hours 5 seconds": parts that are zero are left out (httpd: mod_status.c show_time).
func uptimeText(d time.Duration) string {
	s := int64(d / time.Second)
	var b strings.Builder
	for _, part := range [...]struct {
		n    int64
		word string
	}{{s / 86400, "day"}, {s / 3600 % 24, "hour"}, {s / 60 % 60, "minute"}, {s % 60, "second"}} {
		if part.n == 0 {
			continue
		}
		fmt.Fprintf(&b, " %d %s", part.n, part.word)
		if part.n != 1 {
			b.WriteByte('s')
		}
	}
	return b.String()
}

// dateText is httpd's DEFAULT_TIME_FORMAT in the server's zone.
func dateText(t time.Time) string { return t.Format("Monday, 02-Jan-2006 15:04:05 MST") }
