package process

import (
	"runtime/metrics"
	"testing"
	"testing/synctest"
	"time"
)

// gogc is the GOGC in force.
func gogc() uint64 {
	s := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

// TestGCTuner: many handshakes raise GOGC, as long as there are many.
func TestGCTuner(t *testing.T) {
	t.Setenv("GOGC", "")
	usual := gogc()
	synctest.Test(t, func(t *testing.T) {
		var g GCTuner
		few := func(n int, pause time.Duration) {
			for range n {
				g.Handshake()
				time.Sleep(pause)
			}
		}
		few(5*burst, time.Second/20)
		if got := gogc(); got != usual {
			t.Errorf("twenty handshakes a second: GOGC %d, want %d", got, usual)
		}
		few(3*burst, time.Second/200)
		high := gogc()
		if high <= usual || high > highest {
			t.Errorf("two hundred a second: GOGC %d", high)
		}
		few(20*burst, time.Second/200)
		if got := gogc(); got != high {
			t.Errorf("still two hundred a second: GOGC %d, want %d", got, high)
		}
		garbage = make([]byte, 4*worth)
		garbage = nil
		time.Sleep(cooldown + time.Second)
		synctest.Wait()
		if got := gogc(); got != usual {
			t.Errorf("none any more: GOGC %d, want %d", got, usual)
		}
		if got := unusedHeap(); got > 2*worth {
			t.Errorf("none any more: %d bytes are unused", got)
		}
	})
}

var garbage []byte

func TestRaised(t *testing.T) {
	for live, want := range map[uint64]int{0: highest, 4 << 20: highest, 32 << 20: 200, 1 << 30: 103, 1 << 40: 100} {
		if got := percentFor(live); got != want {
			t.Errorf("%d bytes: %d, want %d", live, got, want)
		}
	}
}
