package wire

import (
	"strings"
	"testing"
)

func list(h *Header) string {
	var out []string
	for _, f := range h.F {
		out = append(out, f.Name+"="+f.Value)
	}
	return strings.Join(out, " ")
}

func TestHeaderEdits(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(*Header)
		want string
	}{
		{"add keeps what is there", func(h *Header) { h.Add("x-a", "3") }, "X-A=1 Host=h x-a=2 x-a=3"},
		{"set replaces the first and drops the rest", func(h *Header) { h.Set("x-A", "9") }, "X-A=9 Host=h"},
		{"set of a new name appends", func(h *Header) { h.Set("X-B", "9") }, "X-A=1 Host=h x-a=2 X-B=9"},
		{"merge joins in place", func(h *Header) { h.Merge("X-a", "9") }, "X-A=1, 9 Host=h x-a=2"},
		{"del removes all", func(h *Header) { h.Del("x-a") }, "Host=h"},
		{"del by number", func(h *Header) { h.DelID(Host) }, "X-A=1 x-a=2"},
	} {
		h := &Header{}
		h.Add("X-A", "1")
		h.Add("Host", "h")
		h.Add("x-a", "2")
		c.edit(h)
		if got := list(h); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestIDs(t *testing.T) {
	for id := Other + 1; id < IDs; id++ {
		if got := IDOf(strings.ToUpper(id.String())); got != id {
			t.Errorf("IDOf(%q) = %d, want %d", id, got, id)
		}
	}
	if IDs > 64 {
		t.Error("a Set is too small")
	}
	if IDOf("X-Host") != Other || IDOf("") != Other {
		t.Error("an unknown name has a number")
	}
	h := &Header{}
	h.Add("cOOkie", "a")
	if h.GetID(Cookie) != "a" || h.Get("Cookie") != "a" || h.Joined("Nope") != "" || h.Count("COOKIE") != 1 {
		t.Error("lookups by number and by name disagree")
	}
}
