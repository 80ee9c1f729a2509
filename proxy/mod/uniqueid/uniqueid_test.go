package uniqueid

import (
	"encoding/base64"
	"encoding/binary"
	"testing"
	"time"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/poison"
)

// A name is 20 bytes as httpd has them: the second, this process, and a count. No two are the same, and none allocates.
func TestNames(t *testing.T) {
	g, other := newGenerator(), newGenerator()
	seen := map[string]bool{}
	for i := range 100_000 {
		x := &exchange.Exchange{Start: time.Unix(1795950881, 0)}
		id := g.next(x)
		if seen[id] {
			t.Fatalf("%s twice, at %d", id, i)
		}
		seen[id] = true
		r, err := base64.RawURLEncoding.DecodeString(id)
		if len(id) != 27 || err != nil || binary.BigEndian.Uint32(r) != 1795950881 || string(r[4:14]) != string(g.root[:]) {
			t.Fatalf("%s: %v", id, err)
		}
	}
	if id := other.next(&exchange.Exchange{}); seen[id] || g.root == other.root {
		t.Errorf("two processes: %s", id)
	}
	if poison.On {
		return // its arenas are made anew
	}
	x := &exchange.Exchange{Start: time.Now()}
	if n := testing.AllocsPerRun(100, func() { x.Arena.Reset(); x.Env.Reset(); x.UniqueID = ""; g.step(t.Context(), x) }); n > 0 {
		t.Errorf("%g allocations", n)
	}
}

// After an internal redirect the request keeps its name; a new one has another.
func TestKeptOverRedirects(t *testing.T) {
	g := newGenerator()
	x := &exchange.Exchange{Start: time.Now()}
	g.step(t.Context(), x)
	first, _ := x.Env.Get("UNIQUE_ID")
	x.Env.Reset()
	g.step(t.Context(), x)
	if again, _ := x.Env.Get("UNIQUE_ID"); again != first || first == "" || first != x.UniqueID {
		t.Errorf("%q, then %q", first, again)
	}
	y := &exchange.Exchange{Start: x.Start}
	g.step(t.Context(), y)
	if y.UniqueID == first {
		t.Error("two requests have one name")
	}
}
