package file

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
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

func mustSave(t *testing.T, s *Store, list ...balancer.SettingsRecord) {
	t.Helper()
	if err := s.SaveSettings(ctx, list); err != nil {
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
	x, y := sampleState("app"), sampleState("other")
	mustSaveStates(t, s, x, y)
	y.Members[0].Elected = 3
	mustSaveStates(t, s, y, sampleState("gone")) // whose settings were never saved, or taken away
	want := []balancer.Record{{Settings: a, State: &x}, {Settings: b, State: &y}}
	if got, err := New(dir).Load(ctx); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v\n got %+v\nwant %+v", err, got, want)
	}
	if f := files(t, dir); f != "settings.json states.json" {
		t.Error(f)
	}
	if info, _ := os.Stat(filepath.Join(dir, "settings.json")); info.Mode().Perm() != 0o600 {
		t.Error(info.Mode())
	}
	next := New(dir) // another process goes on with it
	b.Revision++
	mustSave(t, next, b)
	mustSaveStates(t, next, x)
	want[1].Settings = b
	if got, err := New(dir).Load(ctx); err != nil || !reflect.DeepEqual(byName(got), want) {
		t.Errorf("%v\n got %+v\nwant %+v", err, got, want)
	}
}

// byName is records in the order of their balancers.
func byName(list []balancer.Record) []balancer.Record {
	slices.SortFunc(list, func(a, b balancer.Record) int { return strings.Compare(a.Settings.Balancer, b.Settings.Balancer) })
	return list
}

// TestReadable: a record is a line of JSON.
func TestReadable(t *testing.T) {
	dir := t.TempDir()
	s := New(dir)
	mustSave(t, s, sample("app"))
	mustSaveStates(t, s, sampleState("app"))
	for file, parts := range map[string][]string{
		"settings.json": {`"balancer":"balancer://app","revision":7,"settings":{"lbmethod":"bytraffic",`, `"status":"D"`},
		"states.json":   {`"lbstatus":-100,`, `"error_time":"2026-11-21T05:08:59.123456789Z"`},
	} {
		text, _ := os.ReadFile(filepath.Join(dir, file))
		if strings.Count(string(text), "\n") != 2 {
			t.Errorf("%q", text)
		}
		for _, part := range parts {
			if !strings.Contains(string(text), part) {
				t.Errorf("%q is not in\n%s", part, text)
			}
		}
	}
}

// TestJournalStaysSmall: however often something is saved, the file is hardly longer than what counts.
func TestJournalStaysSmall(t *testing.T) {
	dir := t.TempDir()
	s := New(dir)
	var list []balancer.SettingsRecord
	for i := range 100 {
		list = append(list, sample(fmt.Sprint("b", i)))
	}
	mustSave(t, s, list...)
	size := func() int64 {
		st, err := os.Stat(filepath.Join(dir, "settings.json"))
		if err != nil {
			t.Fatal(err)
		}
		return st.Size()
	}
	first := size()
	for i := range 2000 {
		list[i%100].Revision++
		mustSave(t, s, list[i%100])
		if n := size(); n > 2*first+2*slack {
			t.Fatalf("%d bytes after %d saves, %d at first", n, i, first)
		}
	}
	if got, err := New(dir).Load(ctx); err != nil || !reflect.DeepEqual(byName(got), byName(settingsOnly(list...))) {
		t.Error(err, len(got))
	}
}

