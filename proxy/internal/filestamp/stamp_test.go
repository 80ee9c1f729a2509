package filestamp

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func look(t *testing.T, name string) Stamp {
	t.Helper()
	fi, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	return Of(fi)
}

// TestChangesShow: each change that a file can go through makes another stamp, once a tick has passed.
func TestChangesShow(t *testing.T) {
	name := filepath.Join(t.TempDir(), "f")
	old := time.Unix(1, 0)
	write := func(text string) {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		os.Chtimes(name, old, old)
	}
	write("one")
	for what, change := range map[string]func(){
		"another size":                    func() { write("longer") },
		"the same size and the same time": func() { write("two") },
		"another mode":                    func() { os.Chmod(name, 0o640) },
		"another file": func() {
			os.WriteFile(name+".new", []byte("two"), 0o600)
			os.Rename(name+".new", name)
		},
	} {
		before := look(t, name)
		for before.MayHide(time.Now()) {
			time.Sleep(time.Millisecond)
		}
		if look(t, name) != before {
			t.Fatalf("%s: it changes by itself", what)
		}
		change()
		if look(t, name) == before {
			t.Errorf("%s: does not show", what)
		}
	}
}

// at is a file that says nothing but when it changed.
type at struct {
	fs.FileInfo
	changed time.Time
}

func (a at) Size() int64        { return 1 }
func (a at) Mode() fs.FileMode  { return 0 }
func (a at) ModTime() time.Time { return a.changed }
func (a at) Sys() any           { return nil }

func TestMayHide(t *testing.T) {
	second := time.Unix(1_700_000_000, 0)
	for _, c := range []struct {
		changed time.Time
		later   time.Duration
		want    bool
	}{
		{second.Add(123456), -time.Hour, true},
		{second.Add(123456), 0, true},
		{second.Add(123456), 19 * time.Millisecond, true},
		{second.Add(123456), 20 * time.Millisecond, false},
		{second, 1999 * time.Millisecond, true},
		{second, 2 * time.Second, false},
	} {
		if got := Of(at{changed: c.changed}).MayHide(c.changed.Add(c.later)); got != c.want {
			t.Errorf("changed at %v, read %v later: %v", c.changed.UnixNano(), c.later, got)
		}
	}
}
