package loop

import (
	"bytes"
	"testing"
)

func TestTLSRecords(t *testing.T) {
	var stream []byte
	ends := map[int]bool{0: true}
	for _, n := range []int{1, 300, 16384 + 256, 5, 65535, 0, 2} {
		stream = append(stream, 23, 3, 3, byte(n>>8), byte(n))
		stream = append(stream, bytes.Repeat([]byte{22}, n)...)
		ends[len(stream)] = true
	}
	for _, step := range []int{1, 2, 3, 7, 512, 4096, len(stream)} {
		var r tlsRecords
		for at := 0; at < len(stream); {
			n := min(step, len(stream)-at)
			r.received(stream[at : at+n])
			at += n
			if r.midway() == ends[at] {
				t.Fatalf("in steps of %d, after %d bytes: midway %v", step, at, r.midway())
			}
		}
	}
	var r tlsRecords
	if r.received([]byte("GET / HT")); r.midway() {
		t.Error("what is not TLS has no records")
	}
}
