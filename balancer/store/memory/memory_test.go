package memory_test

import (
	"context"
	"errors"
	"os"
	"reflect"
	"slices"
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
