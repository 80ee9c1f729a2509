package file

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"balancerd/balancer"
)

var ctx = context.Background()

func sample(name string) balancer.SettingsRecord {
	return balancer.SettingsRecord{
		VHost:    "p59bfe437",
		Balancer: "balancer://" + name,
		Revision: 7,
		Settings: map[string]string{"lbmethod": "bytraffic", "stickysession": "A|b"},
		Members: []balancer.MemberSettings{{
			Worker:   "http://b1",
			Status:   "D",
			Settings: map[string]string{"route": "caf\xe9", "redirect": `"quoted`, "upgrade": "é\x00<&>"},
		}, {Worker: "unix:/s\xff|http://x", Added: true, Settings: map[string]string{}}},
	}
}

func sampleState(name string) balancer.StateRecord {
	return balancer.StateRecord{
		VHost:    "p59bfe437",
		Balancer: "balancer://" + name,
		Revision: 7,
		Members: []balancer.MemberState{
			{Worker: "http://b1", State: balancer.State{Status: "O", Elected: 1 << 63, Load: -100, Sent: 5, Read: 7, ErrorTime: time.Date(2026, 11, 21, 5, 8, 59, 123456789, time.UTC), Retries: 2}},
			{Worker: "unix:/s\xff|http://x", State: balancer.State{Status: "O"}},
		},
	}
}

// settingsOnly are records of these settings, without states.
func settingsOnly(list ...balancer.SettingsRecord) (all []balancer.Record) {
	for _, r := range list {
		all = append(all, balancer.Record{Settings: r})
	}
	return all
}

func mustSave(t *testing.T, s *Store, r balancer.SettingsRecord) {
	t.Helper()
	if err := s.SaveSettings(ctx, r); err != nil {
		t.Fatal(err)
	}
}

func mustSaveStates(t *testing.T, s *Store, list ...balancer.StateRecord) {
	t.Helper()
	if err := s.SaveStates(ctx, list); err != nil {
		t.Fatal(err)
	}
}

func files(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

func TestRoundTrip(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "not", "there")
	s := New(dir)
	if r, err := s.Load(ctx); r != nil || err != nil {
		t.Error("no directory:", r, err)
	}
	a, b := sample("app"), sample("other")
	mustSave(t, s, a)
	mustSave(t, s, b)
	a.Settings["timeout"] = "9"
	mustSave(t, s, a)
	got, err := New(dir).Load(ctx)
	if want := settingsOnly(a, b); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v\n got %+v\nwant %+v", err, got, want)
	}
	if f := files(t, dir); f != "p59bfe437_app.json p59bfe437_other.json" {
		t.Error(f)
	}
	x, y := sampleState("app"), sampleState("other")
	mustSaveStates(t, s, x, y)
	y.Members[0].Elected = 3
	mustSaveStates(t, s, y, sampleState("gone")) // whose settings were never saved, or taken away
	want := []balancer.Record{{Settings: a, State: &x}, {Settings: b, State: &y}}
	if got, err := New(dir).Load(ctx); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v\n got %+v\nwant %+v", err, got, want)
	}
	if f := files(t, dir); f != "p59bfe437_app.json p59bfe437_app.state p59bfe437_gone.state p59bfe437_other.json p59bfe437_other.state" {
		t.Error(f)
	}
	if info, _ := os.Stat(filepath.Join(dir, "p59bfe437_app.json")); info.Mode().Perm() != 0o600 {
		t.Error(info.Mode())
	}
}

func TestReadable(t *testing.T) {
	dir := t.TempDir()
	mustSave(t, New(dir), sample("app"))
	mustSaveStates(t, New(dir), sampleState("app"))
	for file, lines := range map[string][]string{
		"p59bfe437_app.json":  {"\n    \"revision\": 7,\n", "\n    \"settings\": {\n      \"lbmethod\": \"bytraffic\",\n", "\n        \"status\": \"D\",\n"},
		"p59bfe437_app.state": {"\n        \"lbstatus\": -100,\n", `"error_time": "2026-11-21T05:08:59.123456789Z"`},
	} {
		text, _ := os.ReadFile(filepath.Join(dir, file))
		for _, line := range lines {
			if !strings.Contains(string(text), line) {
				t.Errorf("%q is not in\n%s", line, text)
			}
		}
	}
}