// TestTorn cuts the journals at every byte: no cut is taken for a record, the lines before it hold, it is said, and
// the next process sets the file aside.
func TestTorn(t *testing.T) {
	for _, file := range []string{"settings.json", "states.json"} {
		dir := t.TempDir()
		s := New(dir)
		for _, name := range []string{"whole", "app"} {
			mustSave(t, s, sample(name))
			mustSaveStates(t, s, sampleState(name))
		}
		path := filepath.Join(dir, file)
		text, _ := os.ReadFile(path)
		second := strings.LastIndex(string(text[:len(text)-1]), "\n") + 1
		for cut := second + 1; cut < len(text); cut++ {
			if err := os.WriteFile(path, text[:cut], 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := New(dir).Load(ctx)
			if len(got) == 0 || got[0].Settings.Balancer != "balancer://whole" || got[0].State == nil || err == nil || !strings.Contains(err.Error(), path+", line 3: cut short") {
				t.Fatalf("cut at %d: %+v, %v", cut, got, err)
			}
			if len(got) == 2 && got[1].State != nil {
				t.Fatalf("cut at %d is taken for a record", cut)
			}
		}
		torn := string(text[:len(text)-9])
		if err := os.WriteFile(path, []byte(torn), 0o600); err != nil {
			t.Fatal(err)
		}
		next := New(dir)
		mustSave(t, next, sample("app"))
		mustSaveStates(t, next, sampleState("app"))
		if aside, err := os.ReadFile(path + damaged); err != nil || string(aside) != torn {
			t.Errorf("%q, %v", aside, err)
		}
		if got, err := New(dir).Load(ctx); err != nil || len(got) != 2 || got[0].State == nil || got[1].State == nil {
			t.Error(got, err)
		}
		if f := files(t, dir); strings.Count(f, damaged) != 1 {
			t.Error(f)
		}
	}
}

// TestOthersWrite: what somebody writes into the journal, or cuts off, is gone with the next save.
func TestOthersWrite(t *testing.T) {
	dir := t.TempDir()
	s := New(dir)
	mustSave(t, s, sample("app"))
	path := filepath.Join(dir, "settings.json")
	for _, size := range []int64{0, 7, 500} {
		if err := os.Truncate(path, size); err != nil {
			t.Fatal(err)
		}
		mustSave(t, s, sample("other"))
		if got, err := New(dir).Load(ctx); err != nil || len(got) != 2 {
			t.Error(size, got, err)
		}
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.WriteString(`{"sum":"`)
	f.Close()
	mustSave(t, s, sample("other"))
	if got, err := New(dir).Load(ctx); err != nil || len(got) != 2 {
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
	flip(t, settings, func(text []byte) (any, error) { return decodeSettingsLine(text) }, sample("app"))
	flip(t, state, func(text []byte) (any, error) { return decodeStateLine(text) }, sampleState("app"))
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

func TestRefused(t *testing.T) {
	whole, _ := encodeSettings(sample("app"))
	for what, c := range map[string]struct {
		text, want string
	}{
		"edited": {strings.Replace(string(whole), `"bytraffic"`, `"byrequests"`, 1), errSum.Error()},
		"null":   {"null\n", "unexpected end of JSON input"},
		"empty":  {"\n", "unexpected end of JSON input"},
		"nobody": {`{"record":{"vhost":"p1"}}` + "\n", errRecord.Error()},
		"record": {`{"record":[]}` + "\n", "json: cannot unmarshal array"},
	} {
		if _, err := decodeSettingsLine([]byte(c.text)); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: %v", what, err)
		}
	}
	dir := t.TempDir()
	for _, text := range []string{"", "x", `{"note":"of another time","version":4}` + "\n" + string(whole), string(whole)} {
		if err := os.WriteFile(filepath.Join(dir, "settings.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := New(dir).Load(ctx); len(got) != 0 || !errors.Is(err, errHead) {
			t.Errorf("%q: %v %v", text, got, err)
		}
	}
	os.Remove(filepath.Join(dir, "settings.json"))
	if err := os.Mkdir(filepath.Join(dir, "settings.json"), 0o700); err != nil {
		t.Fatal(err)
	}
	if got, err := New(dir).Load(ctx); len(got) != 0 || err == nil {
		t.Error("a folder:", got, err)
	}
}

// TestEdited: with its sum taken out, a line may be edited and laid out at will.
func TestEdited(t *testing.T) {
	whole, _ := encodeSettings(sample("app"))
	_, p, _ := strings.Cut(string(whole), `,`)
	r, err := decodeSettingsLine([]byte("{ " + strings.ReplaceAll(strings.Replace(p, `"bytraffic"`, `"byrequests"`, 1), ",", " ,\t")))
	if err != nil || r.Settings["lbmethod"] != "byrequests" {
		t.Error(r, err)
	}
}

// TestCrashLeftovers: a half-written temporary file is no journal and does not hinder.
func TestCrashLeftovers(t *testing.T) {
	dir := t.TempDir()
	mustSave(t, New(dir), sample("app"))
	for _, f := range []string{"settings.json.tmp", "states.json.tmp"} {
		if err := os.WriteFile(filepath.Join(dir, f), []byte(`{"ver`), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := New(dir).Load(ctx); len(got) != 1 || err != nil {
		t.Error(got, err)
	}
	mustSave(t, New(dir), sample("app"))
	if f := files(t, dir); f != "settings.json states.json" {
		t.Error(f)
	}
}

// TestFolderGoes: when the folder or a file is taken away or replaced, the next save makes the whole journal again in its place,
// and never writes to what somebody put there.
func TestFolderGoes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "kept")
	s := New(dir)
	mustSave(t, s, sample("app"), sample("other"))
	check := func(what string) {
		t.Helper()
		a := sample("app")
		a.Revision++
		mustSave(t, s, a)
		if got, err := New(dir).Load(ctx); err != nil || !reflect.DeepEqual(byName(got), settingsOnly(a, sample("other"))) {
			t.Errorf("%s: %v %v", what, got, err)
		}
	}
	path := filepath.Join(dir, "settings.json")
	os.Remove(path)
	check("file removed")
	os.Remove(path)
	if err := os.WriteFile(path, []byte("theirs"), 0o666); err != nil {
		t.Fatal(err)
	}
	check("file replaced")
	os.RemoveAll(dir)
	check("folder removed")
	theirs := filepath.Join(t.TempDir(), "theirs")
	if err := os.WriteFile(theirs, []byte("as it was"), 0o600); err != nil {
		t.Fatal(err)
	}
	os.Rename(dir, dir+".away")
	os.Mkdir(dir, 0o700)
	for _, name := range []string{"settings.json", "settings.json.tmp"} {
		if err := os.Symlink(theirs, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	check("folder replaced by one with links")
	if b, _ := os.ReadFile(theirs); string(b) != "as it was" {
		t.Errorf("%q", b)
	}
}

// TestEarlierVersion: files of version 2 are read, and become lines of the journals at the first save; one that is
// damaged is said and set aside, and what the journals have already counts.
func TestEarlierVersion(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/version2")); err != nil {
		t.Fatal(err)
	}
	before := files(t, dir)
	old, err := New(dir).Load(ctx)
	if err != nil || len(old) != 2 || old[0].State == nil || old[1].State == nil {
		t.Fatal(old, err)
	}
	c := old[0]
	if c.Settings.Balancer != "balancer://c" {
		c = old[1]
	}
	want := balancer.SettingsRecord{VHost: "pmain", Balancer: "balancer://c", Revision: 3, Stale: true, Settings: map[string]string{"lbmethod": "bytraffic", "timeout": "9"},
		Members: []balancer.MemberSettings{{Worker: "http://b1", Status: "D", Own: "E", Settings: map[string]string{"route": "caf\xe9", "loadfactor": "3.00"}},
			{Worker: "http://b3", Added: true, Settings: map[string]string{"loadfactor": "1.00"}}}}
	if !reflect.DeepEqual(c.Settings, want) || c.State.Members[0].Elected != 12 {
		t.Errorf("%+v", c)
	}
	if f := files(t, dir); f != before {
		t.Error("Load changed something:", f)
	}
	for name, text := range map[string]string{"pmain_bad.json": "{", "pmain_c.json.tmp": "{", "notours.json": "{}"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := New(dir).Load(ctx); len(got) != 2 || err == nil || !strings.Contains(err.Error(), "pmain_bad.json") {
		t.Error(got, err)
	}
	want.Revision++
	mustSave(t, New(dir), want)
	got, err := New(dir).Load(ctx)
	for i := range old {
		if old[i].Settings.Balancer == want.Balancer {
			old[i].Settings = want
		}
	}
	if err != nil || !reflect.DeepEqual(byName(got), byName(old)) {
		t.Errorf("%v\n got %+v\nwant %+v", err, got, old)
	}
	if f := files(t, dir); f != "notours.json pmain_bad.json.bad pmain_c.json.tmp settings.json states.json" {
		t.Error(f)
	}
}

// TestNoRoom: when nothing can be written the old record is as it was, and that is told. The limit
// is of a process, so it is a child that runs into it.
func TestNoRoom(t *testing.T) {
	if dir := os.Getenv("TEST_NO_ROOM"); dir != "" {
		r := sample("app")
		r.Settings["timeout"] = "9"
		if err := New(dir).SaveSettings(ctx, []balancer.SettingsRecord{r}); err == nil {
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
	if f := files(t, dir); f != "settings.json states.json" {
		t.Error(f)
	}
}

func TestUnwritable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := New(path).SaveSettings(ctx, []balancer.SettingsRecord{sample("app")}); err == nil {
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
	f.Add([]byte(`{"record":{"vhost":"p1","balancer":"b","settings":{"a":"\"\\xff\""}}}` + "\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) == 0 {
			return
		}
		r, err := decodeSettingsLine(text)
		if err != nil {
			return
		}
		again, err := encodeSettings(r)
		if err != nil {
			t.Fatal(err)
		}
		back, err := decodeSettingsLine(again)
		if err != nil {
			t.Fatal(err)
		}
		third, _ := encodeSettings(back)
		if string(third) != string(again) {
			t.Errorf("%s\n%s", again, third)
		}
	})
}

// FuzzGarbage: garbage beside a good journal, or behind its lines, never loses them; a journal that is cut and goes on with garbage
// is set aside, and the next save holds.
func FuzzGarbage(f *testing.F) {
	whole, _ := encodeSettings(sample("other"))
	f.Add(whole, uint16(0))
	f.Add(whole[:len(whole)/2], uint16(3))
	f.Add([]byte("{}"), uint16(9))
	f.Add([]byte{}, uint16(1000))
	f.Add([]byte("\n\n\n"), uint16(1000))
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
		good := sample("app")
		mustSave(t, New(here), good)
		path := filepath.Join(here, "settings.json")
		put := func(path string, text []byte) {
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		held := func() bool {
			list, _ := New(here).Load(ctx)
			return slices.ContainsFunc(list, func(r balancer.Record) bool { return reflect.DeepEqual(r.Settings, good) })
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		put(path+half, garbage)
		put(filepath.Join(here, "ju_nk.json"), garbage)
		if !held() {
			t.Fatalf("garbage beside it lost the good journal: %q", garbage)
		}
		if put(path, append(text[:len(text):len(text)], garbage...)); !held() && !names(garbage, good) {
			t.Fatalf("garbage behind it lost the good line: %q", garbage)
		}
		torn := append(text[:min(int(cut), len(text)-1):min(int(cut), len(text)-1)], garbage...)
		put(path, torn)
		os.Remove(filepath.Join(here, "ju_nk.json"))
		_, bad := New(here).Load(ctx)
		if New(here).SaveSettings(ctx, []balancer.SettingsRecord{good}) != nil || !held() {
			t.Fatalf("after %q", torn)
		}
		if aside, err := os.ReadFile(path + damaged); bad != nil && string(aside) != string(torn) {
			t.Fatalf("%q was not set aside: %q, %v", torn, aside, err)
		}
	})
}

// names reports whether garbage has a line that is newer settings of r's balancer.
func names(garbage []byte, r balancer.SettingsRecord) bool {
	for text := range bytes.Lines(garbage) {
		if other, err := decodeSettingsLine(text); err == nil && other.Balancer == r.Balancer {
			return true
		}
	}
	return false
}

// A link that somebody puts where a file is about to be made is not followed.
func TestLinksAreNotFollowed(t *testing.T) {
	dir := t.TempDir()
	outside := filepath.Join(t.TempDir(), "outside")
	if err := os.WriteFile(outside, []byte("as it was"), 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "settings.json")
	for _, link := range []string{file + ".tmp", file + ".bad", file} {
		if err := os.Symlink(outside, link); err != nil {
			t.Fatal(err)
		}
		mustSave(t, New(dir), sample("app"))
		if b, err := os.ReadFile(outside); err != nil || string(b) != "as it was" {
			t.Errorf("%s was followed: %q %v", link, b, err)
		}
		if st, err := os.Lstat(file); err != nil || !st.Mode().IsRegular() {
			t.Error(link, st, err)
		}
		os.Remove(file)
	}
}

// TestKill: whenever a process is killed while it saves, what it was told to be kept is.
func TestKill(t *testing.T) {
	if dir := os.Getenv("TEST_KILL"); dir != "" {
		s := New(dir)
		var wg sync.WaitGroup
		for _, name := range []string{"app", "other"} {
			wg.Go(func() { saveForEver(s, name) })
		}
		wg.Wait()
	}
	dir := t.TempDir()
	most := map[string]uint64{}
	for round := range 12 {
		child := exec.Command(os.Args[0], "-test.run", "^TestKill$")
		child.Env = append(os.Environ(), "TEST_KILL="+dir)
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			what, number, _ := strings.Cut(lines.Text(), " ")
			most[what], _ = strconv.ParseUint(number, 10, 64)
			if n == 40+17*round { // what it writes until it dies is read, too
				child.Process.Kill()
			}
		}
		child.Wait()
		got, err := New(dir).Load(ctx)
		if len(got) != 2 {
			t.Fatal(got, err)
		}
		for _, r := range got {
			name := strings.TrimPrefix(r.Settings.Balancer, balancer.Prefix)
			if r.Settings.Revision < most["settings/"+name] || r.State == nil || r.State.Revision < most["state/"+name] {
				t.Fatalf("round %d: %v was kept, and is %d, %+v", round, most, r.Settings.Revision, r.State)
			}
		}
	}
}

// saveForEver goes on with what is kept of a balancer, and tells what is kept then.
func saveForEver(s *Store, name string) {
	settings, state := sample(name), sampleState(name)
	if list, _ := s.Load(ctx); list != nil {
		for _, r := range list {
			if r.Settings.Balancer == settings.Balancer {
				settings.Revision = r.Settings.Revision
			}
		}
	}
	for {
		settings.Revision++
		state.Revision = settings.Revision
		if s.SaveSettings(ctx, []balancer.SettingsRecord{settings}) != nil {
			os.Exit(1)
		}
		fmt.Printf("settings/%s %d\n", name, settings.Revision)
		if s.SaveStates(ctx, []balancer.StateRecord{state}) != nil {
			os.Exit(1)
		}
		fmt.Printf("state/%s %d\n", name, state.Revision)
	}
}
