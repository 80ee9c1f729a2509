package memory_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"balancerd/balancer"
	"balancerd/balancer/method"
	"balancerd/balancer/store/memory"
)

// keeper holds the files as the main process does.
type keeper map[memory.Kind]*os.File

func (k keeper) keep(kind memory.Kind, f *os.File) error {
	fd, err := syscall.Dup(int(f.Fd()))
	if err != nil {
		return err
	}
	if k[kind] != nil {
		k[kind].Close()
	}
	k[kind] = os.NewFile(uintptr(fd), string(kind))
	return nil
}

func spec(t *testing.T, persist bool, urls ...string) balancer.Spec {
	s := balancer.Spec{VHost: "pmain", Name: "balancer://c", Settings: balancer.NewBalancerSettings(), Added: balancer.NewWorkerSettings(), Persist: persist, Env: balancer.Env{Methods: []string{"byrequests"}}}
	s.Settings.Growth.V = 5
	for _, u := range urls {
		a, err := balancer.ParseAddress(u, "/", false)
		if err != nil {
			t.Fatal(err)
		}
		s.Members = append(s.Members, balancer.WorkerSpec{Address: a, Settings: balancer.NewWorkerSettings()})
	}
	return s
}

// farm is a process's farm, which goes on where the one before left off.
func farm(t *testing.T, k keeper, s balancer.Spec) (*balancer.Farm, *balancer.Balancer) {
	t.Helper()
	f := balancer.NewFarm(method.Builtin(&method.Heartbeat{}), nil)
	before, err := memory.Load(k[memory.Table], k[memory.Edits])
	if err != nil {
		t.Fatal(err)
	}
	f.UseMemory(memory.New(k.keep), before)
	load(t, f, s)
	return f, f.Balancer("pmain", "c")
}

func load(t *testing.T, f *balancer.Farm, s balancer.Spec) {
	t.Helper()
	r, err := f.Plan(context.Background(), slices.Values([]balancer.Spec{s}), nil)
	if err != nil {
		t.Fatal(err)
	}
	f.Commit(r)
}

func TestTheNextProcessGoesOn(t *testing.T) {
	for _, persist := range []bool{false, true} {
		k := keeper{}
		s := spec(t, persist, "http://a", "http://b", "http://c")
		f, b := farm(t, k, s)
		now := time.Now()
		for range 7 {
			c, err := b.Claim(nil, now)
			if err != nil {
				t.Fatal(err)
			}
			c.Worker.AddTraffic(10, 100)
			c.Done()
		}
		b.Members()[1].Fail(now)
		if err := f.Apply(t.Context(), balancer.Change{VHost: "pmain", Balancer: "c", Worker: "http://c", Form: []balancer.Value{{Name: "w_lf", Text: "7.5"}, {Name: "w_status_D", Text: "1"}}}); err != nil {
			t.Fatal(err)
		}
		if err := f.Apply(t.Context(), balancer.Change{VHost: "pmain", Balancer: "c", Add: "http://added"}); err != nil {
			t.Fatal(err)
		}
		if err := f.WriteRows(); err != nil {
			t.Fatal(err)
		}
		want := b.Snapshots()
		nonce := b.Settings().Nonce.V
		b.Members()[0].Fail(now) // a condition needs no WriteRows
		want[0] = b.Members()[0].Snapshot()

		_, again := farm(t, k, s) // the first is dead: nothing of it was closed
		got := again.Snapshots()
		for i := range want {
			for _, e := range []*balancer.Snapshot{&want[i], &got[i]} {
				e.ErrorTime = e.ErrorTime.Round(0).UTC().Truncate(time.Millisecond)
				settings := *e.Settings
				settings.Status = 0 // of status= at the start; what counts is the live one
				e.Settings = &settings
			}
			if !reflect.DeepEqual(got[i], want[i]) {
				t.Errorf("persist %v, member %d:\n%+v\nwant\n%+v", persist, i, got[i], want[i])
			}
		}
		if again.Settings().Nonce.V != nonce || nonce == "" {
			t.Error("another nonce: open pages can't edit any more")
		}
		if len(got) != 4 || got[2].Settings.LoadFactor != 750 || got[2].Status&balancer.Disabled == 0 {
			t.Errorf("%+v", got)
		}
	}
}

// A reload takes edits back where BalancerPersist is Off, and so it is for the process after it.
func TestReloadForgetsEdits(t *testing.T) {
	k := keeper{}
	s := spec(t, false, "http://a", "http://b")
	f, _ := farm(t, k, s)
	if err := f.Apply(t.Context(), balancer.Change{VHost: "pmain", Balancer: "c", Worker: "http://a", Form: []balancer.Value{{Name: "w_lf", Text: "3"}}}); err != nil {
		t.Fatal(err)
	}
	load(t, f, s)
	_, b := farm(t, k, s)
	if n := b.Members()[0].Settings().LoadFactor; n != 100 {
		t.Error("loadfactor", n)
	}
}

