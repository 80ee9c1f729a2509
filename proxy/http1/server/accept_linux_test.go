package server

import "testing"

// TestProcessors: the engine has a loop for each processor, and one at least where it was not asked.
func TestProcessors(t *testing.T) {
	for n := 1; n <= 1024; n++ {
		if got := loopsOf(Processors(n)); got != n {
			t.Errorf("%d processors: %d loops", n, got)
		}
	}
	if got := loopsOf(1); got != 1 {
		t.Errorf("GOMAXPROCS=1: %d loops", got)
	}
}
