package sink

import (
	"os/exec"
	"strings"
	"testing"
	"time"
)

// The C library is the judge: date(1) prints the same conversions.
func TestStrftimeIsTheLibrarys(t *testing.T) {
	formats := []string{"%Y-%m-%d %H:%M:%S", "%d/%b/%Y:%T %z", "%a %A %b %B %h", "%I %l %k %p %P %r %R", "%j %U %W %V %G %g %C %y",
		"%u %w %e %s %D %F %x %X", "100%% %n%t|", "%Ey %OH", "%c"}
	days := []string{"2026-11-21 05:07:55", "2024-12-30 00:00:00", "2021-01-03 12:59:59", "2023-01-01 13:00:00", "2026-02-08 23:01:02", "2000-02-29 00:30:00"}
	for _, day := range days {
		at, err := time.ParseInLocation(time.DateTime, day, time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		for _, format := range formats {
			cmd := exec.Command("date", "-u", "-d", day, "+"+format)
			cmd.Env = []string{"LC_ALL=C", "TZ=UTC"}
			want, err := cmd.Output()
			if err != nil {
				t.Skip("no date(1): ", err)
			}
			if got := string(Strftime(nil, format, at)); got != strings.TrimSuffix(string(want), "\n") {
				t.Errorf("%s %q: %q, want %q", day, format, got, want)
			}
		}
	}
}
