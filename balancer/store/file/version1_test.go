package file

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"balancerd/balancer"
)

// TestVersion1 reads a file as the format before had it, and makes lines of the journals of it when its settings
// are saved: what it had of the state is not lost by that.
func TestVersion1(t *testing.T) {
	text, err := os.ReadFile("testdata/version1.json")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	put := func() {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "pmain_c.json"), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put()
	want := balancer.Record{
		Settings: balancer.SettingsRecord{VHost: "pmain", Balancer: "balancer://c",
			Settings: map[string]string{"lbmethod": "bytraffic", "maxattempts": "1", "nonce": "c1bdb8e4-5bb9-4f47-b1a4-4cd3e4ba1cd2", "stickysession": "N|n", "timeout": "9"},
			Members: []balancer.MemberSettings{
				{Worker: "http://b1", Status: "D", Settings: map[string]string{"loadfactor": "3.00", "route": "caf\xe9"}},
				{Worker: "http://b3", Added: true, Status: "ND", Settings: map[string]string{"loadfactor": "1.00"}},
			}},
		State: &balancer.StateRecord{VHost: "pmain", Balancer: "balancer://c", Stale: true,
			Members: []balancer.MemberState{
				{Worker: "http://b1", State: balancer.State{Status: "OEC", Elected: 2, Load: 300, Sent: 11, Read: 22,
					ErrorTime: time.Date(2026, 11, 21, 5, 8, 59, 123456789, time.UTC), Retries: 4, Passes: 1}},
				{Worker: "http://b3", State: balancer.State{Status: "O"}},
			}},
	}
	s := New(dir)
	load := func() balancer.Record {
		t.Helper()
		got, err := s.Load(ctx)
		if err != nil || len(got) != 1 {
			t.Fatal(got, err)
		}
		return got[0]
	}
	if got := load(); !reflect.DeepEqual(got, want) {
		t.Fatalf("\n got %+v\nwant %+v", got, want)
	}
	if f := files(t, dir); f != "pmain_c.json" {
		t.Error("Load changed something:", f)
	}
	want.Settings.Revision = 1
	mustSave(t, s, want.Settings)
	if got := load(); !reflect.DeepEqual(got, want) {
		t.Errorf("after an edit:\n got %+v\nwant %+v", got, want)
	}
	if f := files(t, dir); f != "settings.json states.json" {
		t.Error(f)
	}

	newer := *want.State
	newer.Stale = false
	mustSaveStates(t, s, newer)
	put() // as when the process ended before the old file was taken away
	if got := load(); got.State.Stale {
		t.Error("the old file's state hides the newer one")
	}
	mustSave(t, New(dir), want.Settings)
	if got := load(); got.State.Stale {
		t.Error("the old file's state takes the newer one's place")
	}
}
