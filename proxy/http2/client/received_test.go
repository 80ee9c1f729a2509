package client

import "testing"

// Looking for the error of a frame that has none costs no memory: it is done for each.
func TestGoodFramesAllocateNothing(t *testing.T) {
	c := &conn{}
	if n := testing.AllocsPerRun(100, func() {
		if err := c.streamFault(nil); err != nil {
			t.Fatal(err)
		}
	}); n > 0 {
		t.Error(n, "allocations a frame")
	}
}
