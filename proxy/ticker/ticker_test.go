package ticker

import (
	"testing"
	"time"
)

// TestTicker: it ticks again and again, at once when it is nudged, and no more once it is closed.
func TestTicker(t *testing.T) {
	sources := map[string]func(time.Duration) source{"chosen": func(d time.Duration) source { return New(d) }, "runtime": func(d time.Duration) source { return fromRuntime(d) }}
	for name, open := range sources {
		t.Run(name, func(t *testing.T) {
			often := open(5 * time.Millisecond)
			start := time.Now()
			for range 4 {
				if !often.Wait() {
					t.Fatal("closed by itself")
				}
			}
			if d := time.Since(start); d < 10*time.Millisecond {
				t.Errorf("four ticks of 5 ms after %v", d)
			}
			often.Close()

			seldom := open(time.Hour)
			seldom.Nudge()
			if !seldom.Wait() {
				t.Error("closed by a nudge")
			}
			over := waiting(seldom)
			seldom.Close()
			seldom.Close()
			if <-over {
				t.Error("a tick after the end")
			}
			if seldom.Wait() {
				t.Error("a tick after the end")
			}
		})
	}
}

// waiting waits for a tick in a goroutine.
func waiting(s source) chan bool {
	over := make(chan bool)
	go func() { over <- s.Wait() }()
	return over
}
