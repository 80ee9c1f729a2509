package process

import (
	"testing"
	"time"
)

func TestDeathsAreCounted(t *testing.T) {
	var d deaths
	for i, want := range []time.Duration{0, 100 * time.Millisecond, 200 * time.Millisecond, 400 * time.Millisecond} {
		if got := d.next(time.Second); got != want {
			t.Errorf("death %d: %v", i, got)
		}
	}
	for range 100 {
		d.next(0)
	}
	if got := d.next(0); got != mostWait {
		t.Error(got)
	}
	if got := d.next(time.Minute); got != 0 {
		t.Error("after a long life:", got)
	}
}
