package frames

import "testing"

func TestNames(t *testing.T) {
	for _, c := range []struct {
		name  string
		lower bool
		want  string
	}{
		{"x-some-name", true, "X-Some-Name"},
		{"te", true, "Te"},
		{"-a--b-", true, "-A--B-"},
		{"1a-_b", true, "1a-_b"},
		{"X-some", false, "X-Some"},
		{"a-Z", false, "A-Z"},
		{"a b", false, "A b"},
		{"", false, ""},
	} {
		if got := LowerToken(c.name); got != c.lower {
			t.Errorf("LowerToken(%q) = %v", c.name, got)
		}
		b := []byte(c.name)
		if Canonicalize(b); string(b) != c.want {
			t.Errorf("Canonicalize(%q): %q, want %q", c.name, b, c.want)
		}
	}
}

// Bytes that somebody looks at stay where they are while more come, and memory that was outgrown is not written to.
func TestInletKeepsWhatIsLookedAt(t *testing.T) {
	var n Inlet
	n.Keep([]byte("abc"))
	n.Discard(1)
	held := n.Held()
	for range 3 {
		n.Keep(make([]byte, len(Chunk{}.B)/2))
	}
	if string(held) != "bc" || string(n.Held()[:2]) != "bc" || n.Unread() != 2+3*len(Chunk{}.B)/2 {
		t.Errorf("%q, %q, %d bytes", held, n.Held()[:2], n.Unread())
	}
	n.Discard(n.Unread())
	n.Keep([]byte("de"))
	if string(n.Held()) != "de" {
		t.Errorf("%q", n.Held())
	}
	n.Drop()
	if n.Unread() != 0 {
		t.Error(n.Unread(), "bytes after Drop")
	}
	n.Give()
}
