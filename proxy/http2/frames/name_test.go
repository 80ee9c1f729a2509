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
