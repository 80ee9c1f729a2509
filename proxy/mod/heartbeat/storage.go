package heartbeat

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"balancerd/balancer/method"
)

// mostStored is how many servers a file has at most.
const mostStored = 4096

// write puts the reports into the file, a line each, in place of what it had: who reads it sees the old ones or the new ones
// (httpd: mod_heartmonitor.c hm_file_update_stats). A line too long for the step is said in the error.
func write(path string, reports map[string]method.Report, now time.Time) error {
	var text strings.Builder
	keys := make([]string, 0, len(reports))
	for key := range reports {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		r := reports[key]
		fmt.Fprintf(&text, "%s &ready=%d&busy=%d&lastseen=%d&port=%d\n", key, r.Ready, r.Busy, max(0, now.Sub(r.Seen)/time.Second), r.Port)
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".tmp.*")
	if err != nil {
		return fmt.Errorf("AH02081: Unable to open tmp file: %s.tmp.XXXXXX: %w", path, err)
	}
	defer os.Remove(f.Name()) // it is gone when all went well
	_, err = f.WriteString(text.String())
	mode := f.Chmod(0o444)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return fmt.Errorf("AH02082: Unable to flush file: %s: %w", f.Name(), err)
	}
	if mode != nil {
		return fmt.Errorf("AH02084: Unable to set file permissions on %s: %w", f.Name(), mode)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("AH02085: Unable to move file: %s -> %s: %w", f.Name(), path, err)
	}
	return nil
}

// readBack puts what a file says into b, as old as it is by now, where nothing later was heard. What is no report is passed over, and so is a file that is not
// there.
func readBack(path string, b *method.Beats, now time.Time) {
	text, written, err := method.ReadStorage(path)
	if err != nil {
		return
	}
	for line := range strings.Lines(string(text)) {
		line, whole := strings.CutSuffix(line, "\n")
		key, values, ok := strings.Cut(strings.TrimRight(line, "\r"), " ")
		if !ok || !whole || key == "" || key[0] == '#' {
			continue
		}
		v := method.Values(values)
		age := max(0, now.Sub(written)) + time.Duration(loose(v["lastseen"]))*time.Second
		if _, has := v["lastseen"]; !has || age > method.Forgotten {
			continue
		}
		b.Put(key, reportOf(v, now.Add(-age)))
	}
}
