package sink

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestDroppedLinesAreToldMeanwhile: while the target takes none, and once more when it does.
func TestDroppedLinesAreToldMeanwhile(t *testing.T) {
	to := &stuck{free: make(chan struct{})}
	var mu sync.Mutex
	told, reports := int64(0), 0
	sum := func() (int64, int) {
		mu.Lock()
		defer mu.Unlock()
		return told, reports
	}
	var l *Log
	l = newLog("stuck here", to, time.Millisecond, func(name string, n int64, err error) {
		mu.Lock()
		defer mu.Unlock()
		if told, reports = told+n, reports+1; name != "stuck here" || err != nil {
			t.Error(name, err)
		}
	}, func(_ string, n int64) { l.Append(fmt.Appendf(nil, "%d lost\n", n)) })
	line := append(bytes.Repeat([]byte("x"), 1023), '\n')
	fill := func(n int64) {
		for range n {
			l.Append(line)
		}
	}
	fill(1)
	eventually(t, "a writer that hangs", func() bool { l.mu.Lock(); defer l.mu.Unlock(); return len(l.buf) == 0 })
	fill(bound/1024 + 500)
	eventually(t, "a report", func() bool { n, _ := sum(); return n == 500 })
	fill(77)
	eventually(t, "another report", func() bool { n, times := sum(); return n == 577 && times == 2 })
	time.Sleep(1100 * time.Millisecond)
	if _, times := sum(); times != 2 {
		t.Errorf("%d reports without a loss", times)
	}
	close(to.free)
	eventually(t, "a line about the gap", func() bool {
		l.out.Lock()
		defer l.out.Unlock()
		return strings.HasSuffix(to.got.String(), "x\n577 lost\n")
	})
	l.Close()
	if n, _ := sum(); n != 577 || strings.Count(to.got.String(), "lost") != 1 {
		t.Errorf("%d told in all, %d lines about it", n, strings.Count(to.got.String(), "lost"))
	}
}