func TestRowsFillCacheLines(t *testing.T) {
	if n := unsafe.Sizeof(balancer.Row{}); n != 128 {
		t.Errorf("a row is %d bytes", n)
	}
}

func TestDamagedFiles(t *testing.T) {
	for _, text := range []string{"", "x", "balrows1\xff\xff\xff\xff\xff\xff\xff\x7f", "balrows2\x00\x00\x00\x00\x00\x00\x00\x00"} {
		f, err := memory.Unnamed("test")
		if err != nil {
			t.Fatal(err)
		}
		f.WriteString(text)
		b, err := memory.Load(f, f)
		if !errors.Is(err, memory.ErrDamaged) || len(b.Rows)+len(b.Edits) > 0 {
			t.Errorf("%q: %v %v", text, b, err)
		}
		f.Close()
	}
}

// TestEditAfterEdit: each edit is there for the next process at once, the file stays small however many there are, and
// one that is cut is the one before.
func TestEditAfterEdit(t *testing.T) {
	k := keeper{}
	var urls []string
	for i := range 100 {
		urls = append(urls, fmt.Sprintf("http://b%d", i))
	}
	s := spec(t, false, urls...)
	f, _ := farm(t, k, s)
	factor := func(edit int) string { return fmt.Sprintf("%d", 1+edit%100) }
	var most int64
	const edits = 300
	for edit := range edits {
		c := balancer.Change{VHost: "pmain", Balancer: "c", Worker: urls[edit%3], Form: []balancer.Value{{Name: "w_lf", Text: factor(edit)}}}
		if err := f.Apply(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		st, err := k[memory.Edits].Stat()
		if err != nil {
			t.Fatal(err)
		}
		most = max(most, st.Size())
		if edit%9 > 0 {
			continue
		}
		before, err := memory.Load(nil, k[memory.Edits])
		if err != nil || len(before.Edits) != 1 || before.Edits[0].Revision != uint64(edit+1) || before.Edits[0].Members[edit%3].Settings["loadfactor"] != factor(edit)+".00" {
			t.Fatal(edit, err, before.Edits)
		}
	}
	if most > 2<<20 {
		t.Error(most, "bytes")
	}
	if err := f.WriteRows(); err != nil {
		t.Error(err)
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/self/fd/%d", k[memory.Edits].Fd()))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[uint64]bool{}
	for cut := 0; cut < len(text); cut += 9973 {
		b, err := memory.Load(nil, holding(t, text[:cut]))
		if len(b.Edits) == 0 {
			if !errors.Is(err, memory.ErrDamaged) {
				t.Fatal(cut, err)
			}
			continue
		}
		if err != nil || len(b.Edits[0].Members) != len(urls) {
			t.Fatal(cut, err)
		}
		seen[b.Edits[0].Revision] = true
	}
	if len(seen) < 10 || seen[edits] {
		t.Error(len(seen), "revisions")
	}
	if b, err := memory.Load(nil, holding(t, append(text, strings.Repeat("garbage", 99)...))); err == nil || len(b.Edits) != 1 || b.Edits[0].Revision != edits {
		t.Error("with garbage behind it:", b.Edits, err)
	}
}

// holding is a file with that text.
func holding(t *testing.T, text []byte) *os.File {
	t.Helper()
	f, err := memory.Unnamed("test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if _, err := f.Write(text); err != nil {
		t.Fatal(err)
	}
	return f
}

// TestTwoBalancers: edits of several balancers are all there, and those of a reload take their place.
func TestTwoBalancers(t *testing.T) {
	k := keeper{}
	one, two := spec(t, true, "http://a"), spec(t, true, "http://a")
	two.Name = "balancer://d"
	f := balancer.NewFarm(method.Builtin(&method.Heartbeat{}), nil)
	f.UseMemory(memory.New(k.keep), balancer.Predecessor{})
	commit := func() {
		p, err := f.Plan(t.Context(), slices.Values([]balancer.Spec{one, two}), nil)
		if err != nil {
			t.Fatal(err)
		}
		f.Commit(p)
	}
	commit()
	for _, name := range []string{"c", "d", "c"} {
		if err := f.Apply(t.Context(), balancer.Change{VHost: "pmain", Balancer: name, Form: []balancer.Value{{Name: "b_tmo", Text: "7"}}}); err != nil {
			t.Fatal(err)
		}
	}
	revisions := func() string {
		b, err := memory.Load(nil, k[memory.Edits])
		if err != nil {
			t.Fatal(err)
		}
		all := ""
		for _, r := range b.Edits {
			all += fmt.Sprint(r.Balancer, r.Revision, " ")
		}
		return all
	}
	if got := revisions(); got != "balancer://c2 balancer://d1 " {
		t.Error(got)
	}
	one.Persist = false // begins anew
	commit()
	if got := revisions(); got != "balancer://d1 " {
		t.Error(got)
	}
}
