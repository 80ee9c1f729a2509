package frames

import (
	"bytes"
	"testing"
)

// What was kept comes out again, whatever the lengths of what is taken in and what is read; bytes that somebody looks at
// stay where they are while more come, and nothing is held when all was read.
func TestInlet(t *testing.T) {
	for _, size := range []int{1, 9, 1000, MaxData - 1, MaxData, MaxData + 1, 40000} {
		for _, read := range []int{1, 7, 5000, MaxData, 100000} {
			var n Inlet
			var in, out []byte
			next := byte(0)
			for len(in) < 3*size || len(in) < 50 {
				p := make([]byte, size)
				for i := range p {
					next++
					p[i] = next
				}
				held := n.Held()
				before := bytes.Clone(held)
				n.Keep(p)
				in = append(in, p...)
				if !bytes.Equal(held, before) || !bytes.HasPrefix(n.Held(), before) {
					t.Fatal(size, read, "what is looked at has changed")
				}
				if n.Unread() > 2*size {
					k := min(read, len(n.Held()))
					out = append(out, n.Held()[:k]...)
					n.Discard(k)
				}
			}
			for n.Unread() > 0 {
				k := min(read, len(n.Held()))
				out = append(out, n.Held()[:k]...)
				n.Discard(k)
			}
			if !bytes.Equal(in, out) || n != (Inlet{w: n.w}) {
				t.Fatal(size, read, len(in), len(out), n)
			}
		}
	}
}

// Bytes are read over the border of pieces at once, or forgotten.
func TestInletDiscard(t *testing.T) {
	var n Inlet
	n.Keep(make([]byte, 2*MaxData))
	n.Keep([]byte("abc"))
	n.Discard(2*MaxData + 1)
	if string(n.Held()) != "bc" || n.Unread() != 2 {
		t.Errorf("%q, %d", n.Held(), n.Unread())
	}
	n.Drop()
	if n.Unread() != 0 || n.Held() != nil || n.first != nil {
		t.Error(n.Unread(), "bytes after Drop")
	}
	n.Keep([]byte("de"))
	if string(n.Held()) != "de" {
		t.Errorf("%q", n.Held())
	}
	n.Drop()
}