// TestTorn cuts a file at every byte: no cut is taken for a record, none harms the others, and the
// next Save sets it aside.
func TestTorn(t *testing.T) {
	dir := t.TempDir()
	s := New(dir)
	mustSave(t, s, sample("app"))
	mustSave(t, s, sample("whole"))
	path := filepath.Join(dir, "p59bfe437_app.json")
	text, _ := os.ReadFile(path)
	for cut := range len(text) - 1 { // the last byte is a line end
		if err := os.WriteFile(path, text[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := s.Load(ctx)
		if len(got) != 1 || got[0].Settings.Balancer != "balancer://whole" || err == nil || !strings.Contains(err.Error(), path) {
			t.Fatalf("cut at %d: %d records, %v", cut, len(got), err)
		}
	}
	if f := files(t, dir); f != "p59bfe437_app.json p59bfe437_whole.json" {
		t.Error("Load changed something:", f)
	}
	mustSave(t, s, sample("app"))
	if f := files(t, dir); f != "p59bfe437_app.json p59bfe437_app.json.bad p59bfe437_whole.json" {
		t.Error(f)
	}
	if got, err := s.Load(ctx); len(got) != 2 || err != nil {
		t.Error(got, err)
	}
}

// TestDamaged changes each byte of the records' texts: it is noticed, or changes nothing.
func TestDamaged(t *testing.T) {
	settings, err := encodeSettings(sample("app"))
	if err != nil {
		t.Fatal(err)
	}
	state, err := encodeState(sampleState("app"))
	if err != nil {
		t.Fatal(err)
	}
	flip(t, settings, func(text []byte) (any, error) { r, err := decodeSettings(text); return r.Settings, err }, sample("app"))
	flip(t, state, func(text []byte) (any, error) { return decodeState(text) }, sampleState("app"))
}

func flip(t *testing.T, text []byte, decode func([]byte) (any, error), want any) {
	t.Helper()
	for i := strings.Index(string(text), `"record"`); i < len(text); i++ {
		bad := append([]byte(nil), text...)
		bad[i] ^= 0x01
		r, err := decode(bad)
		if err == nil && !reflect.DeepEqual(r, want) {
			t.Errorf("byte %d, %q: not noticed", i, text[i])
		}
	}
}

// TestDamagedState: the settings hold without it, and the damage is said.
func TestDamagedState(t *testing.T) {
	dir := t.TempDir()
	s := New(dir)
	mustSave(t, s, sample("app"))
	mustSaveStates(t, s, sampleState("app"))
	path := filepath.Join(dir, "p59bfe437_app.state")
	text, _ := os.ReadFile(path)
	for cut := range len(text) - 1 {
		if err := os.WriteFile(path, text[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := s.Load(ctx)
		if err == nil || !strings.Contains(err.Error(), path) || !reflect.DeepEqual(got, settingsOnly(sample("app"))) {
			t.Fatalf("cut at %d: %+v, %v", cut, got, err)
		}
	}
	mustSaveStates(t, s, sampleState("app"))
	if got, err := s.Load(ctx); err != nil || got[0].State == nil {
		t.Error(got, err)
	}
}

func TestRefused(t *testing.T) {
	whole, _ := encodeSettings(sample("app"))
	for what, c := range map[string]struct {
		text, want string
	}{
		"version": {strings.Replace(string(whole), `"version": 2`, `"version": 3`, 1), "unknown version 3"},
		"edited":  {strings.Replace(string(whole), `"bytraffic"`, `"byrequests"`, 1), errSum.Error()},
		"null":    {"null", "unknown version 0"},
		"empty":   {"", "unexpected end of JSON input"},
		"nobody":  {`{"version":1,"record":{"vhost":"p1"}}`, errRecord.Error()},
		"record":  {`{"version":2,"record":[]}`, "json: cannot unmarshal array"},
	} {
		if _, err := decodeSettings([]byte(c.text)); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestEdited: with its sum taken out, a file may be edited and indented at will.
func TestEdited(t *testing.T) {
	whole, _ := encodeSettings(sample("app"))
	p := string(whole)
	i := strings.Index(p, `  "sum"`)
	p = p[:i] + p[i+strings.IndexByte(p[i:], '\n')+1:]
	r, err := decodeSettings([]byte(strings.ReplaceAll(strings.Replace(p, `"bytraffic"`, `"byrequests"`, 1), "  ", "\t")))
	if err != nil || r.Settings.Settings["lbmethod"] != "byrequests" {
		t.Error(r, err)
	}
}

// TestCrashLeftovers: a half-written temporary file is no record and does not hinder.
func TestCrashLeftovers(t *testing.T) {
	dir := t.TempDir()
	s := New(dir)
	mustSave(t, s, sample("app"))
	if err := os.WriteFile(filepath.Join(dir, "p59bfe437_app.json.tmp"), []byte(`{"ver`), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Load(ctx); len(got) != 1 || err != nil {
		t.Error(got, err)
	}
	mustSave(t, s, sample("app"))
	if f := files(t, dir); f != "p59bfe437_app.json" {
		t.Error(f)
	}
}

// TestNames: no two balancers share a file, and none leaves the directory.
func TestNames(t *testing.T) {
	seen := map[string]string{}
	for _, n := range []string{"a-b", "ab", "a_b", "a.b", "../../etc", "a/b", ".", "..", "a%2Fb", "é", strings.Repeat("%", 95), strings.Repeat("%", 94) + "&", "a b"} {
		f := nameOf("p1", balancer.Prefix+n)
		if old, twice := seen[f]; twice || strings.ContainsAny(f, "/\x00") || len(f) > 200 {
			t.Errorf("%s: %s, as %s", n, f, old)
		}
		seen[f] = n
	}
}

// TestNoRoom: when nothing can be written the old record is as it was, and that is told. The limit
// is of a process, so it is a child that runs into it.
func TestNoRoom(t *testing.T) {
	if dir := os.Getenv("TEST_NO_ROOM"); dir != "" {
		r := sample("app")
		r.Settings["timeout"] = "9"
		if err := New(dir).SaveSettings(ctx, r); err == nil {
			os.Exit(1)
		}
		os.Exit(0) // not even a coverage report could be written
	}
	dir := t.TempDir()
	s := New(dir)
	mustSave(t, s, sample("app"))
	child := exec.Command("sh", "-c", `ulimit -f 0; exec "$0" -test.run '^TestNoRoom$'`, os.Args[0])
	child.Env = append(os.Environ(), "TEST_NO_ROOM="+dir)
	if out, err := child.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	got, err := s.Load(ctx)
	if err != nil || !reflect.DeepEqual(got, settingsOnly(sample("app"))) {
		t.Error(got, err)
	}
	if f := files(t, dir); f != "p59bfe437_app.json" {
		t.Error(f)
	}
}

// An edit of one balancer does not wait for another's file, nor for the states.
func TestFilesDoNotWaitForEachOther(t *testing.T) {
	s := New(t.TempDir())
	defer s.lock("p59bfe437_slow.json")()
	s.states.Lock()
	defer s.states.Unlock()
	mustSave(t, s, sample("app"))
	mustSave(t, s, sample("app"))
}

func TestUnwritable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := New(path).SaveSettings(ctx, sample("app")); err == nil {
		t.Error("saved into a file")
	}
	if _, err := New(path).Load(ctx); err == nil {
		t.Error("loaded from a file")
	}
}

// FuzzDecode: what is read is written and read back the same.
func FuzzDecode(f *testing.F) {
	whole, _ := encodeSettings(sample("app"))
	f.Add(whole)
	f.Add([]byte(`{"version":1,"record":{"vhost":"p1","balancer":"b","settings":{"a":"\"\\xff\""}}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := decodeSettings(text)
		if err != nil {
			return
		}
		again, err := encodeSettings(r.Settings)
		if err != nil {
			t.Fatal(err)
		}
		back, err := decodeSettings(again)
		if err != nil {
			t.Fatal(err)
		}
		third, _ := encodeSettings(back.Settings)
		if string(third) != string(again) {
			t.Errorf("%s\n%s", again, third)
		}
	})
}

// FuzzGarbage: garbage beside a good file, or half written, never loses it; in its place it is set
// aside, and the next Save holds.
func FuzzGarbage(f *testing.F) {
	whole, _ := encodeSettings(sample("other"))
	f.Add(whole, uint16(0))
	f.Add(whole[:len(whole)/2], uint16(3))
	f.Add([]byte("{}"), uint16(9))
	f.Add([]byte{}, uint16(1000))
	dir := f.TempDir()
	if d, err := os.MkdirTemp("/dev/shm", "store"); err == nil { // a disk takes its time
		f.Cleanup(func() { os.RemoveAll(d) })
		dir = d
	}
	f.Fuzz(func(t *testing.T, garbage []byte, cut uint16) {
		here, err := os.MkdirTemp(dir, "")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(here)
		s, good, ctx := New(here), sample("app"), t.Context()
		if err := s.SaveSettings(ctx, good); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(here, nameOf(good.VHost, good.Balancer)+settingsSuffix)
		put := func(path string, text []byte) {
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		held := func() bool {
			list, _ := New(here).Load(ctx)
			return slices.ContainsFunc(list, func(r balancer.Record) bool { return reflect.DeepEqual(r.Settings, good) })
		}
		put(path+half, garbage)
		put(filepath.Join(here, "junk"+settingsSuffix), garbage)
		if !held() {
			t.Fatalf("garbage beside it lost the good file: %q", garbage)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		torn := append(text[:min(int(cut), len(text)-1):min(int(cut), len(text)-1)], garbage...)
		put(path, torn)
		_, bad := decodeSettings(torn)
		if err := s.SaveSettings(ctx, good); err != nil || !held() {
			t.Fatalf("after %q: %v", torn, err)
		}
		if aside, err := os.ReadFile(path + damaged); bad != nil && string(aside) != string(torn) {
			t.Fatalf("%q was not set aside: %q, %v", torn, aside, err)
		}
	})
}

// A link that somebody puts where a file is about to be made is not followed.
func TestLinksAreNotFollowed(t *testing.T) {
	dir := t.TempDir()
	outside := filepath.Join(t.TempDir(), "outside")
	if err := os.WriteFile(outside, []byte("as it was"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := balancer.SettingsRecord{VHost: "p1", Balancer: "balancer://c"}
	file := filepath.Join(dir, "p1_c.json")
	for _, link := range []string{file + ".tmp", file} {
		if err := os.Symlink(outside, link); err != nil {
			t.Fatal(err)
		}
		if err := New(dir).SaveSettings(context.Background(), r); err != nil {
			t.Fatal(link, err)
		}
		if b, err := os.ReadFile(outside); err != nil || string(b) != "as it was" {
			t.Errorf("%s was followed: %q %v", link, b, err)
		}
		if st, err := os.Lstat(file); err != nil || !st.Mode().IsRegular() {
			t.Error(link, st, err)
		}
		os.Remove(file)
	}
}
