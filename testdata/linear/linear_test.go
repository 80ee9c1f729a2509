package linear

import (
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
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

// TestOthersCountLittle: what is measured is the work, however many others want the processors; work that others do is
// measured, too.
func TestOthersCountLittle(t *testing.T) {
	if _, _, ok := cpuTimes(); !ok {
		t.Skip("the system does not tell a thread's time")
	}
	n := 0
	work := func() {
		for range 20_000_000 {
			n++
		}
	}
	work()
	alone := Best(work)
	stop := make(chan bool)
	var all sync.WaitGroup
	for range 4 * runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	start := time.Now()
	beside := Best(work)
	wall := time.Since(start) / rounds
	close(stop)
	all.Wait()
	if beside > 4*alone || wall < beside/2 {
		t.Errorf("%v alone, %v beside others (%v by the clock)", alone, beside, wall)
	}
	far := Best(func() {
		done := make(chan bool)
		go func() { work(); close(done) }()
		<-done
	})
	if far < alone/4 {
		t.Errorf("%v alone, %v when another goroutine does it", alone, far)
	}
}
